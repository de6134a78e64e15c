"""A command as a consumer reads it, and the replies it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from consumers.audit.entry import AuditRow, Exchange
from consumers.effects import Identity
from consumers.system import Action, System
from orchestrator import telemetry
from orchestrator.core.effects import Ask
from orchestrator.core.messages import GONE, Direction, Failure, Outcome, Succeeded
from orchestrator.core.mode import LIVE, Mode, careful
from orchestrator.messaging import topics
from orchestrator.messaging.errors import BadMessage
from orchestrator.messaging.event import Event, cause_of, read_event
from orchestrator.messaging.message import Incoming, Outgoing, TopicPartition, pack, unpack
from orchestrator.messaging.reader import decode
from orchestrator.messaging.writer import effect_key
from orchestrator.redaction import redacted_text
from schemas.codec import Codec
from schemas.models import CircuitState, FailureOutcome, Record, StepFailed, SystemState

__all__ = ["ReceivedCommand", "Replies", "audit_rows", "read_command"]

_LONGEST_TEXT = 2000
_DIRECTIONS = frozenset(Direction)


@dataclass(frozen=True, slots=True)
class ReceivedCommand:
    """One command, ready to be judged. `shadow`: its effect is one, so `action` only records."""

    incoming: Incoming
    event: Event
    saga_id: UUID
    identity: Identity
    ask: Ask
    record: Record
    action: Action
    key: str
    shadow: bool = False

    @property
    def lane(self) -> tuple[UUID, str]:
        """What keeps its order: the step of the saga, both directions."""
        return self.saga_id, self.identity.step


def read_command(
    codec: Codec, system: System, message: Incoming, watermarks: Mapping[TopicPartition, int]
) -> ReceivedCommand:
    """Read one message of the system's command topic.

    Raises:
        BadMessage: it can never be read, or asks for what the system does not do.
        RegistryUnavailable: try again.

    """
    event = read_event(message.headers)
    record = decode(codec, message.value)
    if event.saga_id is None or event.step is None or event.round is None or event.attempt is None:
        raise BadMessage("missing-header", "a command names its saga, step, round and attempt")
    if event.direction not in _DIRECTIONS:
        raise BadMessage("bad-header", f"ce_direction is {event.direction!r}")
    action = system.actions.get(record.contract.name)
    if action is None:
        raise BadMessage("unknown-action", f"system {system.name!r} has no handler for {record.contract.name}")
    direction = Direction(event.direction)
    key = event.idempotency_key
    if key is None:
        if event.mode is None and not event.shadow:
            raise BadMessage("missing-header", "no ce_idempotencykey")
        key = effect_key(event.saga_id, event.step, direction.value, event.round)
    ask = Ask(
        direction=direction,
        attempt=event.attempt,
        effect=action.effect,
        by_operator=event.by_operator,
        resolved=event.resolved,
        seen_before=message.offset < watermarks.get(message.place, 0),
        shadow=_shadow(system, action, event, direction),
    )
    identity = Identity(event.saga_id, event.step, direction, event.round)
    return ReceivedCommand(message, event, event.saga_id, identity, ask, record, action, key)


def _shadow(system: System, action: Action, event: Event, direction: Direction) -> bool | None:
    """See `Ask.shadow`."""
    if event.shadow:
        return True
    mode = action.mode if direction is Direction.DO else system.mode
    if event.mode is not None:
        try:
            mode = careful([mode, Mode.of(event.mode)])
        except ValueError as exc:
            raise BadMessage("bad-header", f"ce_mode: {exc}") from exc
    assert event.saga_id is not None
    if mode is LIVE or action.reads or not mode.shadows(event.saga_id):
        return False
    return True if direction is Direction.DO else None


class Replies:
    """Makes the completions of one system."""

    def __init__(self, codec: Codec, system: str) -> None:
        self._codec = codec
        self._system = system
        self._topic = topics.completions(system)

    def reply(self, command: ReceivedCommand, result: Succeeded | Failure, now: datetime) -> Outgoing:
        """The completion that says `result`, to be sent.

        Raises:
            schemas.errors.InvalidRecord: the handler's output does not fit its contract.

        """
        record, event = self._content(command, result, now)
        return self._message(command, record, telemetry.sending(self._topic, event))

    def unclaimed(self, command: ReceivedCommand, result: Succeeded | Failure, owner: UUID, now: datetime) -> Outgoing:
        """The same from a worker whose claim was lost meanwhile: a message of its own for each `owner`."""
        record, event = self._content(command, result, now)
        event = replace(event, id=str(cause_of(event.id, str(owner))), unclaimed=True)
        return self._message(command, record, telemetry.sending(self._topic, event))

    def kept(self, command: ReceivedCommand, result: Succeeded | Failure, now: datetime) -> bytes:
        """The same as the effect table keeps it; `again` makes of it what is sent."""
        return packed(self._message(command, *self._content(command, result, now)))

    def state(
        self,
        event_id: str,
        *,
        reason: str,
        since: datetime,
        worker: str,
        limit: float | None,
        rate: float | None,
        now: datetime,
    ) -> Outgoing:
        """What this worker says of its system on `saga.systems`; `reason` is why its steps need more time, or empty."""
        record = SystemState(
            system=self._system,
            state=CircuitState.open if reason else CircuitState.closed,
            since_ms=int(since.timestamp() * 1000),
            worker=worker,
            reason=reason,
            limit=limit,
            rate=rate,
        )
        event = Event(event_id, f"saga-consumer/{self._system}", record.contract.type, now)
        return Outgoing(topics.SYSTEMS, self._system.encode(), self._codec.encode(record), event.headers())

    def _content(self, command: ReceivedCommand, result: Succeeded | Failure, now: datetime) -> tuple[Record, Event]:
        record = result.output if isinstance(result, Succeeded) else _failed(result)
        outcome = "succeeded" if isinstance(result, Succeeded) else result.outcome.value
        return record, self._event(command, outcome, record.contract.type, now)

    def _message(self, command: ReceivedCommand, record: Record, event: Event) -> Outgoing:
        return Outgoing(self._topic, str(command.saga_id).encode(), self._codec.encode(record), event.headers())

    def again(self, command: ReceivedCommand, stored: bytes, now: datetime) -> Outgoing:
        """A stored reply for another delivery of its command: it carries the attempt that is asked for now."""
        (message,) = unpack(stored)
        before = read_event(message.headers)
        outcome = "succeeded"
        record = self._codec.decode(message.value or b"")
        if isinstance(record, StepFailed):
            outcome = record.outcome.value
        event = replace(self._event(command, outcome, before.type, now), shadow=before.shadow)
        return replace(message, headers=telemetry.sending(self._topic, event).headers())

    def _event(self, command: ReceivedCommand, outcome: str, kind: str, now: datetime) -> Event:
        asked = command.event
        source = f"saga-consumer/{self._system}"
        return Event(
            # From the command's id and the outcome: the same reply, however often it is sent, is one message.
            id=str(cause_of(asked.source, f"{asked.id}/{outcome}")),
            source=source,
            type=kind,
            time=now,
            saga_id=command.saga_id,
            step=asked.step,
            direction=asked.direction,
            round=asked.round,
            attempt=asked.attempt,
            causation_id=asked.id,
            idempotency_key=command.key,
            agent=asked.agent,
            traceparent=asked.traceparent,
            shadow=command.shadow,
        )


def audit_rows(system: str, command: ReceivedCommand, sends: Sequence[tuple[datetime, Exchange]]) -> list[AuditRow]:
    """What was sent for a command, as the audit keeps it; its numbers are given where it is written."""
    identity = command.identity
    action = command.action.contract.action or command.action.contract.name
    return [
        AuditRow(
            system, 0, at, command.event.agent or "", command.saga_id, identity.step, identity.direction.value,
            command.ask.attempt, action, place, exchange,
        )
        for place, (at, exchange) in enumerate(sends, start=1)
    ]  # fmt: skip


def packed(message: Outgoing) -> bytes:
    """A reply as the effect table keeps it."""
    return pack([message])


def _failed(failure: Failure) -> StepFailed:
    wait = None if failure.retry_after is None else int(min(max(failure.retry_after, 0.0), 86_400.0) * 1000)
    return StepFailed(
        outcome=FailureOutcome(failure.outcome.value),
        code=_text(failure.code),
        message=_text(failure.message),
        retry_after_ms=wait,
    )


def _text(text: str) -> str:
    """Whatever a system said, as text that can be sent: JSON may hold half a surrogate pair."""
    return redacted_text(text[:_LONGEST_TEXT]).encode(errors="replace").decode()


UNDONE = Failure(Outcome.REJECTED, "UNDONE", "this step's undo has begun; it is not done any more")
SHADOW_GONE = Failure(Outcome.REJECTED, GONE)
RECORD_LOST = Failure(
    Outcome.UNKNOWN, "RECORD_LOST", "it is to be shadowed, and what says whether it was done for real before is lost"
)
NOBODY_KNOWS = Failure(
    Outcome.UNKNOWN, "OUTCOME_UNKNOWN", "a worker died in mid-call, and the system cannot be asked what became of it"
)
