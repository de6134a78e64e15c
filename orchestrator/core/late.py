"""Answers that come late: after the saga has turned back, has ended, or a person has decided.

Every one that contradicts what is held for true is undone or shown, never ignored (design §5).
"""

from __future__ import annotations

from msgspec.structs import replace

from orchestrator.core.draft import Draft
from orchestrator.core.messages import Answer, Direction, Failure, Outcome
from orchestrator.core.state import EXCESS, TERMINAL, Cause, Effect, EffectStatus

__all__ = ["heard_late", "is_excess", "landed_late", "show_excess"]


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


def is_excess(draft: Draft, answer: Answer) -> bool:
    """Whether a call that came back after its claim was lost may have done a thing twice, or again after its undo.

    Nobody can keep a process that froze between its check and its send from that (design §7). Under one key the
    system does it once, but it need not know what came of the undo.
    """
    state = draft.state_of(answer.step)
    effect = state.effect(answer.direction)
    if answer.round != state.round or effect is None:
        return answer.round < state.round
    if answer.direction is Direction.DO and state.undo is not None and state.undo.status is not EffectStatus.SKIPPED:
        return True
    kind = draft.plan(answer.step, answer.direction).action.contract.effect
    if kind == "idempotent":
        return False
    if effect.status in (EffectStatus.IN_FLIGHT, EffectStatus.WAITING, EffectStatus.UNKNOWN):
        # Whoever took over this very attempt has not called a blind system; one that can be asked it asked too early.
        return answer.attempt != effect.attempt or kind == "queryable"
    return isinstance(answer.result, Failure) or effect.status is EffectStatus.DONE


def show_excess(draft: Draft, answer: Answer) -> None:
    """Leave it to a person, who can look and take back what is too much."""
    perhaps = "perhaps " if isinstance(answer.result, Failure) else ""
    text = f"{answer.direction} of round {answer.round}, attempt {answer.attempt}, was {perhaps}carried out once more"
    draft.park(
        EXCESS, f"{text}, by a worker that had frozen and lost its claim; look, take back what is too much", answer.step
    )
