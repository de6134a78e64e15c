"""From bytes to the core's messages. What cannot be read raises `BadMessage` with a stable reason."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from msgspec import Struct
from pydantic import ValidationError

from orchestrator.core.messages import (
    Answer,
    Control,
    ControlCommand,
    Direction,
    Failure,
    Message,
    Outcome,
    Requested,
    Succeeded,
    Wake,
)
from orchestrator.messaging import topics
from orchestrator.messaging.errors import BadMessage
from orchestrator.messaging.event import Event, read_event
from orchestrator.messaging.message import Headers, Incoming
from orchestrator.messaging.topics import CONTROL
from schemas.codec import Codec
from schemas.errors import InvalidRecord, SchemaError, Undecodable, UnknownRecord, UnknownSchemaId
from schemas.models import BY_NAME, Record, Request, SagaControl, SagaRerun, StepFailed

__all__ = ["GROUP_HEADER", "HELD_HEADER", "Parsed", "Reader", "decode", "meant_for"]

HELD_HEADER = "saga-held"
GROUP_HEADER = "saga-replay-group"

_REASONS: Mapping[type[SchemaError], str] = {
    Undecodable: "undecodable",
    UnknownSchemaId: "unknown-schema",
    UnknownRecord: "unknown-record",
    InvalidRecord: "invalid",
}


class Parsed(Struct, frozen=True):
    """A message that could be read. `saga_id` is None for a foreign producer's request."""

    incoming: Incoming
    event: Event
    saga_id: UUID | None
    cause: UUID
    message: Message
    definition: str | None = None
    held: bool = False


def meant_for(headers: Headers, group: str) -> bool:
    """Whether a message is for this consumer group: a replay may name the one that it is for."""
    named = [value for name, value in headers if name == GROUP_HEADER]
    return not named or group.encode() in named


def decode(codec: Codec, value: bytes | None) -> Record:
    """The record in a value.

    Raises:
        BadMessage: with the reason why it can never be decoded.
        RegistryUnavailable: the schema registry is away; try again.

    """
    if value is None:
        raise BadMessage("undecodable", "no value")
    try:
        return codec.decode(value)
    except tuple(_REASONS) as exc:
        reason = next(reason for kind, reason in _REASONS.items() if isinstance(exc, kind))
        raise BadMessage(reason, str(exc)) from exc


class Reader:
    """Reads the coordinator's input topics."""

    def __init__(self, codec: Codec, definitions: Mapping[str, type[Record]]) -> None:
        self._codec = codec
        self._requests = {topics.requests(name): (name, record) for name, record in definitions.items()}

    def read(self, incoming: Incoming) -> Parsed:
        """Read one message.

        Raises:
            BadMessage: it can never be read.
            RegistryUnavailable: the schema registry is away; try again.

        """
        event = read_event(incoming.headers)
        record = decode(self._codec, incoming.value)
        held = any(name == HELD_HEADER for name, _ in incoming.headers)
        definition = None
        message: Message
        if incoming.topic in self._requests:
            definition, expected = self._requests[incoming.topic]
            message = _requested(event, record, expected)
        else:
            if event.saga_id is None:
                raise BadMessage("missing-header", "no ce_sagaid")
            message = _control(record) if incoming.topic == CONTROL else _answer(event, record)
        return Parsed(incoming, event, event.saga_id, event.cause, message, definition, held)


def _requested(event: Event, record: Record, expected: type[Record]) -> Requested:
    if type(record) is not expected or not isinstance(record, Request):
        raise BadMessage("unexpected-record", f"{record.contract.name} is not {expected.contract.name}")
    return Requested(record, event.agent or event.source)


def _answer(event: Event, record: Record) -> Answer:
    absent = [
        name
        for name, value in (
            ("ce_step", event.step),
            ("ce_direction", event.direction),
            ("ce_round", event.round),
            ("ce_attempt", event.attempt),
        )
        if value is None
    ]
    if absent or event.step is None or event.round is None or event.attempt is None:
        raise BadMessage("missing-header", f"no {', '.join(absent)}")
    if event.direction not in _DIRECTIONS:
        raise BadMessage("bad-header", f"ce_direction is {event.direction!r}")
    result: Succeeded | Failure
    if isinstance(record, StepFailed):
        wait = None if record.retry_after_ms is None else record.retry_after_ms / 1000
        result = Failure(Outcome(record.outcome.value), record.code, record.message, wait)
    elif record.contract.kind == "completion":
        result = Succeeded(record)
    else:
        raise BadMessage("unexpected-record", f"{record.contract.name} is not a completion")
    direction = Direction(event.direction)
    return Answer(event.step, direction, event.round, event.attempt, result, event.unclaimed, event.shadow)


_DIRECTIONS = frozenset(Direction)


def _control(record: Record) -> Control | Wake:
    if isinstance(record, SagaRerun):
        return _rerun(record)
    if not isinstance(record, SagaControl):
        raise BadMessage("unexpected-record", f"{record.contract.name} is not a control message")
    if record.command.value == "wake":
        return Wake()
    if record.direction is not None and record.direction not in _DIRECTIONS:
        raise BadMessage("invalid", f"direction is {record.direction!r}")
    if record.resolved not in (None, "done", "not-done"):
        # It goes into a header of the command, where a consumer would refuse all that it does not know.
        raise BadMessage("invalid", f"resolved is {record.resolved[:20]!r}, not 'done' or 'not-done'")
    return Control(
        command=ControlCommand(record.command.value),
        actor=record.actor,
        reason=record.reason,
        step=record.step,
        direction=Direction(record.direction) if record.direction else None,
        if_revision=record.if_revision,
        resolved=record.resolved,
        output=_typed(record.output_name, record.output_json),
    )


def _rerun(record: SagaRerun) -> Control:
    if record.resolved not in (None, "not-done"):
        raise BadMessage("invalid", f"resolved is {record.resolved[:20]!r}, not 'not-done'")
    return Control(
        command=ControlCommand.RERUN,
        actor=record.actor,
        reason=record.reason,
        step=record.step,
        if_revision=record.if_revision,
        resolved=record.resolved,
        request=_typed(record.request_name, record.request_json),
    )


def _typed(name: str | None, text: str | None) -> Record | None:
    """A record that a person typed, as JSON beside its name."""
    if name is None or text is None:
        return None
    model = BY_NAME.get(name)
    if model is None:
        raise BadMessage("invalid", f"no record {name!r}")
    try:
        return model.model_validate_json(text)
    except ValidationError as exc:
        raise BadMessage("invalid", f"{name}: {exc}") from exc
