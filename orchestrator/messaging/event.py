"""What the headers of our messages say: CloudEvents 1.0 in Kafka's binary mode, with extensions (design §4).

Source of the mapping: CloudEvents Kafka protocol binding 1.0.2, section 3.2 (attributes as headers `ce_…`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from orchestrator.messaging.errors import BadMessage
from orchestrator.messaging.message import Headers

__all__ = ["Event", "cause_of", "read_event"]

_LONGEST = 512


class Event(Struct, frozen=True):
    """The attributes of one message. `type` is the contract's type; `source` and `id` together are unique.

    `unclaimed`: a worker's claim on the effect was lost when its call came back. `sequence` orders the outcomes of one
    saga, compared as text (CloudEvents extension "sequence"): of two outcomes the higher one holds, in whatever order
    they come. `mode`: of a command, how much of its definition's work is done (`orchestrator.core.mode`). `shadow`: of
    a command, see `orchestrator.core.messages.Command`; of a completion, that nothing was done, only recorded; of an
    outcome, that this is so of a step of the saga.
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
    mode: str | None = None
    shadow: bool = False

    @property
    def cause(self) -> UUID:
        """The id under which the journal knows this message."""
        return cause_of(self.source, self.id)

    def headers(self) -> Headers:  # noqa: C901, PLR0912 - see below
        """As Kafka headers, in a fixed order, absent ones left out."""
        # Written out: this runs for every message, and a table of names and values would cost twice as much.
        found: list[tuple[str, bytes | None]] = [
            _SPECVERSION,
            ("ce_id", self.id.encode()),
            ("ce_source", self.source.encode()),
            ("ce_type", self.type.encode()),
            ("ce_time", self.time.isoformat().encode()),
        ]
        add = found.append
        if self.saga_id is not None:
            add(("ce_sagaid", str(self.saga_id).encode()))
        if self.step is not None:
            add(("ce_step", self.step.encode()))
        if self.direction is not None:
            add(("ce_direction", self.direction.encode()))
        if self.round is not None:
            add(("ce_round", b"%d" % self.round))
        if self.attempt is not None:
            add(("ce_attempt", b"%d" % self.attempt))
        if self.deadline is not None:
            add(("ce_deadline", self.deadline.isoformat().encode()))
        if self.causation_id is not None:
            add(("ce_causationid", self.causation_id.encode()))
        if self.idempotency_key is not None:
            add(("ce_idempotencykey", self.idempotency_key.encode()))
        if self.agent is not None:
            add(("ce_agent", self.agent.encode()))
        if self.by_operator:
            add(("ce_byoperator", b"true"))
        if self.resolved is not None:
            add(("ce_resolved", self.resolved.encode()))
        if self.sequence is not None:
            add(("ce_sequence", self.sequence.encode()))
        if self.unclaimed:
            add(("ce_unclaimed", b"true"))
        if self.mode is not None:
            add(("ce_mode", self.mode.encode()))
        if self.shadow:
            add(("ce_shadow", b"true"))
        add(_AVRO)
        if self.traceparent is not None:
            add(("traceparent", self.traceparent.encode()))
        return tuple(found)


_SPECVERSION = ("ce_specversion", b"1.0")
_AVRO = ("content-type", b"application/avro")


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
            mode=found.get("ce_mode"),
            shadow=found.get("ce_shadow") == "true",
        )
    except ValueError as exc:
        raise BadMessage("bad-header", str(exc)) from exc


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _texts(headers: Headers) -> Mapping[str, str]:
    """What is read here, as text; other headers are nobody's business here."""
    try:
        pairs = [(name, value.decode()) for name, value in headers if name in _READ]  # type: ignore[union-attr]
    except (UnicodeDecodeError, AttributeError) as exc:
        raise BadMessage("bad-header", f"a header ce_… is empty or not UTF-8: {exc}") from exc
    found = dict(pairs)
    text = "".join(found.values())
    if len(found) == len(pairs) and "\x00" not in text and len(text) <= _LONGEST:
        return found
    # Two different ids in one message: nobody can say which is meant.
    for name, value in pairs:
        if found[name] != value:
            raise BadMessage("bad-header", f"{name} stands twice")
        if "\x00" in value:
            raise BadMessage("bad-header", f"{name} holds a NUL")
        if len(value.encode()) > _LONGEST:
            raise BadMessage("bad-header", f"{name} is longer than {_LONGEST} bytes")
    return found


_READ = frozenset(
    {
        "ce_id", "ce_source", "ce_type", "ce_time", "ce_sagaid", "ce_step", "ce_direction", "ce_round", "ce_attempt",
        "ce_deadline", "ce_causationid", "ce_idempotencykey", "ce_agent", "ce_byoperator", "ce_resolved", "traceparent",
        "ce_sequence", "ce_unclaimed", "ce_mode", "ce_shadow",
    }
)  # fmt: skip


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
