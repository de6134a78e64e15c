"""From the core's outputs to bytes. Ids follow from the cause, so that the same input gives the same messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec

from orchestrator import telemetry
from orchestrator.core.messages import Command, Ended
from orchestrator.core.state import SagaState
from orchestrator.messaging import topics
from orchestrator.messaging.event import Event, cause_of
from orchestrator.messaging.message import Outgoing
from schemas.codec import Codec
from schemas.models import ControlCommand, EndStatus, Record, SagaControl, SagaEnded

__all__ = ["SOURCE", "Context", "TooLarge", "Writer", "effect_key"]

SOURCE = "saga-coordinator"


class TooLarge(ValueError):
    """A message is larger than Kafka would take."""


@dataclass(frozen=True, slots=True)
class Context:
    """Where outputs come from: the saga, the message that caused them, and when."""

    saga_id: UUID
    cause: UUID
    now: datetime
    traceparent: str | None = None
    # Both ids as text, which each output needs several times.
    saga: str = field(init=False)
    cause_id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "saga", str(self.saga_id))
        object.__setattr__(self, "cause_id", str(self.cause))


def effect_key(saga_id: UUID | str, step: str, direction: str, round_: int) -> str:
    """The idempotency key of an effect: the same for all its attempts (design §4)."""
    return f"{saga_id}:{step}:{direction}:{round_}"


class Writer:
    """Makes the coordinator's messages."""

    def __init__(self, codec: Codec, max_bytes: int) -> None:
        self._codec = codec
        self._max_bytes = max_bytes

    def command(self, context: Context, state: SagaState, command: Command) -> Outgoing:
        """A command.

        Raises:
            TooLarge: it is larger than the limit.
            schemas.errors.InvalidRecord: it does not fit its own schema.

        """
        contract = command.record.contract
        assert contract.system is not None
        # A worker that knows nothing of shadows would act. Without a key it refuses; one that knows makes its own.
        keyless = command.shadow or command.mode
        key = effect_key(context.saga, command.step, command.direction.value, command.round)
        event = Event(
            id=_id(context, f"{command.step}/{command.direction}/{command.round}/{command.attempt}"),
            source=SOURCE,
            type=contract.type,
            time=context.now,
            saga_id=context.saga_id,
            step=command.step,
            direction=command.direction.value,
            round=command.round,
            attempt=command.attempt,
            deadline=command.deadline,
            causation_id=context.cause_id,
            idempotency_key=None if keyless else key,
            agent=state.agent or None,
            by_operator=command.by_operator,
            resolved=command.resolved,
            traceparent=context.traceparent,
            mode=command.mode or None,
            shadow=command.shadow,
        )
        return self._message(topics.commands(contract.system), context.saga_id, event, command.record)

    def ended(self, context: Context, state: SagaState, ended: Ended) -> Outgoing:
        """The outcome of a saga.

        Outputs of a saga too large for one message are left out: the saga's own record has them.
        """
        record = SagaEnded(
            definition=state.definition,
            version=state.version,
            status=EndStatus(ended.status),
            business_key=state.business_key,
            step=ended.step,
            code=ended.code,
            message=ended.message,
            residue=list(ended.residue),
            # As they are stored: an old output need not fit today's model for its saga to end.
            outputs={name: msgspec.json.encode(payload.json).decode() for name, payload in ended.outputs.items()},
        )
        sequence, shadow = f"{state.revision:010d}", state.shadow
        event = self._event(context, record, f"ended/{ended.status}", sequence=sequence, shadow=shadow)
        try:
            return self._message(topics.OUTCOMES, context.saga_id, event, record)
        except TooLarge:
            return self._message(topics.OUTCOMES, context.saga_id, event, record.model_copy(update={"outputs": {}}))

    def park(self, context: Context, reason: str, step: str | None, direction: str | None) -> Outgoing:
        """The engine's own control message: an output was refused for good."""
        record = SagaControl(command=ControlCommand.park, step=step, direction=direction, reason=reason)
        return self._message(
            topics.CONTROL, context.saga_id, self._event(context, record, f"park/{step}/{direction}"), record
        )

    def wake(self, saga_id: UUID, event_id: str, now: datetime) -> Outgoing:
        """A timer fired. Its id is fresh each time: one derived from the deadline can hang a saga (design §5)."""
        record = SagaControl(command=ControlCommand.wake)
        event = Event(event_id, "saga-timer", record.contract.type, now, saga_id=saga_id)
        return self._message(topics.CONTROL, saga_id, event, record)

    def _event(
        self, context: Context, record: Record, what: str, *, sequence: str | None = None, shadow: bool = False
    ) -> Event:
        return Event(
            id=_id(context, what),
            source=SOURCE,
            type=record.contract.type,
            time=context.now,
            saga_id=context.saga_id,
            causation_id=context.cause_id,
            traceparent=context.traceparent,
            sequence=sequence,
            shadow=shadow,
        )

    def _message(self, topic: str, saga_id: UUID, event: Event, record: Record) -> Outgoing:
        headers = telemetry.sending(topic, event).headers()
        message = Outgoing(topic, str(saga_id).encode(), self._codec.encode(record), headers)
        if message.is_over(self._max_bytes):
            msg = f"{record.contract.name} of {message.size} bytes is over the limit of {self._max_bytes}"
            raise TooLarge(msg)
        return message


def _id(context: Context, what: str) -> str:
    return str(cause_of(context.saga, f"{context.cause_id}/{what}"))
