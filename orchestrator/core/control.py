"""What an operator's decision does to a saga. A decision that does not apply is refused, and the history says why."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from orchestrator.core.advance import waits_for_later_undos
from orchestrator.core.draft import BACKWARD, Draft
from orchestrator.core.errors import Refused
from orchestrator.core.messages import Control, ControlCommand, Direction
from orchestrator.core.payload import Payload
from orchestrator.core.rewind import known_not_done, rerun
from orchestrator.core.state import TERMINAL, Cause, Effect, EffectStatus, Park

__all__ = ["on_control"]

_GIVEN_UP = (EffectStatus.UNKNOWN, EffectStatus.NOT_DONE)


def on_control(draft: Draft, control: Control) -> dict[str, object]:
    """Apply a decision; return what the history shows of it."""
    facts: dict[str, object] = {"command": control.command.value, "actor": control.actor, "reason": control.reason}
    if control.step is not None:
        facts["step"] = control.step
    try:
        if control.if_revision is not None and control.if_revision != draft.base.revision:
            msg = f"the saga has moved on: revision {draft.base.revision}, not {control.if_revision}"
            raise Refused(msg)
        facts |= _HANDLERS[control.command](draft, control) or {}
        _lift_deadline(draft, control)
    except Refused as exc:
        draft.note(f"refused: {exc}")
        facts["refused"] = str(exc)
    return facts


def _lift_deadline(draft: Draft, control: Control) -> None:
    """Whoever lets a saga go on has taken it over: it does not turn back behind their back."""
    if draft.deadline is not None and control.command in _GO_ON:
        draft.deadline = None
        draft.note("a person decided, so the saga's deadline no longer holds")


def _cancel(draft: Draft, control: Control) -> None:
    del control
    _require_open(draft)
    if draft.pivot_done:
        msg = "the pivot is done; the saga only goes forward"
        raise Refused(msg)
    if draft.backward and draft.backward is not Cause.RERUN:
        msg = "the saga is going back already"
        raise Refused(msg)
    draft.paused = False
    _drop_forward_parks(draft)
    draft.turn_back(Cause.CANCEL)


def _compensate(draft: Draft, control: Control) -> None:
    """As cancel, but a person takes responsibility for what is unknown: it is undone, not asked about again."""
    del control
    _require_open(draft)
    if draft.pivot_done:
        msg = "the pivot is done; the saga only goes forward"
        raise Refused(msg)
    draft.paused = False
    draft.parks = tuple(_told_again(p) for p in draft.parks if p.direction in BACKWARD or p.excess)
    if not draft.backward or draft.backward is Cause.RERUN:
        draft.turn_back(Cause.OPERATOR)


def _pause(draft: Draft, control: Control) -> None:
    del control
    _require_open(draft)
    if draft.paused:
        msg = "the saga is paused already"
        raise Refused(msg)
    draft.paused = True


def _resume(draft: Draft, control: Control) -> None:
    del control
    if not draft.paused:
        msg = "the saga is not paused"
        raise Refused(msg)
    draft.paused = False


def _retry(draft: Draft, control: Control) -> None:
    parks = _parks(draft, control)
    for park in parks:
        _require_retryable(draft, park, control)
    for park in parks:
        draft.unpark(park.step, park.direction)
        if park.step is None or park.direction is None:
            continue
        effect = draft.effect(park.step, park.direction)
        # What never started, or waits, is sent by `advance`; what is done is not done again.
        if effect is not None and effect.status in _GIVEN_UP:
            not_done = control.resolved == "not-done"
            if not_done and effect.unheard:
                # Its command may still be read after the person has looked: the consumer, which keeps their order, must
                # not take the word for what it is about to do. It asks again, if it turns out to be in doubt.
                draft.note(f"nothing has been heard of {park.step} yet, so that it was not done is not passed on")
            if not_done:
                # A person ended the doubt, so the next "rejected" is proof again (design §6).
                effect = replace(effect, doubtful=False, unanswered=False)
            waits = replace(
                effect,
                status=EffectStatus.WAITING,
                due=None,
                ordered="not-done" if not_done and not effect.unheard else "retry",
            )
            draft.put(park.step, park.direction, waits)
            # Where undos do not hold up each other, others may be retried with it: `advance` sends them in their order.
            if park.direction is Direction.DO or not _has_a_turn(draft, park.step):
                draft.send(park.step, park.direction)


def _has_a_turn(draft: Draft, step: str) -> bool:
    """Whether the retry of an undo has to wait for others."""
    return draft.definition.on_compensation_failure == "continue" or waits_for_later_undos(draft, step)


def _require_retryable(draft: Draft, park: Park, control: Control) -> None:
    if park.step is None or park.direction is None:
        return
    effect = draft.effect(park.step, park.direction)
    if effect is None:
        return
    if effect.status is EffectStatus.DONE and park.direction is Direction.DO and _would_be_left(draft, park.step):
        msg = (
            f"{park.step} is done, nothing undoes it, and the saga goes back: a retry would leave it behind; say "
            "resolved=done, which goes forward where no undo has begun, or skip"
        )
        raise Refused(msg)
    if effect.status not in _GIVEN_UP:
        return
    unknown = effect.status is EffectStatus.UNKNOWN
    if unknown and draft.blind(park.step, park.direction) and control.resolved != "not-done":
        msg = f"{park.step}: a blind action whose outcome is unknown is retried only with resolved=not-done"
        raise Refused(msg)
    if park.direction is Direction.DO and draft.backward:
        msg = f"{park.step}: the saga goes back; say what became of the step with resolve"
        raise Refused(msg)
    if park.direction is Direction.UNDO and draft.doing:
        msg = f"{park.step}: a do of this saga is in flight; its undo waits for it"
        raise Refused(msg)


def _would_be_left(draft: Draft, step: str) -> bool:
    """Whether the saga would end as undone with that step in place, and nobody has said that it may."""
    spec = draft.definition.step(step)
    return draft.backward is not None and draft.rewind is None and spec.undo is None and not spec.residue_accepted


def _resolve(draft: Draft, control: Control) -> None:
    """A person found out how an effect came out."""
    park = _one_park(draft, control)
    step, direction, effect = _effect_of(draft, park)
    if control.resolved == "done":
        if direction is Direction.DO:
            _set_output(draft, step, control)
        elif direction is Direction.UNDO:
            _require_fenced(draft, step, effect)
        draft.put(step, direction, replace(effect, status=EffectStatus.DONE, due=None))
        draft.unpark(step, direction)
        if direction is Direction.DO:
            _go_on_after_pivot(draft, step)
    elif control.resolved == "not-done":
        draft.put(step, direction, known_not_done(effect))
        # A rerun may go back from beyond the pivot, and then this answers what it waits for.
        if direction in BACKWARD or (draft.pivot_done and not draft.backward):
            draft.note("still not done: retry it, or skip it")
            return
        draft.unpark(step, direction)
        if not draft.backward:
            draft.failed_step, draft.code, draft.message = step, effect.code, effect.message
            draft.turn_back(Cause.FAILURE)
    else:
        msg = "say resolved=done or resolved=not-done"
        raise Refused(msg)


def _require_fenced(draft: Draft, step: str, undo: Effect) -> None:
    """A step is done again only where its last do can no longer come; an undo that was sent keeps it from that."""
    do = draft.effect(step, Direction.DO)
    unheard = do is not None and do.unheard and do.status is not EffectStatus.DONE
    if draft.rewind is not None and (undo.attempt == 0 or undo.unheard) and unheard:
        msg = f"{step} may still be done: nothing was heard of it nor of its undo; retry the undo, skip it, or cancel"
        raise Refused(msg)


def _go_on_after_pivot(draft: Draft, step: str) -> None:
    """A pivot without an undo is done after all, while the saga had turned back: from there it only goes forward."""
    spec = draft.definition.step(step)
    if spec.pivot and spec.undo is None and draft.backward and not draft.undoing:
        draft.backward, draft.rewind = None, None
        draft.failed_step, draft.code, draft.message = None, None, None
        draft.note("the pivot is done: the saga goes forward again")


def _skip(draft: Draft, control: Control) -> None:
    park = _one_park(draft, control)
    step, direction, effect = _effect_of(draft, park)
    if direction is Direction.DO and not draft.backward:
        _set_output(draft, step, control)
    # What is done stays done, whatever was asked about it: it is undone, or named as residue, as any other.
    if effect.status is not EffectStatus.DONE:
        draft.put(step, direction, replace(effect, status=EffectStatus.SKIPPED, due=None))
    if draft.rewind is not None:
        # What may remain of it must not be there twice: a rerun leaves it as it is, and goes on without it.
        left = draft.effect(step, Direction.UNDO) or draft.new_effect(EffectStatus.SKIPPED, 0)
        draft.put(step, Direction.UNDO, replace(left, status=EffectStatus.SKIPPED, due=None))
    draft.unpark(step, direction)


def _park(draft: Draft, control: Control) -> None:
    """The engine's own: an output that cannot be sent. Nobody has heard of that attempt, nor ever will."""
    if control.step is not None and control.direction is not None and draft.definition.has_step(control.step):
        effect = draft.effect(control.step, control.direction)
        if effect is not None and effect.status is EffectStatus.IN_FLIGHT:
            draft.put(control.step, control.direction, replace(effect, unheard=True))
    draft.park("OUTPUT_REFUSED", control.reason, control.step, control.direction)


def _require_open(draft: Draft) -> None:
    if draft.status in TERMINAL:
        msg = f"the saga has ended: {draft.status}"
        raise Refused(msg)


def _drop_forward_parks(draft: Draft) -> None:
    """Going back answers every question about going forward but whether an unknown effect happened."""

    def open_question(park: Park) -> bool:
        if park.direction is not Direction.DO or park.step is None:
            return park.direction in BACKWARD or park.excess
        do = draft.effect(park.step, Direction.DO)
        return do is not None and do.status is EffectStatus.UNKNOWN and not draft.can_undo_unknown(park.step)

    draft.parks = tuple(_told_again(park) for park in draft.parks if open_question(park))


def _told_again(park: Park) -> Park:
    """What is left over from going forward is told once more where going back has come to its end."""
    return dataclasses.replace(park, announced=False) if park.excess else park


def _parks(draft: Draft, control: Control) -> list[Park]:
    parks = [
        park
        for park in draft.parks
        if control.step in (None, park.step) and control.direction in (None, park.direction)
    ]
    if not parks:
        where = f"step {control.step!r}" if control.step else "the saga"
        msg = f"nothing of {where} waits for a person"
        raise Refused(msg)
    return parks


def _one_park(draft: Draft, control: Control) -> Park:
    found = _parks(draft, control)
    # What may be there twice is no question about an effect: a retry ends it.
    parks = [park for park in found if not park.excess] or found
    if len({(park.step, park.direction) for park in parks}) > 1:
        names = ", ".join(f"{park.direction} of {park.step}" for park in parks)
        msg = f"several things wait, name one: {names}"
        raise Refused(msg)
    return parks[0]


def _effect_of(draft: Draft, park: Park) -> tuple[str, Direction, Effect]:
    if park.step is None or park.direction is None or not draft.definition.has_step(park.step):
        msg = f"{park.code} is about no effect of a step: retry goes on without it"
        raise Refused(msg)
    if park.direction in BACKWARD and draft.definition.step(park.step).undo is None:
        msg = f"{park.step} has no undo: retry goes on without it"
        raise Refused(msg)
    effect = draft.effect(park.step, park.direction)
    return park.step, park.direction, effect or draft.new_effect(EffectStatus.NOT_DONE, 0)


def _set_output(draft: Draft, step: str, control: Control) -> None:
    """Later steps map from this output, so it has the type that the action's contract names."""
    completion = draft.definition.step(step).action.contract.completion
    state = draft.state_of(step)
    if control.output is None and state.output is not None:
        return
    if type(control.output) is not completion:
        name = completion.contract.name if completion else "nothing"
        msg = f"step {step!r} answers with {name}: give that as output"
        raise Refused(msg)
    draft.steps[step] = replace(state, output=Payload.of(control.output))


_GO_ON = frozenset(
    {ControlCommand.RESUME, ControlCommand.RETRY, ControlCommand.RESOLVE, ControlCommand.SKIP, ControlCommand.RERUN}
)
_HANDLERS: Mapping[ControlCommand, Callable[[Draft, Control], dict[str, object] | None]] = {
    ControlCommand.CANCEL: _cancel,
    ControlCommand.COMPENSATE: _compensate,
    ControlCommand.PAUSE: _pause,
    ControlCommand.RESUME: _resume,
    ControlCommand.RETRY: _retry,
    ControlCommand.RESOLVE: _resolve,
    ControlCommand.SKIP: _skip,
    ControlCommand.RERUN: rerun,
    ControlCommand.PARK: _park,
}
