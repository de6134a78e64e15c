"""Dead letters: key, value and all headers unchanged, the reason beside them (design §6).

The names of the first group of headers are those of Kafka Connect (KIP-298) with its own prefix, so that tools which
know them show ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator.messaging.message import Headers, Incoming, Outgoing
from orchestrator.messaging.topics import dead_letters

__all__ = ["Grave", "bury"]

_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Grave:
    """Why something was given up. `reason` is a stable code; `stage` is read, apply, saga or output.

    `version` is the saga's revision at that moment: a replay is refused where the saga has moved on since.
    """

    reason: str
    message: str
    stage: str
    group: str
    failed_at: datetime
    attempts: int = 1
    saga_id: UUID | None = None
    step: str | None = None
    version: int | None = None


def bury(letter: Outgoing | Incoming, grave: Grave) -> Outgoing:
    """The dead letter of a message, for `<topic>.dlq`."""
    place: list[tuple[str, str]] = [("__dlq.errors.topic", letter.topic)]
    if isinstance(letter, Incoming):
        place += [
            ("__dlq.errors.partition", str(letter.partition)),
            ("__dlq.errors.offset", str(letter.offset)),
        ]
    facts: list[tuple[str, str | None]] = [
        *place,
        ("__dlq.errors.group", grave.group),
        ("__dlq.errors.delivery.count", str(grave.attempts)),
        ("__dlq.errors.message", grave.message[:_LONGEST]),
        ("saga-dlq-reason", grave.reason),
        ("saga-dlq-stage", grave.stage),
        ("saga-dlq-attempts", str(grave.attempts)),
        ("saga-dlq-failed-at", grave.failed_at.isoformat()),
        ("saga-dlq-sagaid", str(grave.saga_id) if grave.saga_id else None),
        ("saga-dlq-step", grave.step),
        ("saga-dlq-version", str(grave.version) if grave.version is not None else None),
    ]
    added: Headers = tuple((name, text.encode()) for name, text in facts if text is not None)
    return Outgoing(dead_letters(letter.topic), letter.key, letter.value, (*letter.headers, *added))
