"""What going back would do to each step now, in the order in which it would. Pure: definition and state in, rows out.

`advance` decides; this says in words what that does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.definition import Saga, Step
from orchestrator.core.state import Effect, EffectStatus, SagaState, StepState

__all__ = ["UndoRow", "UndoState", "undo_plan"]


class UndoState(StrEnum):
    """What can be said of taking one step back."""

    POSSIBLE = "possible"
    UNKNOWN = "unknown"
    IN_FLIGHT = "in_flight"
    UNDOING = "undoing"
    UNDONE = "undone"
    FAILED = "failed"
    IRREVERSIBLE = "irreversible"
    PAST_PIVOT = "past_pivot"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class UndoRow:
    """One step that was done, or may have been. Rows of the same `turn` are undone together, turn 1 before turn 2.

    `action` is the compensation, `system.Action`; None where the step has none.
    """

    turn: int
    step: str
    action: str | None
    state: UndoState
    text: str


def undo_plan(definition: Saga, state: SagaState) -> list[UndoRow]:
    """Every step that was done or may have been done, the first to be undone first."""
    rows: list[UndoRow] = []
    forward_only = state.backward is None and _pivot_done(definition, state)
    turn = 0
    for group in reversed(definition.groups):
        found = [row for step in group for row in _rows(turn + 1, step, state.steps.get(step.name), forward_only)]
        turn += bool(found)
        rows += found
    return rows


def _rows(turn: int, step: Step, at: StepState | None, forward_only: bool) -> Iterator[UndoRow]:
    if at is None or not _may_be_done(at):
        return
    state, text = _said(step, at)
    if forward_only and state in (UndoState.POSSIBLE, UndoState.UNKNOWN, UndoState.IN_FLIGHT):
        state, text = UndoState.PAST_PIVOT, "nothing: the pivot is done, the saga only goes forward"
    contract = step.undo.action.contract if step.undo else None
    action = f"{contract.system}.{contract.name.rsplit('.', 1)[-1]}" if contract else None
    yield UndoRow(turn, step.name, action, state, text)


def _may_be_done(at: StepState) -> bool:
    if at.undo is not None:
        return True
    if at.do is None or at.do.status is EffectStatus.NOT_DONE:
        return False
    return at.do.status is not EffectStatus.WAITING or at.do.maybe_done


def _said(step: Step, at: StepState) -> tuple[UndoState, str]:
    if at.undo is not None:
        looked = _LOOKED.get(at.probe.status) if at.probe is not None else None
        return looked or _undo_said(at.undo)
    assert at.do is not None
    if at.do.status is EffectStatus.SKIPPED:
        return UndoState.SKIPPED, "nothing: a person went on without it"
    unknown = at.do.status in (EffectStatus.UNKNOWN, EffectStatus.WAITING)
    if step.undo is None:
        doubt = ", and nobody knows whether it was done" if unknown else ""
        return UndoState.IRREVERSIBLE, f"nothing: irreversible{doubt}"
    if unknown:
        return UndoState.UNKNOWN, "nobody knows whether it was done"
    if at.do.status is EffectStatus.IN_FLIGHT:
        return UndoState.IN_FLIGHT, "is being done; its undo waits for that"
    if at.do.shadow:
        return UndoState.POSSIBLE, "was only recorded, and so is its undo"
    return UndoState.POSSIBLE, "can be undone"


_ASKED = UndoState.UNDOING, "undone; the system is being asked whether it is gone"
_LOOKED = {
    EffectStatus.IN_FLIGHT: _ASKED,
    EffectStatus.WAITING: _ASKED,
    EffectStatus.NOT_DONE: (UndoState.FAILED, "undone, and the system still has it"),
    EffectStatus.UNKNOWN: (UndoState.FAILED, "undone, and nobody could verify it"),
}


def _undo_said(undo: Effect) -> tuple[UndoState, str]:
    match undo.status:
        case EffectStatus.DONE:
            return UndoState.UNDONE, "undone already"
        case EffectStatus.SKIPPED:
            return UndoState.SKIPPED, "nothing: a person went on without its undo"
        case EffectStatus.IN_FLIGHT:
            return UndoState.UNDOING, "is being undone"
        case EffectStatus.WAITING:
            return UndoState.UNDOING, f"its undo will be tried again: {undo.code or 'not done yet'}"
        case EffectStatus.NOT_DONE:
            return UndoState.FAILED, f"its undo failed: {undo.code}"
        case EffectStatus.UNKNOWN:
            return UndoState.FAILED, f"its undo failed: {undo.code}; nobody knows whether it was undone"


def _pivot_done(definition: Saga, state: SagaState) -> bool:
    pivot = definition.pivot
    do = state.steps[pivot.name].do if pivot is not None and pivot.name in state.steps else None
    return do is not None and do.status in (EffectStatus.DONE, EffectStatus.SKIPPED)
