"""What a saga does next, from where it stands now: go forward, go back, wait, or end.

It looks at the state only, never at the message that led there, so every way into a state continues alike.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.definition import Step
from orchestrator.core.draft import BACKWARD, Draft
from orchestrator.core.messages import DeadRequest, Direction, Ended, Parked
from orchestrator.core.rewind import begin_again, needs_undo
from orchestrator.core.state import Cause, EffectStatus, Status

__all__ = ["advance", "waits_for_later_undos"]


def advance(draft: Draft) -> None:
    """Send what is due, and set the status."""
    busy = False
    if not draft.blocked:
        busy = _go_back(draft) if draft.backward else _go_forward(draft)
    if draft.parks and (draft.blocked or not busy):
        _review(draft)


def _go_forward(draft: Draft) -> bool:
    """Whether there is more to come."""
    for group in draft.definition.groups:
        open_ = [step for step in group if not draft.is_settled(step.name, Direction.DO)]
        if open_:
            draft.status = Status.RUNNING
            _send_due(draft, open_, Direction.DO)
            return True
    _end(draft, Status.COMPLETED)
    return False


def _go_back(draft: Draft) -> bool:
    """Whether there is more to come."""
    if draft.doing:
        draft.status = Status.COMPENSATING
        return True
    for group in reversed(draft.definition.groups):
        open_ = [step for step in group if needs_undo(draft, step) and not _undone_or_left(draft, step)]
        if open_:
            draft.status = Status.COMPENSATING
            undone = [step for step in open_ if draft.is_settled(step.name, Direction.UNDO)]
            _send_due(draft, [step for step in open_ if step not in undone], Direction.UNDO)
            _send_due(draft, undone, Direction.PROBE)
            # An undo that could not even be sent is left behind at once, where the definition says to go on.
            if draft.blocked or not all(_undone_or_left(draft, step) for step in open_):
                return True
    if draft.parks:
        return False
    if draft.rewind is not None:
        begin_again(draft)
        return _go_forward(draft)
    _end(draft, Status.CANCELLED if draft.backward is Cause.CANCEL else Status.COMPENSATED)
    return False


def _send_due(draft: Draft, steps: list[Step], direction: Direction) -> None:
    if draft.paused:
        return
    for step in steps:
        effect = draft.effect(step.name, direction)
        if effect is None or (effect.status is EffectStatus.WAITING and effect.is_due(draft.now)):
            draft.send(step.name, direction)


def _is_done(draft: Draft, step: Step, direction: Direction) -> bool:
    effect = draft.effect(step.name, direction)
    return effect is not None and effect.status is EffectStatus.DONE


def _undone_or_left(draft: Draft, step: Step) -> bool:
    """Whether the undo is done and, where that is asked for, verified; or waits for a person while others go on."""
    return any(draft.is_parked(step.name, direction) for direction in BACKWARD) or _undone(draft, step)


def _undone(draft: Draft, step: Step) -> bool:
    """Whether the undo is done and, where that is asked for, verified."""
    if not draft.is_settled(step.name, Direction.UNDO):
        return False
    verify = step.undo is not None and step.undo.verify and _is_done(draft, step, Direction.UNDO)
    return not verify or draft.is_settled(step.name, Direction.PROBE)


def waits_for_later_undos(draft: Draft, name: str) -> bool:
    """Whether what started after that step has to be undone before it."""
    group_of = draft.definition.group_of
    return any(
        group_of(step.name) > group_of(name) and needs_undo(draft, step) and not _undone(draft, step)
        for step in draft.definition
    )


def _review(draft: Draft) -> None:
    new = [park for park in draft.parks if not park.announced]
    draft.status = Status.REVIEW
    draft.parks = tuple(replace(park, announced=True) for park in draft.parks)
    for park in new:
        draft.outputs.append(Parked(park.step, park.direction, park.code, park.message))
    if new:
        first = new[0]
        draft.outputs.append(Ended(Status.REVIEW, first.step, first.code, first.message, _residue(draft)))


def _end(draft: Draft, status: Status) -> None:
    if draft.base.status is status:
        return
    draft.status = status
    if status is Status.COMPLETED:
        outputs = {name: s.output for name, s in draft.steps.items() if s.output is not None}
        draft.outputs.append(Ended(status, outputs=outputs))
        return
    draft.outputs.append(Ended(status, draft.failed_step, draft.code, draft.message, _residue(draft)))
    # Somebody asked for a cancelled saga, so it leaves no dead letter; one that was reopened has left its own.
    if status is Status.COMPENSATED and draft.failed_step is not None and not draft.buried:
        draft.buried = True
        draft.outputs.append(DeadRequest(draft.failed_step, draft.code or "", draft.message or ""))


def _residue(draft: Draft) -> tuple[str, ...]:
    """Steps whose effect may remain although the saga is not going forward, or may be there twice."""
    back = draft.backward is not None and draft.rewind is None
    names = []
    for step in draft.definition:
        if any(park.excess and park.step == step.name for park in draft.parks):
            names.append(step.name)
            continue
        if draft.is_shadow(step.name):
            continue
        do, undo = draft.state_of(step.name).do, draft.state_of(step.name).undo
        probe = draft.state_of(step.name).probe
        maybe = do is not None and do.status in (EffectStatus.DONE, EffectStatus.UNKNOWN)
        gone = undo is not None and undo.status is EffectStatus.DONE
        if back and maybe and not (gone and (probe is None or probe.status is EffectStatus.DONE)):
            names.append(step.name)
    return tuple(names)
