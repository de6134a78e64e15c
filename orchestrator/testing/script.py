"""Sagas as message scripts: a definition, messages one after the other, a clock moved by hand. No broker, no database.

script = Script(vendor_onboarding)
script.request(vendor)
script.succeed("erp-vendor", VendorCreated(...))
script.reject("portal-account", "EMAIL_IN_USE")
assert script.sent == ["do erp-vendor", "do portal-account", "undo erp-vendor"]
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestrator.core.decide import Transition, decide
from orchestrator.core.definition import Saga
from orchestrator.core.messages import (
    GONE,
    Answer,
    Command,
    Control,
    ControlCommand,
    DeadRequest,
    Direction,
    Ended,
    Failure,
    Message,
    Outcome,
    Output,
    Parked,
    Requested,
    Succeeded,
    Wake,
)
from orchestrator.core.sample import sample
from orchestrator.core.state import SagaState, Status, state_from_json, state_to_json
from schemas.models import Record

__all__ = ["Script"]


class Script:
    """One saga, driven by hand. After every message its state goes through its stored form, as it does for real.

    While `shadow` is set, answers say that what they answer was only recorded.
    """

    def __init__(self, definition: Saga, saga_id: str = "script") -> None:
        self.definition = definition
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.state: SagaState | None = None
        self.outputs: list[Output] = []
        self.notes: list[str] = []
        self.refusals: list[str] = []
        self._id = saga_id
        self.shadow = False

    # -- given and when -------------------------------------------------------------------------------------------

    def deliver(self, message: Message) -> Transition:
        """Hand one message to the saga."""
        transition = decide(self.definition, self.state, message, self.now, self._id)
        self.state = _stored(transition.state)
        self.outputs.extend(transition.outputs)
        if transition.entry is not None:
            self.notes.extend(transition.entry.notes)
            if "refused" in transition.entry.facts:
                self.refusals.append(str(transition.entry.facts["refused"]))
        return transition

    def request(self, request: Record, agent: str = "test") -> None:
        """An agent asks for the saga."""
        self.deliver(Requested(request, agent))

    def succeed(self, step: str, output: Record | None = None, *, attempt: int | None = None) -> None:
        """The do of a step succeeded; with made-up output unless one is given."""
        self._answer(step, Direction.DO, attempt, output)

    def undone(self, step: str, output: Record | None = None, *, attempt: int | None = None) -> None:
        """The undo of a step succeeded."""
        self._answer(step, Direction.UNDO, attempt, output)

    def _answer(self, step: str, direction: Direction, attempt: int | None, output: Record | None) -> None:
        spec = self.definition.step(step)
        action = spec.undo.action if direction is Direction.UNDO and spec.undo else spec.action
        assert action.contract.completion is not None
        made = output or sample(action.contract.completion, full=True)
        self._deliver(step, direction, attempt, Succeeded(made))

    def gone(self, step: str) -> None:
        """The probe after an undo found nothing left."""
        self._deliver(step, Direction.PROBE, None, Failure(Outcome.REJECTED, GONE))

    def still_there(self, step: str) -> None:
        """The probe after an undo found what had been done."""
        self._answer(step, Direction.PROBE, None, None)

    def _deliver(self, step: str, direction: Direction, attempt: int | None, result: Succeeded | Failure) -> None:
        round_ = self.state.steps[step].round if self.state and step in self.state.steps else 1
        count = attempt or self.attempt(step, direction)
        self.deliver(Answer(step, direction, round_, count, result, shadow=self.shadow))

    def reject(self, step: str, code: str = "REJECTED", *, undo: bool = False, attempt: int | None = None) -> None:
        """The system refused for good."""
        self._fail(step, Outcome.REJECTED, code, undo, attempt)

    def fail(
        self,
        step: str,
        code: str = "TRANSIENT_ERROR",
        *,
        undo: bool = False,
        attempt: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Not done, may work later."""
        self._fail(step, Outcome.FAILED, code, undo, attempt, retry_after)

    def lose(self, step: str, code: str = "TIMEOUT", *, undo: bool = False, attempt: int | None = None) -> None:
        """Nobody knows whether it was done."""
        self._fail(step, Outcome.UNKNOWN, code, undo, attempt)

    def _fail(
        self,
        step: str,
        outcome: Outcome,
        code: str,
        undo: bool,  # noqa: FBT001 - private
        attempt: int | None,
        retry_after: float | None = None,
    ) -> None:
        direction = Direction.UNDO if undo else Direction.DO
        self._deliver(step, direction, attempt, Failure(outcome, code, "", retry_after))

    def control(self, command: ControlCommand, **details: object) -> None:
        """An operator decides."""
        self.deliver(Control(command, actor="operator", reason="because", **details))  # type: ignore[arg-type]

    def return_unclaimed(self, step: str, result: str = "succeeded", *, undo: bool = False, attempt: int = 1) -> None:
        """A call came back after its worker had lost the claim: `succeeded`, or `unknown`."""
        direction = Direction.UNDO if undo else Direction.DO
        spec = self.definition.step(step)
        completion = (spec.undo.action if undo and spec.undo else spec.action).contract.completion
        assert completion is not None
        output = Succeeded(sample(completion, full=True))
        told = output if result == "succeeded" else Failure(Outcome(result), "TIMEOUT")
        self.deliver(Answer(step, direction, self.state.steps[step].round if self.state else 1, attempt, told, True))

    def wait(self, seconds: float, *, deaf: bool = False) -> None:
        """Let time pass, and the timer fire; `deaf` while the completions of that time lie unread."""
        before = self.now
        self.now += timedelta(seconds=seconds)
        self.deliver(Wake(before if deaf else None))

    def wait_until_due(self) -> None:
        """Let time pass until the saga's next deadline, and the timer fire."""
        assert self.state is not None
        self.deliver(Wake())
        assert self.state.wake_at is not None, "the saga waits for no time"
        self.now = max(self.now, self.state.wake_at)
        self.deliver(Wake())

    # -- then -----------------------------------------------------------------------------------------------------

    @property
    def status(self) -> Status:
        """Where the saga stands."""
        assert self.state is not None
        return self.state.status

    @property
    def sent(self) -> list[str]:
        """The commands sent so far, as `do step`, `undo step` and `probe step`."""
        return [f"{c.direction} {c.step}" for c in self.outputs if isinstance(c, Command)]

    @property
    def commands(self) -> list[Command]:
        """The commands sent so far."""
        return [output for output in self.outputs if isinstance(output, Command)]

    @property
    def outcomes(self) -> list[Ended]:
        """What was published on `saga.outcomes`."""
        return [output for output in self.outputs if isinstance(output, Ended)]

    @property
    def dead_letters(self) -> list[DeadRequest | Parked]:
        """What was dead-lettered."""
        return [output for output in self.outputs if isinstance(output, (DeadRequest, Parked))]

    def attempt(self, step: str, direction: Direction) -> int:
        """The number of the last attempt of an effect, 1 where there was none."""
        effect = self.state.steps[step].effect(direction) if self.state and step in self.state.steps else None
        return effect.attempt if effect else 1


def _stored(state: SagaState) -> SagaState:
    columns = {
        name: getattr(state, name)
        for name in ("definition", "version", "request", "status", "business_key", "agent", "revision", "wake_at")
    }
    return state_from_json(state_to_json(state), columns)
