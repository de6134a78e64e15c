"""What became of each effect of a saga that went back: gone, balanced, still there, or nobody knows."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from orchestrator.core.definition import Saga, Step
from orchestrator.core.state import Cause, EffectStatus, SagaState, StepState

__all__ = ["Ending", "endings"]


class Ending(StrEnum):
    """How a done step ended in a saga that was undone.

    clean: gone. offset: balanced by an opposite entry, as the definition says. residual: still there. unknown: nobody
    can say.
    """

    CLEAN = "clean"
    OFFSET = "offset"
    RESIDUAL = "residual"
    UNKNOWN = "unknown"


def endings(definition: Saga, state: SagaState) -> Mapping[str, Ending]:
    """How each step ended that was, or may have been, done; empty while the saga goes forward.

    A step whose undo is still to come, or on its way, has no ending yet.
    """
    if state.backward in (None, Cause.RERUN):
        return {}
    found = {step.name: _ending(step, state.steps[step.name], state) for step in definition if step.name in state.steps}
    return {name: ending for name, ending in found.items() if ending is not None}


def _ending(step: Step, effects: StepState, state: SagaState) -> Ending | None:
    do, undo = effects.do, effects.undo
    if do is None or do.shadow or do.status not in (EffectStatus.DONE, EffectStatus.UNKNOWN):
        return None  # what was only recorded leaves nothing behind
    left = Ending.RESIDUAL if do.status is EffectStatus.DONE else Ending.UNKNOWN
    if undo is None:
        return left if state.terminal or step.undo is None else None
    match undo.status:
        case EffectStatus.DONE:
            return _verified(step, effects)
        case EffectStatus.SKIPPED | EffectStatus.NOT_DONE:
            return left
        case EffectStatus.UNKNOWN:
            return Ending.UNKNOWN
        case _:
            return None


def _verified(step: Step, effects: StepState) -> Ending | None:
    assert step.undo is not None
    probe = effects.probe
    if probe is None or probe.status is EffectStatus.DONE:
        waits = probe is None and step.undo.verify
        return None if waits else Ending(step.undo.leaves)
    if probe.code == "RESIDUE":
        return Ending.RESIDUAL
    return None if probe.status in (EffectStatus.IN_FLIGHT, EffectStatus.WAITING) else Ending.UNKNOWN
