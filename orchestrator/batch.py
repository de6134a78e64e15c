"""One batch inside its transaction: duplicates found, each message decided, everything written at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from msgspec.structs import replace
from pydantic import ValidationError

from orchestrator import telemetry
from orchestrator.catalogue import Catalogue
from orchestrator.core.decide import Transition, decide
from orchestrator.core.definition import Saga
from orchestrator.core.messages import (
    Command,
    Control,
    ControlCommand,
    DeadRequest,
    Direction,
    Ended,
    Entry,
    Output,
    Parked,
    Requested,
    Wake,
)
from orchestrator.core.payload import Payload
from orchestrator.core.state import EffectStatus, SagaState
from orchestrator.messaging.dead_letter import Grave, bury
from orchestrator.messaging.errors import BadMessage
from orchestrator.messaging.event import read_event
from orchestrator.messaging.message import Incoming, Outgoing, TopicPartition
from orchestrator.messaging.ports import Ids, Systems
from orchestrator.messaging.reader import HELD_HEADER, Parsed
from orchestrator.messaging.topics import CONTROL
from orchestrator.messaging.writer import Context, TooLarge, Writer
from orchestrator.store.partitions import time_of
from orchestrator.store.ports import Change, Held, JournalRow, StoreTransaction
from schemas.errors import InvalidRecord, UnknownRecord, UnknownSchemaId
from schemas.models import Record

__all__ = ["Batch"]

log = structlog.get_logger(__name__)

_CLOCK_LEAD = timedelta(days=1)
# The last two: nobody has registered its schema.
_UNSENDABLE = (TooLarge, InvalidRecord, UnknownRecord, UnknownSchemaId)


@dataclass(slots=True)
class _Work:
    """What the batch has come to so far."""

    now: datetime
    before: dict[UUID, int | None] = field(default_factory=dict)
    states: dict[UUID, SagaState] = field(default_factory=dict)
    rows: list[JournalRow] = field(default_factory=list)
    outgoing: list[Outgoing] = field(default_factory=list)
    seen: set[tuple[UUID, UUID]] = field(default_factory=set)
    released: set[tuple[UUID, UUID]] = field(default_factory=set)


class Batch:
    """Lives as long as one transaction."""

    def __init__(
        self,
        transaction: StoreTransaction,
        catalogue: Catalogue,
        writer: Writer,
        ids: Ids,
        *,
        group: str,
        hold: float,
        control_hold: float,
        startable: Mapping[str, int],
        heard_until: Callable[[int], datetime | None],
        systems: Systems,
    ) -> None:
        self._systems = systems
        self._heard_until = heard_until
        self._transaction = transaction
        self._catalogue = catalogue
        self._writer = writer
        self._ids = ids
        self._group = group
        self._hold = hold
        self._control_hold = control_hold
        self._startable = startable

    async def apply(
        self,
        messages: Sequence[Parsed],
        dead: Sequence[tuple[Incoming, BadMessage]],
        offsets: Mapping[TopicPartition, int],
    ) -> list[Outgoing]:
        """Decide every message in order and write the result; returns what has to be sent after the commit."""
        messages = [await self._adopted(message) for message in messages]
        # Silence is judged last: the completion that a wake misses may lie behind it in this very batch.
        messages.sort(key=lambda message: isinstance(message.message, Wake))
        causes = {(m.saga_id, m.cause) for m in messages if m.saga_id is not None}
        locked = await self._transaction.lock({saga_id for saga_id, _ in causes})
        known = await self._transaction.applied(causes)
        work = _Work(locked.now, {i: s.revision for i, s in locked.sagas.items()}, dict(locked.sagas))
        for incoming, reason in dead:
            work.outgoing.append(self._bury(work, incoming, reason))
            work.released |= _held_cause(incoming)
        for message in messages:
            try:
                await self._one(work, message, known)
            except BadMessage as exc:
                work.outgoing.append(self._bury(work, message.incoming, exc, message.saga_id))
        await self._transaction.release(work.released)
        await self._transaction.write(_change(work, locked.sagas, offsets))
        return work.outgoing

    async def _adopted(self, message: Parsed) -> Parsed:
        """Give a foreign producer's request its saga id: a new one on first sight, the same ever after."""
        if message.saga_id is not None:
            return message
        event = message.event
        return replace(message, saga_id=await self._transaction.adopt(event.source, event.id, self._ids.saga_id()))

    async def _one(self, work: _Work, message: Parsed, known: Mapping[tuple[UUID, UUID], Sequence[Outgoing]]) -> None:
        saga_id = message.saga_id
        assert saga_id is not None
        cause = (saga_id, message.cause)
        state = work.states.get(saga_id)
        if message.held:
            work.released.add(cause)
        if isinstance(message.message, Requested):
            _check_request(saga_id, message.message, state, work.now)
        if cause in work.seen:
            return
        if cause in known:
            work.outgoing.extend(_still_wanted(known[cause], state))
            return
        if state is None and not isinstance(message.message, Requested):
            await self._without_saga(work, message)
            return
        definition = self._definition(message, state)
        if definition is None:
            if isinstance(message.message, Wake):
                return  # the timer fires again by itself, for as long as the saga waits
            await self._keep(work, message, self._hold, "unknown-version")
            return
        work.seen.add(cause)
        if not telemetry.enabled():
            await self._decide(work, message, definition, state)
            return
        event = message.event if message.event.saga_id is not None else replace(message.event, saga_id=saga_id)
        blueprint = f"{definition.name} v{definition.version}"
        with telemetry.processing(message.incoming, event, self._group, definition=blueprint) as span:
            await self._decide(work, message, definition, state)
            if span is not None:
                span.set_attribute("saga.status", work.states[saga_id].status.value)

    def _definition(self, message: Parsed, state: SagaState | None) -> Saga | None:
        if state is not None:
            return self._catalogue.get(state.definition, state.version)
        assert message.definition is not None
        return self._catalogue.get(message.definition, self._startable[message.definition])

    async def _without_saga(self, work: _Work, message: Parsed) -> None:
        if isinstance(message.message, Control):
            # A decision may overtake its request, which comes by another topic.
            await self._keep(work, message, self._control_hold, "unknown-saga")
        elif isinstance(message.message, Wake):
            log.info("coordinator.wake_without_saga", saga_id=str(message.saga_id))
        else:
            raise BadMessage("unknown-saga", f"there is no saga {message.saga_id}")

    async def _keep(self, work: _Work, message: Parsed, seconds: float, reason: str) -> None:
        assert message.saga_id is not None
        cause = (message.saga_id, message.cause)
        again = message.incoming.again()
        if not message.held:
            again = replace(again, headers=(*again.headers, (HELD_HEADER, b"1")))
        work.released.discard(cause)
        if not await self._transaction.hold(Held(*cause, again), seconds):
            work.released.add(cause)
            raise BadMessage(reason, f"held for {seconds:g} s, and still so")

    # -- deciding --------------------------------------------------------------------------------------------------

    async def _decide(self, work: _Work, message: Parsed, definition: Saga, state: SagaState | None) -> None:
        saga_id = message.saga_id
        assert saga_id is not None
        what = message.message
        if isinstance(what, Wake):
            what = Wake(self._heard_until(message.incoming.partition), await self._systems.away())
        try:
            transition = decide(definition, state, what, work.now, str(saga_id))
        except Exception as exc:
            # A fault in the definition or in `decide`: that saga is parked, the batch goes on.
            log.exception("coordinator.decide_failed", saga_id=str(saga_id), definition=definition.name)
            if state is None:
                raise BadMessage("definition-failed", f"{type(exc).__name__}: {exc}") from exc
            control = Control(ControlCommand.PARK, reason=f"decide failed: {type(exc).__name__}: {exc}")
            transition = decide(definition, state, control, work.now, str(saga_id))
        outputs: list[Outgoing] = []
        transition = await self._write_outputs(work, message, definition, transition, outputs)
        work.states[saga_id] = transition.state
        work.before.setdefault(saga_id, None)
        if transition.entry is not None:
            work.rows.append(
                JournalRow(
                    saga_id, message.cause, transition.state.revision, transition.entry, message.incoming, outputs
                )
            )
        work.outgoing.extend(outputs)

    async def _write_outputs(
        self, work: _Work, message: Parsed, definition: Saga, transition: Transition, written: list[Outgoing]
    ) -> Transition:
        """Serialise what the transition sends. What cannot be sent parks the saga before the commit."""
        saga_id = message.saga_id
        assert saga_id is not None
        context = Context(saga_id, message.cause, work.now, message.event.traceparent)
        for output in transition.outputs:
            try:
                written.append(await self._message(work, message, context, transition.state, output, written))
            except _UNSENDABLE as exc:
                step = output.step if isinstance(output, Command) else None
                direction = output.direction if isinstance(output, Command) else None
                control = Control(ControlCommand.PARK, reason=str(exc), step=step, direction=direction)
                parked = decide(definition, transition.state, control, work.now, str(saga_id))
                transition = _merged(transition, parked)
                for extra in parked.outputs:
                    written.append(await self._message(work, message, context, transition.state, extra, written))
        return transition

    async def _message(
        self,
        work: _Work,
        message: Parsed,
        context: Context,
        state: SagaState,
        output: Output,
        written: Sequence[Outgoing],
    ) -> Outgoing:
        match output:
            case Command():
                return self._writer.command(context, state, output)
            case Ended():
                return self._writer.ended(context, state, output)
            case Parked(step=step, code=code, message=text):
                letter = await self._command_of(work, context.saga_id, output, written)
                grave = self._grave(work, code, text, context.saga_id, step, state)
                return bury(letter or replace(message.incoming.again(), topic=CONTROL), grave)
            case DeadRequest(step=step, code=code, message=text):
                letter = await self._request_of(work, context.saga_id)
                grave = self._grave(work, code, text, context.saga_id, step, state)
                return bury(letter or message.incoming, grave)

    def _grave(self, work: _Work, code: str, text: str, saga_id: UUID, step: str | None, state: SagaState) -> Grave:
        steps = state.steps.get(step) if step else None
        effect = (steps.undo or steps.do) if steps else None
        attempts = effect.attempt if effect else 1
        return Grave(code, text, "saga", self._group, work.now, attempts, saga_id, step, state.revision)

    async def _command_of(
        self, work: _Work, saga_id: UUID, parked: Parked, written: Sequence[Outgoing]
    ) -> Outgoing | None:
        """The last command of the parked effect, as it was sent; None where no system is involved."""
        if parked.step is None or parked.direction is None:
            return None
        earlier = [output for row in work.rows if row.saga_id == saga_id for output in row.outputs]
        for batch in (written, earlier, await self._transaction.outputs_of(saga_id)):
            for message in reversed(batch):
                if message.topic.endswith(".commands") and _is_of(message, parked.step, parked.direction):
                    return message
        return None

    async def _request_of(self, work: _Work, saga_id: UUID) -> Outgoing | None:
        for row in work.rows:
            if row.saga_id == saga_id and row.revision == 1:
                return row.input.again()
        return await self._transaction.request_of(saga_id)

    def _bury(self, work: _Work, incoming: Incoming, reason: BadMessage, saga_id: UUID | None = None) -> Outgoing:
        place = f"{incoming.topic}/{incoming.partition}@{incoming.offset}"
        log.warning("coordinator.dead_letter", place=place, reason=reason.reason, error=reason.message)
        state = work.states.get(saga_id) if saga_id else None
        version = state.revision if state else None
        stage = "apply" if saga_id else "read"
        grave = Grave(reason.reason, reason.message, stage, self._group, work.now, saga_id=saga_id, version=version)
        # As it was sent, without the mark of our own that it has been held.
        headers = tuple(header for header in incoming.headers if header[0] != HELD_HEADER)
        return bury(replace(incoming, headers=headers), grave)


def _held_cause(incoming: Incoming) -> set[tuple[UUID, UUID]]:
    """What a held message that is given up was held as: it would else come again for ever."""
    if not any(name == HELD_HEADER for name, _ in incoming.headers):
        return set()
    try:
        event = read_event(incoming.headers)
    except BadMessage:
        return set()  # we hold only what we could read
    return {(event.saga_id, event.cause)} if event.saga_id else set()


def _check_request(saga_id: UUID, message: Requested, state: SagaState | None, now: datetime) -> None:
    made = time_of(saga_id)
    if made is None:
        raise BadMessage("bad-saga-id", f"{saga_id} is not a UUIDv7")
    if made > now + _CLOCK_LEAD:
        raise BadMessage("saga-id-out-of-range", f"{saga_id} was made at {made.isoformat()}, in the future")
    if made < now - _OLDEST and state is None:
        raise BadMessage("saga-id-out-of-range", f"{saga_id} was made at {made.isoformat()}, too long ago")
    if state is not None and not _is_same(state.request, message.request):
        raise BadMessage("id-reused", f"saga {saga_id} was requested before, with other content")


def _is_same(stored: Payload, request: Record) -> bool:
    """Whether it is the request that the saga began with, also where its schema has grown since it was stored."""
    if stored == Payload.of(request):
        return True
    if stored.name != request.contract.name:
        return False
    try:
        return Payload.of(stored.record) == Payload.of(request)
    except ValidationError:
        return False


# `partitions.months` makes the partition of the month before: at least 28 days back.
_OLDEST = timedelta(days=28)


def _still_wanted(outputs: Sequence[Outgoing], state: SagaState | None) -> list[Outgoing]:
    """Of a duplicate's outputs: commands still awaited, and what nobody answers."""
    return [output for output in outputs if not output.topic.endswith(".commands") or _awaited(output, state)]


def _awaited(command: Outgoing, state: SagaState | None) -> bool:
    if state is None:
        # Another replica began it after our lock had found nothing: whether its command went out nobody knows here.
        return True
    event = read_event(command.headers)
    step = state.steps.get(event.step) if event.step else None
    if step is None or event.direction is None or step.round != event.round:
        return False
    effect = step.effect(Direction(event.direction))
    return effect is not None and effect.status is EffectStatus.IN_FLIGHT and effect.attempt == event.attempt


def _is_of(message: Outgoing, step: str, direction: Direction) -> bool:
    event = read_event(message.headers)
    return event.step == step and event.direction == direction


def _merged(first: Transition, second: Transition) -> Transition:
    """Two transitions of one message are one entry, and one revision."""
    assert first.entry is not None
    assert second.entry is not None
    notes = (*first.entry.notes, *second.entry.notes, "an output could not be sent")
    facts = {**first.entry.facts, "status": second.state.status.value}
    state = replace(second.state, revision=first.state.revision)
    return Transition(state, Entry(first.entry.kind, facts, notes), first.outputs)


def _change(work: _Work, locked: Mapping[UUID, SagaState], offsets: Mapping[TopicPartition, int]) -> Change:
    sagas = [
        (saga_id, work.before.get(saga_id), state)
        for saga_id, state in work.states.items()
        if state is not locked.get(saga_id)
    ]
    return Change(sagas, work.rows, offsets)
