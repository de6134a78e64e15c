"""The client for operators: a decision goes to `saga.control`, and the engine's answer is its journal entry.

"Queued" never reads as "done": whoever decides waits until the journal has it, and is shown what it did. Pressing twice
is one act: the id of a decision follows from what was decided and from the state that the person had seen.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self
from uuid import UUID

from orchestrator import telemetry
from orchestrator.bootstrap import make_codec
from orchestrator.core.decide import decide
from orchestrator.core.definition import Saga
from orchestrator.core.messages import Command, Control, ControlCommand
from orchestrator.core.state import SagaState, Status
from orchestrator.messaging import topics
from orchestrator.messaging.errors import BrokerUnavailable
from orchestrator.messaging.event import Event, cause_of
from orchestrator.messaging.kafka import in_thread, producer_config
from orchestrator.messaging.kafka_outbox import KafkaOutbox
from orchestrator.messaging.message import Outgoing
from orchestrator.settings import Settings
from schemas.models import ControlCommand as Wire
from schemas.models import SagaControl, SagaRerun

if TYPE_CHECKING:
    from orchestrator.store.queries import Queries, TimelineRow

__all__ = ["Answered", "Decision", "Operator", "Prediction", "predict"]

_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decides about one saga, and the revision of it that they saw."""

    saga_id: UUID
    control: Control
    seen: int

    @property
    def event_id(self) -> str:
        """The same for the same decision about the same state."""
        control = self.control
        output = control.output.model_dump_json() if control.output else ""
        request = (control.request.model_dump_json(),) if control.request else ()
        what = (
            control.command,
            control.step,
            control.direction,
            control.resolved,
            control.if_revision,
            output,
            *request,
        )
        return str(cause_of(str(self.saga_id), f"{self.seen}/{what}"))

    @property
    def source(self) -> str:
        """Who decides, as an event's source."""
        return f"operator/{self.control.actor}"

    @property
    def cause(self) -> tuple[UUID, UUID]:
        """Under what the journal will have it."""
        return self.saga_id, cause_of(self.source, self.event_id)


@dataclass(frozen=True, slots=True)
class Answered:
    """A decision and its journal entry; None where the engine has not dealt with it in time."""

    decision: Decision
    entry: TimelineRow | None

    @property
    def refused(self) -> str | None:
        """Why the decision did not apply, if it did not."""
        return self.entry.entry.get("refused") if self.entry else None


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a decision would do now: the status after it, the commands it would send, or why it would be refused."""

    status: Status
    commands: tuple[str, ...]
    refused: str | None


def predict(definition: Saga, state: SagaState, control: Control, now: datetime) -> Prediction:
    """Ask `decide` itself; nothing is changed."""
    transition = decide(definition, state, control, now)
    assert transition.entry is not None
    refused = transition.entry.facts.get("refused")
    commands = [f"{c.direction} {c.step}" for c in transition.outputs if isinstance(c, Command)]
    return Prediction(transition.state.status, tuple(commands), str(refused) if refused else None)


class Operator:
    """Sends decisions and waits for their entries."""

    def __init__(self, settings: Settings, queries: Queries) -> None:
        self._codec = make_codec(settings)
        self._outbox = KafkaOutbox(producer_config(settings.kafka_settings()), run=in_thread())
        self._queries = queries

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._outbox.close()

    async def decide(self, decisions: Sequence[Decision], timeout: float) -> list[Answered]:
        """Send decisions and wait at most `timeout` seconds for their entries.

        Raises:
            BrokerUnavailable: they may not have arrived; decide again, which is the same act.
            StoreError: they have arrived; the answers cannot be read.

        """
        receipt = await self._outbox.send([self._message(decision) for decision in decisions])
        if receipt.refused:
            raise BrokerUnavailable(f"{topics.CONTROL}: {receipt.refused[0].code}")
        waiting = {decision.cause: decision for decision in decisions}
        deadline = time.monotonic() + timeout
        entries = await asyncio.to_thread(self._queries.answers, waiting)
        while len(entries) < len(waiting) and time.monotonic() < deadline:
            await asyncio.sleep(_LOOK_SECONDS)
            entries = await asyncio.to_thread(self._queries.answers, waiting)
        return [Answered(decision, entries.get(cause)) for cause, decision in waiting.items()]

    def _message(self, decision: Decision) -> Outgoing:
        record = (
            _rerun(decision.control) if decision.control.command is ControlCommand.RERUN else _record(decision.control)
        )
        event = Event(
            id=decision.event_id,
            source=decision.source,
            type=record.contract.type,
            time=datetime.now(UTC),
            saga_id=decision.saga_id,
        )
        headers = telemetry.sending(topics.CONTROL, event).headers()
        return Outgoing(topics.CONTROL, str(decision.saga_id).encode(), self._codec.encode(record), headers)


def _record(control: Control) -> SagaControl:
    return SagaControl(
        command=Wire(control.command.value),
        step=control.step,
        direction=control.direction.value if control.direction else None,
        actor=control.actor,
        reason=control.reason,
        if_revision=control.if_revision,
        resolved=control.resolved,
        output_name=control.output.contract.name if control.output else None,
        output_json=control.output.model_dump_json() if control.output else None,
    )


def _rerun(control: Control) -> SagaRerun:
    """A record of its own: a coordinator that does not know it yet sets it aside, and takes it for nothing else."""
    assert control.step is not None
    return SagaRerun(
        step=control.step,
        actor=control.actor,
        reason=control.reason,
        if_revision=control.if_revision,
        resolved=control.resolved,
        request_name=control.request.contract.name if control.request else None,
        request_json=control.request.model_dump_json() if control.request else None,
    )
