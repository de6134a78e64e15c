"""Operators who press everything at any moment, and say of an effect only what is true when they say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from orchestrator.core.messages import Direction
from orchestrator.core.sample import sample
from orchestrator.core.state import Park, SagaState
from orchestrator.messaging import topics
from orchestrator.messaging.event import Event
from orchestrator.messaging.message import Outgoing
from orchestrator.testing.checker import Act
from orchestrator.testing.simulation.definitions import request
from orchestrator.testing.simulation.plan import Fault
from schemas.models import ControlCommand, Record, SagaControl, SagaRerun

if TYPE_CHECKING:
    from orchestrator.testing.simulation.world import World

__all__ = ["Operator"]

_ANYTIME = ("cancel", "pause", "resume", "retry", "compensate", "rerun", "cancel-early")
_ATTENDED = 3


class Operator:
    """Everybody who may decide."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._attended = 0
        self.acts: list[Act] = []

    def press(self) -> None:
        """Some button, for some saga."""
        world = self._world
        sagas = list(world.store.tables.sagas)
        what = world.dice.choice(_ANYTIME)
        if what == "cancel-early":
            early = [a.event.saga_id for a in world.asked if a.event.saga_id is not None]
            if early:
                self._send(early[-1], SagaControl(command=ControlCommand.cancel, actor="ops", reason="sim"))
            return
        if not sagas:
            return
        saga_id = world.dice.choice(sagas)
        state = world.store.tables.sagas[saga_id].state()
        # Where something waits for a person, people look at that.
        record = self._decision(saga_id, state) if state.parks and world.dice.random() < 0.8 else None
        self._send(saga_id, record or self._button(what, state))

    def cancel(self, saga_id: UUID) -> None:
        """Somebody does not want that saga any more."""
        self._send(saga_id, SagaControl(command=ControlCommand.cancel, actor="ops", reason="sim"))

    def visit(self, saga: str) -> None:
        """Somebody looks after that saga, and decides where it waits for a person."""
        row = self._world.store.tables.sagas.get(UUID(saga))
        if row is None or Fault.OPERATOR not in self._world.active:
            return
        state = row.state()
        if state.parks and (record := self._decision(UUID(saga), state, hasty=True)) is not None:
            self._send(UUID(saga), record)

    def surely_not_done(self, saga_id: UUID, step: str, direction: Direction) -> bool:
        """Whether somebody who looks at the system now can say so of an effect that waits for a person."""
        row = self._world.store.tables.sagas.get(saga_id)
        state = None if row is None else row.state()
        park = next((p for p in state.parks if (p.step, p.direction) == (step, direction)), None) if state else None
        if state is None or park is None or not self._settled(saga_id, state, park, hasty=False):
            return False
        return not self._done(saga_id, state, step, direction)

    def _done(self, saga_id: UUID, state: SagaState, step: str, direction: Direction) -> bool:
        """What the system shows."""
        work = self._world.targets.ledger.of((str(saga_id), step, state.steps[step].round))
        return work.done > 0 if direction is Direction.DO else not work.there

    def _button(self, what: str, state: SagaState) -> Record:
        if what == "rerun":
            steps = [step.name for step in self._world.definitions[state.definition]]
            changed = request(99, unmappable=False) if self._world.dice.random() < 0.3 else None
            return SagaRerun(
                step=self._world.dice.choice(steps),
                actor="ops",
                reason="sim",
                request_name=changed.contract.name if changed else None,
                request_json=changed.model_dump_json() if changed else None,
            )
        return SagaControl(command=ControlCommand(what), actor="ops", reason="sim")

    def _decision(self, saga_id: UUID, state: SagaState, *, hasty: bool = False) -> Record | None:
        """What somebody who has looked at the system decides; None where nobody can tell yet."""
        world = self._world
        park = world.dice.choice(state.parks)
        if park.step is None or park.direction is None or not self._settled(saga_id, state, park, hasty=hasty):
            return SagaControl(command=ControlCommand.retry, actor="ops", reason="sim")
        done = self._done(saga_id, state, park.step, park.direction)
        details: dict[str, Any] = {"step": park.step, "direction": park.direction.value, "actor": "ops"}
        if done:
            if park.direction is Direction.DO:
                completion = world.definitions[state.definition].step(park.step).action.contract.completion
                assert completion is not None
                output = sample(completion, full=True)
                details |= {"output_name": output.contract.name, "output_json": output.model_dump_json()}
            return SagaControl(command=ControlCommand.resolve, resolved="done", reason="sim", **details)
        what = world.dice.choice(["retry", "retry", "resolve"] if hasty else ["retry", "resolve", "skip"])
        if what == "skip":
            return SagaControl(command=ControlCommand.skip, reason="sim", **details)
        return SagaControl(command=ControlCommand(what), resolved="not-done", reason="sim", **details)

    def _settled(self, saga_id: UUID, state: SagaState, park: Park, *, hasty: bool) -> bool:
        """Whether what the system shows is final: no call is under way, and no command lies unread."""
        assert park.step is not None
        assert park.direction is not None
        if park.step not in state.steps:
            return False
        step = self._world.definitions[state.definition].step(park.step)
        if step.contract.effect == "blind" and hasty:
            return True  # that some process is frozen right before its call, nobody can see
        asked = [action.contract.system for action in (step.action, step.undo and step.undo.action) if action]
        if not all(self._world.has_read(f"sim-{system}", [topics.commands(system or "")]) for system in asked):
            return False
        if step.contract.effect == "blind" and self._world.dice.random() < 0.5:
            return True
        identity = (str(saga_id), park.step, state.steps[park.step].round)
        frozen = any(node.process.frozen for node in self._world.nodes.values())
        return not frozen and all(self._world.targets.quiet(identity, way) for way in ("do", "undo"))

    def _send(self, saga_id: UUID, record: Record) -> None:
        world = self._world
        event = Event(str(world.ids.token()), "operator/ops", record.contract.type, world.true_time(), saga_id)
        world.injure(str(saga_id), "an operator")
        world.fired[Fault.OPERATOR] += 1
        message = Outgoing(topics.CONTROL, str(saga_id).encode(), world.codec.encode(record), event.headers())
        world.broker.append(message)
        self.acts.append(Act(str(saga_id), event.id, str(event.cause)))
        world.sent(message)
        if isinstance(record, SagaControl):
            world.kinds[f"control {record.command.value}"] += 1
            world.tell(str(saga_id), f"an operator says {record.command.value} {record.resolved or ''}".rstrip())

    def attend(self) -> bool:
        """Look after what waits for a person, now that all is calm; whether anything was decided."""
        world = self._world
        if Fault.OPERATOR not in world.plan.faults or self._attended >= _ATTENDED:
            return False
        self._attended += 1
        for saga_id, row in list(world.store.tables.sagas.items()):
            state = row.state()
            if state.parks and world.dice.random() < 0.5 and (record := self._decision(saga_id, state)) is not None:
                self._send(saga_id, record)
        return True

    def resume_paused(self) -> bool:
        """Let go on what somebody paused; whether there was any."""
        paused = [i for i, row in self._world.store.tables.sagas.items() if row.state().paused]
        paused = [i for i in paused if not self._world.store.tables.sagas[i].state().terminal]
        for saga_id in paused:
            self._send(saga_id, SagaControl(command=ControlCommand.resume, actor="ops", reason="sim"))
        return bool(paused)
