"""The next state of a saga while it is being decided: a working copy with the few moves that every rule is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from orchestrator.core.definition import Saga, Step, Undo
from orchestrator.core.messages import Command, Direction, Entry, Output
from orchestrator.core.payload import Outputs, Payload
from orchestrator.core.policy import Retry
from orchestrator.core.state import Cause, Effect, EffectStatus, Park, Rewind, SagaState, Status, StepState

__all__ = ["BACKWARD", "Draft", "Transition"]

BACKWARD = (Direction.UNDO, Direction.PROBE)

_LONGEST_MESSAGE = 2000


@dataclass(frozen=True, slots=True)
class Transition:
    """What follows from one message. `entry` is None where nothing happened (an early wake)."""

    state: SagaState
    entry: Entry | None
    outputs: tuple[Output, ...] = ()


class Draft:
    """A working copy of one saga's state. Lives as long as one call of `decide`."""

    def __init__(self, definition: Saga, state: SagaState, saga_id: str, now: datetime) -> None:
        self.definition = definition
        self.base = state
        self.saga_id = saga_id
        self.now = now
        self.steps = dict(state.steps)
        self.status = state.status
        self.backward = state.backward
        self.rewind = state.rewind
        self.deadline = state.deadline
        self.paused = state.paused
        self.parks = state.parks
        self.buried = state.buried
        self.shadow = state.shadow
        self.failed_step, self.code, self.message = state.failed_step, state.code, state.message
        self.outputs: list[Output] = []
        self.notes: list[str] = []

    # -- looking --------------------------------------------------------------------------------------------------

    def state_of(self, step: str) -> StepState:
        """The step's state, empty where it has not started."""
        return self.steps.get(step, _EMPTY)

    def effect(self, step: str, direction: Direction) -> Effect | None:
        """The effect of that step in that direction."""
        return self.state_of(step).effect(direction)

    def plan(self, step: str, direction: Direction) -> Step | Undo:
        """What the definition says of that effect."""
        spec = self.definition.step(step)
        if direction is not Direction.UNDO:
            return spec  # a probe asks after what the do did
        assert spec.undo is not None
        return spec.undo

    def retry(self, step: str, direction: Direction) -> Retry:
        """How often and how soon that effect is tried: a probe as patiently as the undo that it verifies."""
        undo = self.definition.step(step).undo
        return undo.retry if direction is Direction.PROBE and undo else self.plan(step, direction).retry

    def blind(self, step: str, direction: Direction) -> bool:
        """Whether the action's outcome can neither be probed nor safely repeated. To ask is safe."""
        return direction is not Direction.PROBE and self.plan(step, direction).action.contract.effect == "blind"

    def is_shadow(self, step: str) -> bool:
        """Whether the step was only recorded, so that there is nothing to undo."""
        return any(effect.shadow for effect in self.state_of(step).effects)

    @property
    def pivot_done(self) -> bool:
        """Whether the saga has passed the point after which it only goes forward."""
        pivot = self.definition.pivot
        if pivot is None:
            return False
        do = self.state_of(pivot.name).do
        return do is not None and do.status in (EffectStatus.DONE, EffectStatus.SKIPPED)

    def is_settled(self, step: str, direction: Direction) -> bool:
        """Whether the effect is done, or a person said to go on without it."""
        effect = self.effect(step, direction)
        return effect is not None and effect.status in (EffectStatus.DONE, EffectStatus.SKIPPED)

    @property
    def doing(self) -> bool:
        """Whether any do is in flight: then no undo may start, whoever asked (design §6)."""
        return any(s.do is not None and s.do.status is EffectStatus.IN_FLIGHT for s in self.steps.values())

    @property
    def undoing(self) -> bool:
        """Whether any undo has started, or waits for a person, who may be at it by hand."""
        left = any(park.direction in BACKWARD for park in self.parks)
        return left or any(s.undo is not None for s in self.steps.values())

    @property
    def blocked(self) -> bool:
        """Whether something waits for a person that the rest of the saga has to wait for, too."""
        on = self.definition.on_compensation_failure == "continue" and self.backward is not None
        return any(
            not (on and park.direction in BACKWARD) and not (park.excess and self.backward) for park in self.parks
        )

    def is_parked(self, step: str, direction: Direction) -> bool:
        """Whether that effect waits for a person."""
        return any(park.step == step and park.direction is direction for park in self.parks)

    # -- changing -------------------------------------------------------------------------------------------------

    def note(self, text: str) -> None:
        """Say in the history why something was, or was not, done."""
        self.notes.append(text)

    def put(self, step: str, direction: Direction, effect: Effect) -> None:
        """Replace one effect."""
        changes: Mapping[str, Any] = {direction: effect}
        self.steps[step] = replace(self.state_of(step), **changes)

    def park(self, code: str, message: str, step: str | None = None, direction: Direction | None = None) -> None:
        """Leave a decision to a person. The same park twice is one."""
        park = Park(code, message[:_LONGEST_MESSAGE], step, direction)
        if park not in self.parks:
            self.parks = (*self.parks, park)

    def unpark(self, step: str | None, direction: Direction | None) -> None:
        """What waited for a person no longer does."""
        self.parks = tuple(p for p in self.parks if (p.step, p.direction) != (step, direction))

    def new_effect(self, status: EffectStatus, attempt: int) -> Effect:
        """An effect that starts now."""
        order = max((effect.order for s in self.steps.values() for effect in s.effects), default=0) + 1
        return Effect(status=status, attempt=attempt, started=self.now, order=order)

    def send(self, step: str, direction: Direction) -> None:
        """Send the effect's next attempt. A mapping that raises parks the saga (design §5)."""
        plan = self.plan(step, direction)
        effect = self.effect(step, direction)
        attempt = effect.attempt + 1 if effect else 1
        known = {name: s.output for name, s in self.steps.items() if s.output is not None}
        if self.shadow and not self.is_shadow(step):
            known = {name: output for name, output in known.items() if not self._made_up_since(name, step)}
        try:
            record = plan.input(self.request_of(step).record, Outputs(known))
            if type(record) is not plan.action:
                kind = type(record).__name__
                msg = f"the mapping gave {kind}, not {plan.action.__name__}"
                raise TypeError(msg)
        except Exception as exc:  # noqa: BLE001 - code of users: whatever it raises, the saga is parked and shown
            self.park("MAPPING_FAILED", f"{type(exc).__name__}: {exc}", step, direction)
            return
        due = self.now + timedelta(seconds=plan.timeout)
        started = effect or self.new_effect(EffectStatus.IN_FLIGHT, attempt)
        ordered = started.ordered
        sent = replace(started, status=EffectStatus.IN_FLIGHT, attempt=attempt, due=due, ordered=None)
        self.put(step, direction, sent)
        self.outputs.append(
            Command(
                step, direction, self.state_of(step).round, attempt, record, due,
                by_operator=ordered is not None,
                resolved=None if ordered == "retry" else ordered,
                mode="" if self.definition.mode == "live" else self.definition.mode,
                shadow=self.shadow if direction is Direction.DO else self.is_shadow(step),
            )
        )  # fmt: skip

    def _made_up_since(self, name: str, step: str) -> bool:
        """Whether the output is a shadow's that began with the step or after it: what is live must not be sent it."""
        group_of = self.definition.group_of
        return name != step and self.is_shadow(name) and group_of(name) >= group_of(step)

    def request_of(self, step: str) -> Payload:
        """The request as this step sees it."""
        return self.state_of(step).request or self.base.request

    def turn_back(self, cause: Cause, rewind: Rewind | None = None) -> None:
        """Start to compensate. Attempts that wait for their turn are given up; what is in flight still lands."""
        self.backward, self.rewind = cause, rewind
        for name, state in list(self.steps.items()):
            do = state.do
            if do is not None and do.status is EffectStatus.WAITING:
                self.settle_undone(name, do)

    def settle_undone(self, step: str, do: Effect) -> None:
        """Give up a do that did not succeed: known not done, or unknown and therefore undone or parked."""
        status = EffectStatus.UNKNOWN if do.maybe_done else EffectStatus.NOT_DONE
        self.put(step, Direction.DO, replace(do, status=status, due=None))
        if status is EffectStatus.UNKNOWN and not self.can_undo_unknown(step):
            message = do.message or "nobody can say whether it was done"
            self.park("OUTCOME_UNKNOWN", message, step, Direction.DO)

    def can_undo_unknown(self, step: str) -> bool:
        """Whether an unknown do may be undone without asking a person."""
        return self.definition.step(step).undo is not None and not self.blind(step, Direction.DO)

    def backoff(self, step: str, direction: Direction, attempt: int, retry_after: float | None) -> datetime:
        """When the attempt after `attempt` goes out. A system may ask for longer, within reason."""
        retry = self.retry(step, direction)
        delay = retry.delay(attempt, f"{self.saga_id}/{step}/{direction}")
        if retry_after is not None:
            delay = max(delay, timedelta(seconds=min(max(retry_after, 0.0), _LONGEST_RETRY_AFTER)))
        return self.now + delay

    # -- finishing ------------------------------------------------------------------------------------------------

    def transition(self, kind: str, facts: dict[str, object], *, wake: bool) -> Transition:
        """The result. A wake that changed nothing writes no entry, and sets the true next deadline."""
        changed = bool(self.outputs or self.notes) or self._differs()
        silent = wake and not changed
        state = replace(
            self.base,
            status=self.status,
            backward=self.backward,
            rewind=self.rewind,
            deadline=self.deadline,
            paused=self.paused,
            parks=self.parks,
            buried=self.buried,
            shadow=self.shadow,
            failed_step=self.failed_step,
            code=self.code,
            message=self.message,
            steps=self.steps,
            revision=self.base.revision + (0 if silent else 1),
            wake_at=self._wake_at(exact=wake),
        )
        entry = None if silent else Entry(kind, {**facts, "status": self.status.value}, tuple(self.notes))
        return Transition(state, entry, tuple(self.outputs))

    def _differs(self) -> bool:
        base = self.base
        mine = (self.status, self.backward, self.rewind, self.deadline, self.paused, self.parks, self.buried)
        before = (base.status, base.backward, base.rewind, base.deadline, base.paused, base.parks, base.buried)
        return mine != before or self.shadow != base.shadow or self.steps != base.steps

    def _wake_at(self, *, exact: bool) -> datetime | None:
        if self.status in _FINAL:
            return None
        dues = [e.due for name, s in self.steps.items() for e in s.effects if self._waits_for(name, e)]
        if not (self.backward or self.paused or self.parks):
            dues.append(self.deadline)
        due = min((d for d in dues if d is not None), default=None)
        bound = self.base.wake_at
        if exact or bound is None or (due is not None and due < bound):
            return due
        return bound

    def _waits_for(self, name: str, effect: Effect) -> bool:
        if effect.status is EffectStatus.IN_FLIGHT:
            return True
        if effect.status is not EffectStatus.WAITING or self.paused or self.blocked:
            return False
        # Where undos do not hold up each other, one that waits for a person is not sent while others are.
        return not any(self.is_parked(name, direction) for direction in BACKWARD)


_EMPTY = StepState()
_FINAL = frozenset({Status.COMPLETED, Status.COMPENSATED, Status.CANCELLED})
_LONGEST_RETRY_AFTER = 3600.0
