"""The state of a saga, as `decide` sees it and as it is stored. Names, never positions, are persisted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec import field as msgspec_field

from orchestrator.core.messages import Direction
from orchestrator.core.payload import Payload

__all__ = [
    "EXCESS",
    "TERMINAL",
    "Cause",
    "Effect",
    "EffectStatus",
    "Park",
    "Rewind",
    "SagaState",
    "Status",
    "StepState",
    "state_from_json",
    "state_to_json",
]


class Status(StrEnum):
    """Where a saga stands. The last three are final."""

    RUNNING = "running"
    COMPENSATING = "compensating"
    REVIEW = "review"
    COMPLETED = "completed"
    COMPENSATED = "compensated"
    CANCELLED = "cancelled"


EXCESS = "EXCESS"

TERMINAL = frozenset({Status.COMPLETED, Status.COMPENSATED, Status.CANCELLED})


class EffectStatus(StrEnum):
    """Where one effect stands.

    in_flight   a command is out and its deadline has not passed
    waiting     not done so far; goes out again when `due`
    done        done
    not_done    given up, and known not to have been done
    unknown     given up, and it may have been done
    skipped     a person said to go on without it
    """

    IN_FLIGHT = "in_flight"
    WAITING = "waiting"
    DONE = "done"
    NOT_DONE = "not_done"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Cause(StrEnum):
    """Why a saga turned back."""

    FAILURE = "failure"
    CANCEL = "cancel"
    OPERATOR = "operator"
    RERUN = "rerun"


class Effect(Struct, frozen=True):
    """One action done or undone for one step.

    `due` is the deadline of the attempt in flight, or when the next attempt goes out. `doubtful`: some attempt came
    back unknown, so that a later "rejected" proves nothing (design §6). `unanswered`: the last attempts timed out;
    the consumer's next "rejected" or "failed" speaks for them too, since it keeps the effect's row. `unheard`: the
    last attempt has had no answer at all, whatever a person found out since: its command may still lie unread.
    `order` counts starts within the saga. `ordered`: an operator asked for the next attempt, by a `retry` or knowing
    that it was `not-done`; it goes out as soon as its turn comes, whatever the last answer was. `shadow`: its system
    has said that it only recorded it.
    """

    status: EffectStatus
    attempt: int
    started: datetime
    order: int
    due: datetime | None = None
    doubtful: bool = False
    unanswered: bool = False
    unheard: bool = False
    ordered: str | None = None
    code: str | None = None
    message: str | None = None
    shadow: bool = False

    def is_due(self, now: datetime) -> bool:
        """Whether an effect that waits goes out now."""
        return self.ordered is not None or (self.due is not None and self.due <= now)

    @property
    def maybe_done(self) -> bool:
        """Whether nobody can say that it was not done."""
        return self.doubtful or self.unanswered


class StepState(Struct, frozen=True):
    """The effects of a step in its current round, and what the do answered.

    `request` is what an operator's rerun changed the saga's request to for this step, its do and its undo. `undone`
    are the earlier rounds that were undone: a success of theirs that comes late is over, too.
    """

    do: Effect | None = None
    undo: Effect | None = None
    probe: Effect | None = None
    output: Payload | None = None
    round: int = 1
    request: Payload | None = None
    undone: tuple[int, ...] = ()

    def effect(self, direction: Direction) -> Effect | None:
        """The effect in that direction."""
        if direction is Direction.DO:
            return self.do
        return self.undo if direction is Direction.UNDO else self.probe

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Those that have begun."""
        return tuple([effect for effect in (self.do, self.undo, self.probe) if effect is not None])


@dataclass(frozen=True, slots=True)
class Park:
    """One thing that a person has to decide. `step` is None where no step is meant, `direction` where no effect is.

    `announced`: its dead letter has been written; a saga that goes on with its other undos announces it at the end.
    """

    code: str
    message: str
    step: str | None = None
    direction: Direction | None = None
    announced: bool = field(default=False, compare=False)

    @property
    def excess(self) -> bool:
        """Whether something may be there twice, or again: nothing that the saga does next makes it better or worse."""
        return self.code == EXCESS


@dataclass(frozen=True, slots=True)
class Rewind:
    """How far back an operator's rerun goes: `step` and everything after it is undone, and then done again.

    `request` is what these steps see from then on, where the operator changed it.
    """

    step: str
    request: Payload | None = None


class SagaState(Struct, frozen=True):
    """Everything `decide` knows of a saga.

    `revision` counts its journal entries. `backward` is why it turned back, None while it goes forward; `rewind` how
    far, where it is only part of the way. `deadline` is when it has to be over, None where it need not, or where a
    person has taken it over. `wake_at` is the lower bound of its next deadline (design §5). `shadow`: a step was only
    recorded and its output may be made up, so nothing that comes after it may be done for real; that stays so.
    """

    definition: str
    version: int
    request: Payload
    status: Status
    business_key: str = ""
    agent: str = ""
    revision: int = 0
    backward: Cause | None = None
    rewind: Rewind | None = None
    deadline: datetime | None = None
    paused: bool = False
    parks: tuple[Park, ...] = ()
    steps: Mapping[str, StepState] = msgspec_field(default_factory=dict)
    failed_step: str | None = None
    code: str | None = None
    message: str | None = None
    buried: bool = False
    wake_at: datetime | None = None
    shadow: bool = False

    @property
    def terminal(self) -> bool:
        """Whether it has reached its end."""
        return self.status in TERMINAL


# -- stored form ---------------------------------------------------------------------------------------------------
# Short and flat: it is written once per message. The columns of the saga's row are not repeated in it.


def state_to_json(state: SagaState) -> dict[str, Any]:
    """What the columns of the saga's row do not hold, as plain JSON."""
    stored: dict[str, Any] = {"steps": {name: _step_to_json(step) for name, step in state.steps.items()}}
    if state.backward:
        stored["backward"] = state.backward.value
    if state.rewind:
        stored["rewind"] = [state.rewind.step, _payload_to_json(state.rewind.request)]
    if state.deadline:
        stored["deadline"] = state.deadline.isoformat()
    if state.paused:
        stored["paused"] = True
    if state.buried:
        stored["buried"] = True
    if state.shadow:
        stored["shadow"] = True
    if state.parks:
        stored["parks"] = [[p.code, p.message, p.step, p.direction, p.announced] for p in state.parks]
    if state.code is not None or state.failed_step is not None:
        stored["error"] = [state.failed_step, state.code, state.message]
    return stored


def state_from_json(stored: Mapping[str, Any], columns: Mapping[str, Any]) -> SagaState:
    """Read what `state_to_json` wrote. `columns` are the fields of `SagaState` that the saga's row holds."""
    failed_step, code, message = stored.get("error") or (None, None, None)
    step, request = stored.get("rewind") or (None, {})
    return SagaState(
        backward=Cause(stored["backward"]) if "backward" in stored else None,
        rewind=Rewind(step, _payload_from_json(request)) if step is not None else None,
        deadline=datetime.fromisoformat(stored["deadline"]) if "deadline" in stored else None,
        paused=stored.get("paused", False),
        buried=stored.get("buried", False),
        shadow=stored.get("shadow", False),
        parks=tuple(Park(c, m, s, Direction(d) if d else None, a) for c, m, s, d, a in stored.get("parks", ())),
        steps={name: _step_from_json(step) for name, step in stored["steps"].items()},
        failed_step=failed_step,
        code=code,
        message=message,
        **columns,
    )


def _step_to_json(step: StepState) -> dict[str, Any]:
    stored: dict[str, Any] = {}
    if step.do:
        stored["do"] = _effect_to_json(step.do)
    if step.undo:
        stored["undo"] = _effect_to_json(step.undo)
    if step.probe:
        stored["probe"] = _effect_to_json(step.probe)
    if step.output:
        stored["output"] = _payload_to_json(step.output)
    if step.round != 1:
        stored["round"] = step.round
    if step.request:
        stored["request"] = _payload_to_json(step.request)
    if step.undone:
        stored["undone"] = list(step.undone)
    return stored


def _step_from_json(stored: Mapping[str, Any]) -> StepState:
    return StepState(
        do=_effect_from_json(stored.get("do")),
        undo=_effect_from_json(stored.get("undo")),
        probe=_effect_from_json(stored.get("probe")),
        output=_payload_from_json(stored.get("output")),
        round=stored.get("round", 1),
        request=_payload_from_json(stored.get("request")),
        undone=tuple(stored.get("undone", ())),
    )


def _payload_to_json(payload: Payload | None) -> dict[str, Any]:
    return {payload.name: payload.json} if payload else {}


def _payload_from_json(stored: Mapping[str, Any] | None) -> Payload | None:
    if not stored:
        return None
    ((name, value),) = stored.items()
    return Payload(name, value=value)


def _effect_to_json(effect: Effect) -> dict[str, Any]:
    stored: dict[str, Any] = {
        "status": effect.status.value,
        "attempt": effect.attempt,
        "started": effect.started.isoformat(),
        "order": effect.order,
    }
    if effect.due:
        stored["due"] = effect.due.isoformat()
    if effect.doubtful:
        stored["doubtful"] = True
    if effect.unanswered:
        stored["unanswered"] = True
    if effect.ordered is not None:
        stored["ordered"] = effect.ordered
    if effect.unheard:
        stored["unheard"] = True
    if effect.code is not None:
        stored["error"] = [effect.code, effect.message]
    if effect.shadow:
        stored["shadow"] = True
    return stored


def _effect_from_json(stored: Mapping[str, Any] | None) -> Effect | None:
    if stored is None:
        return None
    due = stored.get("due")
    code, message = stored.get("error") or (None, None)
    return Effect(
        status=EffectStatus(stored["status"]),
        attempt=stored["attempt"],
        started=datetime.fromisoformat(stored["started"]),
        order=stored["order"],
        due=datetime.fromisoformat(due) if due else None,
        doubtful=stored.get("doubtful", False),
        unanswered=stored.get("unanswered", False),
        unheard=stored.get("unheard", False),
        ordered=stored.get("ordered"),
        code=code,
        message=message,
        shadow=stored.get("shadow", False),
    )
