"""Answers that come late: after the saga has turned back, has ended, or a person has decided.

Every one that contradicts what is held for true is undone or shown, never ignored (design §5).
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.draft import Draft
from orchestrator.core.messages import Answer, Direction, Failure, Outcome
from orchestrator.core.state import TERMINAL, Cause, Effect, EffectStatus

__all__ = ["heard_late", "landed_late"]


def landed_late(draft: Draft, name: str, *, settled: bool) -> None:
    """A do succeeded while the saga goes back, or after it has gone back.

    `settled`: it had been held as not done, so nobody was told that it stays.
    """
    undo = draft.effect(name, Direction.UNDO)
    if undo is not None and undo.status in (EffectStatus.DONE, EffectStatus.SKIPPED):
        if _undone_by_hand(undo):
            _reopen(draft, name, undo, "success after a person had undone it")
            return
        # The consumer keeps the order of a step's effects: this success is older than its undo.
        draft.note("success that was undone already")
    elif _pivot_landed_first(draft, name):
        draft.backward, draft.rewind = None, None
        draft.note("cancel refused: the pivot landed first")
    elif draft.definition.step(name).undo is None and (settled or not draft.definition.step(name).residue_accepted):
        draft.park("CONTRADICTION", "success of an irreversible step after the saga turned back", name, Direction.DO)


def _undone_by_hand(undo: Effect) -> bool:
    """Whether only a person says so: perhaps no command of ours kept the do from coming after that."""
    return undo.status is EffectStatus.DONE and (undo.attempt == 0 or undo.unheard)


def _reopen(draft: Draft, name: str, undo: Effect, why: str) -> None:
    """Its undo is in question again. Nor does it count any more that the system had nothing left of it."""
    open_ = replace(undo, status=EffectStatus.NOT_DONE)
    draft.steps[name] = replace(draft.state_of(name), undo=open_, probe=None)
    draft.park("CONTRADICTION", why, name, Direction.UNDO)


def _pivot_landed_first(draft: Draft, name: str) -> bool:
    """Whether a decision to go back came too late. Not after the end: the outcome has been told."""
    asked = draft.backward in (Cause.CANCEL, Cause.OPERATOR, Cause.RERUN)
    return draft.definition.step(name).pivot and asked and not draft.undoing and draft.status not in TERMINAL


def heard_late(draft: Draft, answer: Answer, effect: Effect, failure: Failure) -> None:
    """The first word of an attempt that was given up: its command has been read, so nothing more comes of it.

    Where it may have been done, what a person had found out before says nothing of that.
    """
    name, heard = answer.step, replace(effect, unheard=False)
    draft.put(name, answer.direction, heard)
    if answer.direction is not Direction.DO or failure.outcome is not Outcome.UNKNOWN:
        return
    undo = draft.effect(name, Direction.UNDO)
    if effect.status is EffectStatus.NOT_DONE:
        draft.note(f"{name} was held as not done, and now nobody knows")
        told = replace(heard, doubtful=True, code=failure.code, message=failure.message)
        draft.settle_undone(name, told)
    if undo is not None and _undone_by_hand(undo):
        _reopen(draft, name, undo, "perhaps done after a person had undone it")
