"""What the headers of our messages say: CloudEvents 1.0 in Kafka's binary mode, with extensions (design §4).

Source of the mapping: CloudEvents Kafka protocol binding 1.0.2, section 3.2 (attributes as headers `ce_…`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator.messaging.errors import BadMessage
from orchestrator.messaging.message import Headers

__all__ = ["Event", "cause_of", "read_event"]

_CONTENT_TYPE = "application/avro"
_LONGEST = 512


@dataclass(frozen=True, slots=True)
class Event:
    """The attributes of one message. `type` is the contract's type; `source` and `id` together are unique.

    `unclaimed`: a worker's claim on the effect was lost when its call came back. `sequence` orders the outcomes of one
    saga, compared as text (CloudEvents extension "sequence"): of two outcomes the higher one holds, in whatever order
    they come.
    """

    id: str
    source: str
    type: str
    time: datetime
    saga_id: UUID | None = None
    step: str | None = None
    direction: str | None = None
    round: int | None = None
    attempt: int | None = None
    deadline: datetime | None = None
    causation_id: str | None = None
    idempotency_key: str | None = None
    agent: str | None = None
    by_operator: bool = False
    resolved: str | None = None
    traceparent: str | None = None
    sequence: str | None = None
    unclaimed: bool = False

    @property
    def cause(self) -> UUID:
        """The id under which the journal knows this message."""
        return cause_of(self.source, self.id)

    def headers(self) -> Headers:
        """As Kafka headers, in a fixed order, absent ones left out."""
        pairs: list[tuple[str, str | None]] = [
            ("ce_specversion", "1.0"),
            ("ce_id", self.id),
            ("ce_source", self.source),
            ("ce_type", self.type),
            ("ce_time", self.time.isoformat()),
            ("ce_sagaid", str(self.saga_id) if self.saga_id else None),
            ("ce_step", self.step),
            ("ce_direction", self.direction),
            ("ce_round", _number(self.round)),
            ("ce_attempt", _number(self.attempt)),
            ("ce_deadline", self.deadline.isoformat() if self.deadline else None),
            ("ce_causationid", self.causation_id),
            ("ce_idempotencykey", self.idempotency_key),
            ("ce_agent", self.agent),
            ("ce_byoperator", "true" if self.by_operator else None),
            ("ce_resolved", self.resolved),
            ("ce_sequence", self.sequence),
            ("ce_unclaimed", "true" if self.unclaimed else None),
            ("content-type", _CONTENT_TYPE),
            ("traceparent", self.traceparent),
        ]
        return tuple((name, value.encode()) for name, value in pairs if value is not None)


def cause_of(source: str, event_id: str) -> UUID:
    """Hash of (`ce_source`, `ce_id`): an id is unique only within its source."""
    digest = hashlib.blake2b(f"{source}\x00{event_id}".encode(), digest_size=16).digest()
    return UUID(bytes=digest)


def read_event(headers: Headers) -> Event:
    """Read the headers.

    Raises:
        BadMessage: a required one is missing, or one does not have its form.

    """
    found = _texts(headers)
    missing = [name for name in ("ce_id", "ce_source", "ce_type") if not found.get(name)]
    if missing:
        raise BadMessage("missing-header", f"no {', '.join(missing)}")
    try:
        return Event(
            id=found["ce_id"],
            source=found["ce_source"],
            type=found["ce_type"],
            time=_time(found, "ce_time") or _EPOCH,
            saga_id=UUID(found["ce_sagaid"]) if "ce_sagaid" in found else None,
            step=found.get("ce_step"),
            direction=found.get("ce_direction"),
            round=_integer(found, "ce_round"),
            attempt=_integer(found, "ce_attempt"),
            deadline=_time(found, "ce_deadline"),
            causation_id=found.get("ce_causationid"),
            idempotency_key=found.get("ce_idempotencykey"),
            agent=found.get("ce_agent"),
            by_operator=found.get("ce_byoperator") == "true",
            resolved=found.get("ce_resolved"),
            traceparent=found.get("traceparent"),
            sequence=found.get("ce_sequence"),
            unclaimed=found.get("ce_unclaimed") == "true",
        )
    except ValueError as exc:
        raise BadMessage("bad-header", str(exc)) from exc


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _texts(headers: Headers) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        if not name.startswith("ce_") and name != "traceparent":
            continue
        if value is None or len(value) > _LONGEST:
            raise BadMessage("bad-header", f"{name} is empty or longer than {_LONGEST} bytes")
        try:
            text = value.decode()
        except UnicodeDecodeError as exc:
            raise BadMessage("bad-header", f"{name} is not UTF-8") from exc
        if "\x00" in text:
            raise BadMessage("bad-header", f"{name} holds a NUL")
        # Two different ids in one message: nobody can say which is meant.
        if found.setdefault(name, text) != text:
            raise BadMessage("bad-header", f"{name} stands twice")
    return found


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)


def _integer(found: Mapping[str, str], name: str) -> int | None:
    text = found.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadMessage("bad-header", f"{name} is not a number: {text[:20]!r}")
    return int(text)


def _time(found: Mapping[str, str], name: str) -> datetime | None:
    text = found.get(name)
    if text is None:
        return None
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise BadMessage("bad-header", f"{name} has no time zone")
    return time
