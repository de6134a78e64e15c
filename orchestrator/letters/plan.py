"""What a replay of a letter is: one message, or the reason why there is none (the table of design §6). No I/O.

Every id follows from the letter and its edit, so the same decision made again is the same message, and a duplicate.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from orchestrator.core.messages import Direction
from orchestrator.core.state import SagaState
from orchestrator.letters.errors import Refused
from orchestrator.letters.header_edits import sent_headers
from orchestrator.letters.ids import event_id, new_saga_id
from orchestrator.letters.letter import COUNT_HEADER, LETTER_HEADER, Letter, Way, original_headers
from orchestrator.letters.wanted import By
from orchestrator.messaging.errors import BadMessage
from orchestrator.messaging.event import Event, cause_of, read_event
from orchestrator.messaging.message import Headers, Outgoing
from orchestrator.messaging.reader import GROUP_HEADER
from orchestrator.messaging.topics import CONTROL
from schemas.models import ControlCommand, Record, SagaControl

__all__ = ["SOURCE", "Plan", "Terms", "plan_replay", "retry_cause"]

SOURCE = "saga-dlq"

Encode: TypeAlias = Callable[[Record], bytes]

# Their saga id is taken, or can never be taken: an edited request gets another.
_BAD_IDS = frozenset({"id-reused", "bad-saga-id", "saga-id-out-of-range"})


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms letters are replayed.

    `topics` are those of the broker, `retired` says which has replaced which. `resolved` is `not-done` where a person
    found out that an unknown effect was not done. `force` lets a letter be replayed for the `limit`-th time and more.
    `group` is the only consumer group that the message is for, and `reads` the topics that it has read.
    """

    by: By
    now: datetime
    limit: int
    topics: Collection[str]
    retired: Mapping[str, str] = field(default_factory=dict)
    resolved: str | None = None
    force: bool = False
    group: str | None = None
    reads: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The message that a replay sends. `saga_id` is the saga that it reaches, `cause` how its journal knows it."""

    letter: Letter
    message: Outgoing
    saga_id: UUID | None
    cause: UUID | None

    @property
    def new_saga_id(self) -> UUID | None:
        """The saga that it begins; None where it begins none, or one whose id stood in the letter already."""
        return self.saga_id if self.saga_id != self.letter.saga_id else None


def retry_cause(letter: Letter, resolved: str | None) -> UUID:
    """How the saga's journal knows the retry of this letter."""
    return cause_of(SOURCE, event_id(letter.identity, "retry", resolved or ""))


def plan_replay(letter: Letter, saga: SagaState | None, terms: Terms, encode: Encode, *, applied: bool = False) -> Plan:
    """The message of a replay. `saga` is the letter's saga as it stands.

    `applied`: the saga has this very retry in its journal. It has moved on by it, and a second one is a duplicate.

    Raises:
        Refused: there is nothing to send, and why.

    """
    if letter.generation >= terms.limit and not terms.force:
        text = f"{letter.generation} replays have led to this letter: a loop, unless --force says otherwise"
        raise Refused("LOOP", text)
    match letter.way:
        case Way.AGAIN:
            message = _again(letter, terms)
        case Way.NEW_SAGA:
            message = _new_saga(letter, terms)
        case Way.RETRY:
            message = _retry(letter, saga, terms, encode, applied=applied)
    if message.topic not in terms.topics:
        text = (
            f"there is no topic {message.topic}; SAGA_RETIRED_TOPICS={message.topic}=… names the one that replaced it"
        )
        raise Refused("NO_TOPIC", text)
    if terms.group not in (None, letter.group) and message.topic not in terms.reads:
        # Nobody would deal with it, and the letter would count as replayed.
        raise Refused("NO_READER", f"group {terms.group} has read nothing of {message.topic}")
    try:
        event = read_event(message.headers)
    except BadMessage:
        return Plan(letter, message, None, None)
    return Plan(letter, message, event.saga_id, event.cause)


def _again(letter: Letter, terms: Terms) -> Outgoing:
    """The message as it was; an edited one under an id of its own."""
    headers, key = sent_headers(letter), letter.key
    if letter.edit:
        changes = {"ce_id": event_id(letter.identity, "edit", letter.edit), "ce_source": SOURCE}
        if letter.reason in _BAD_IDS:
            new = letter.earlier or new_saga_id(letter.identity, letter.failed_at, terms.now, letter.edit)
            changes["ce_sagaid"], key = str(new), str(new).encode()
        agent = _text(headers, "ce_agent") or _text(headers, "ce_source")
        headers = _with(headers, {**changes, **({"ce_agent": agent} if agent else {})})
        headers += _link(_text(original_headers(letter.headers), "ce_id"))
    value = letter.value if letter.edited is None else letter.edited
    topic = terms.retired.get(letter.original_topic, letter.original_topic)
    return Outgoing(topic, key, value, (*headers, *_marks(letter, terms)))


def _new_saga(letter: Letter, terms: Terms) -> Outgoing:
    """The request again, as another saga that names the old one."""
    new = letter.earlier or new_saga_id(letter.identity, letter.failed_at, terms.now, letter.edit)
    old = str(letter.saga_id)
    headers = sent_headers(letter)
    changes = {
        "ce_id": event_id(letter.identity, "new saga", letter.edit),
        "ce_source": SOURCE,
        "ce_time": terms.now.isoformat(),
        "ce_sagaid": str(new),
        "ce_causationid": old,
        "ce_agent": _text(headers, "ce_agent") or _text(headers, "ce_source") or SOURCE,
    }
    # The new saga is a trace of its own.
    kept = _with(tuple(pair for pair in headers if pair[0] not in {"traceparent", "tracestate"}), changes)
    value = letter.value if letter.edited is None else letter.edited
    topic = terms.retired.get(letter.original_topic, letter.original_topic)
    return Outgoing(topic, str(new).encode(), value, (*kept, *_link(old), *_marks(letter, terms)))


def _retry(letter: Letter, saga: SagaState | None, terms: Terms, encode: Encode, *, applied: bool) -> Outgoing:
    """Let the parked saga try again, if it still stands where it stood."""
    if saga is None or letter.saga_id is None:
        text = f"there is no saga {letter.saga_id}" if letter.saga_id else "the letter names no saga"
        raise Refused("NO_SAGA", text)
    if letter.version != saga.revision and not applied:
        waits = ", ".join(f"{p.direction or ''} {p.step or ''} ({p.code})".strip() for p in saga.parks) or "nothing"
        text = (
            f"the saga has moved on: revision {saga.revision}, the letter is of {letter.version}; now it is "
            f"{saga.status.value}, and {waits} waits for a person"
        )
        raise Refused("MOVED_ON", text)
    record = SagaControl(
        command=ControlCommand.retry,
        step=letter.step,
        direction=Direction(letter.direction).value if letter.step and letter.direction in _DIRECTIONS else None,
        actor=terms.by.actor,
        reason=terms.by.reason,
        if_revision=letter.version,
        resolved=terms.resolved,
    )
    event = Event(
        id=event_id(letter.identity, "retry", terms.resolved or ""),
        source=SOURCE,
        type=record.contract.type,
        time=terms.now,
        saga_id=letter.saga_id,
    )
    return Outgoing(CONTROL, str(letter.saga_id).encode(), encode(record), (*event.headers(), *_marks(letter, terms)))


_DIRECTIONS = frozenset(Direction)


def _marks(letter: Letter, terms: Terms) -> Headers:
    """What a replayed message says of itself; it comes back with the letter, should there be another."""
    group: Headers = ((GROUP_HEADER, terms.group.encode()),) if terms.group else ()
    return (
        *group,
        (LETTER_HEADER, str(letter.identity).encode()),
        (COUNT_HEADER, str(letter.generation + 1).encode()),
        ("saga-replay-actor", terms.by.actor.encode()),
        ("saga-replay-reason", terms.by.reason.encode()),
    )


def _link(original: str | None) -> Headers:
    return (("saga-replay-of", original.encode()),) if original else ()


def _text(headers: Headers, name: str) -> str | None:
    found = next((value for header, value in headers if header == name), None)
    return found.decode(errors="replace") if found else None


def _with(headers: Headers, changes: Mapping[str, str]) -> Headers:
    """The headers with some replaced, wherever they stand, and with those that were not there at the end."""
    kept = tuple(pair for pair in headers if pair[0] not in changes)
    return (*kept, *((name, text.encode()) for name, text in changes.items()))
