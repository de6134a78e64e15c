"""How far a saga goes back, and how it begins again there: an operator's rerun of a step.

A rerun undoes the step and everything after it, raises the round of what was undone, and goes forward again. A round
rises only once every effect of the last one is settled and nothing of it remains: else the step would get its old
answer again, or its work would be done twice (design §4).
"""

from __future__ import annotations

from msgspec.structs import replace

from orchestrator.core.definition import Step
from orchestrator.core.draft import Draft
from orchestrator.core.errors import Refused
from orchestrator.core.messages import Control, Direction
from orchestrator.core.payload import Payload
from orchestrator.core.state import TERMINAL, Cause, Effect, EffectStatus, Rewind, StepState

__all__ = ["begin_again", "known_not_done", "needs_undo", "rerun"]

_MAYBE = (EffectStatus.DONE, EffectStatus.UNKNOWN)


def rerun(draft: Draft, control: Control) -> dict[str, object]:
    """Undo a step and everything after it, and do it again in a new round, perhaps with a changed request."""
    if draft.status in TERMINAL:
        msg = f"the saga has ended: {draft.status}"
        raise Refused(msg)
    name = control.step
    if name is None or not draft.definition.has_step(name):
        msg = f"say from which step on; there are {', '.join(step.name for step in draft.definition)}"
        raise Refused(msg)
    if draft.backward:
        msg = "the saga goes back; once it has ended, replay its dead letter"
        raise Refused(msg)
    do = draft.effect(name, Direction.DO)
    if do is None:
        msg = f"{name} has not been done yet"
        raise Refused(msg)
    if do.status is EffectStatus.UNKNOWN and control.resolved == "not-done":
        do = known_not_done(do)
    _require_repeatable(draft, name, do)
    changes = _changed_request(draft, name, control)
    draft.put(name, Direction.DO, do)
    draft.parks = tuple(park for park in draft.parks if park.step is None or not _reaches(draft, park.step, name))
    draft.turn_back(Cause.RERUN, Rewind(name, Payload.of(control.request) if control.request else None))
    return {"request": changes} if changes else {}


def _require_repeatable(draft: Draft, name: str, settled: Effect) -> None:
    """Nothing of what is to be done again may remain, or be in doubt where only a person can end the doubt.

    `settled` is the do of step `name`, once what the person found out has been applied to it.
    """
    pivot = draft.definition.pivot
    group_of = draft.definition.group_of
    if pivot is not None and draft.pivot_done and group_of(name) <= group_of(pivot.name):
        msg = f"the pivot {pivot.name} is done, and cannot be undone"
        raise Refused(msg)
    contradiction = next((park for park in draft.parks if park.code == "CONTRADICTION" or park.excess), None)
    if contradiction is not None:
        msg = f"{contradiction.message}; decide about that first"
        raise Refused(msg)
    for step in draft.definition:
        if not _in_reach(draft, step, name):
            continue
        do = settled if step.name == name else draft.effect(step.name, Direction.DO)
        if do is None:
            continue
        if _remains(step, do):
            msg = f"{step.name} has no undo, and what it did, or may yet do, would be there twice"
            raise Refused(msg)
        if do.status is EffectStatus.UNKNOWN and not draft.can_undo_unknown(step.name):
            msg = f"{step.name}: nobody knows whether it was done; find out, and resolve it or say resolved=not-done"
            raise Refused(msg)


def _reaches(draft: Draft, step: str, start: str) -> bool:
    return draft.definition.has_step(step) and _in_reach(draft, draft.definition.step(step), start)


def _changed_request(draft: Draft, name: str, control: Control) -> dict[str, object]:
    """What the new request says otherwise, field by field."""
    if control.request is None:
        return {}
    if type(control.request) is not draft.definition.request:
        msg = f"the request is a {draft.definition.request.contract.name}"
        raise Refused(msg)
    before, after = draft.request_of(name).json, Payload.of(control.request).json
    return {field: value for field, value in after.items() if before.get(field) != value}


def known_not_done(effect: Effect) -> Effect:
    """The effect, once a person has said that it was not done: that ends the doubt."""
    return replace(effect, status=EffectStatus.NOT_DONE, due=None, doubtful=False, unanswered=False)


def _in_reach(draft: Draft, step: Step, start: str) -> bool:
    """Whether a rerun from `start` does this step again: itself, what comes after, and siblings that never got done."""
    here, there = draft.definition.group_of(start), draft.definition.group_of(step.name)
    if step.name == start or there > here:
        return True
    # One whose undo has begun stays in reach, although its do may still turn out to have succeeded.
    begun = draft.effect(step.name, Direction.UNDO) is not None
    return there == here and (begun or not draft.is_settled(step.name, Direction.DO))


def needs_undo(draft: Draft, step: Step) -> bool:
    """Whether the step has to be undone on the way back."""
    do = draft.effect(step.name, Direction.DO)
    if do is None or step.undo is None:
        return False
    if draft.effect(step.name, Direction.UNDO) is not None:
        return True  # what has begun is ended, also where a rerun began it for what may still come of the do
    if draft.rewind is None:
        return do.status in _MAYBE
    # Its undo also keeps a command that may still lie unread from being carried out beside that of the next round.
    return _in_reach(draft, step, draft.rewind.step) and (do.status in _MAYBE or _may_come(do))


def _remains(step: Step, do: Effect) -> bool:
    """Whether something of the step, or of what may still come of it, would stay, since it cannot be undone."""
    if step.undo is not None:
        return False
    open_ = do.status is EffectStatus.IN_FLIGHT or (do.status is EffectStatus.WAITING and do.maybe_done)
    return open_ or do.status in _MAYBE or _may_come(do)


def _may_come(do: Effect) -> bool:
    return do.unheard or (do.status is EffectStatus.SKIPPED and do.maybe_done)


def _leave(draft: Draft, name: str, state: StepState, do: Effect) -> None:
    """A person said to go on without undoing it; so it is not done again either."""
    if do.status is not EffectStatus.DONE:
        do = replace(do, status=EffectStatus.SKIPPED, due=None)
    draft.steps[name] = replace(state, do=do)
    draft.note(f"{name} is left as it is, and is not done again")


def begin_again(draft: Draft) -> None:
    """Everything in reach is undone: raise the rounds, and go forward."""
    rewind = draft.rewind
    assert rewind is not None
    for step in draft.definition:
        if not _in_reach(draft, step, rewind.step):
            continue
        state = draft.state_of(step.name)
        request = rewind.request or state.request
        if state.do is None:
            if request is not None:
                draft.steps[step.name] = StepState(round=state.round, request=request, undone=state.undone)
            continue
        undone = state.undo is not None and state.undo.status is EffectStatus.DONE
        if state.undo is not None and state.undo.status is EffectStatus.SKIPPED:
            _leave(draft, step.name, state, state.do)
            continue
        if state.do.status is EffectStatus.DONE and not undone:
            # It landed on the way and cannot be undone: doing it again would be doing it twice.
            draft.note(f"{step.name} was done on the way back and cannot be undone; it is not done again")
            continue
        rounds = (*state.undone, state.round) if undone else state.undone
        draft.steps[step.name] = StepState(round=state.round + 1, request=request, undone=rounds)
    draft.backward, draft.rewind = None, None
    draft.note(f"undone as far as {rewind.step}; going forward again from there")
