"""Holds what sagas say of themselves against what the systems say was done: the sandbox's ledger.

The ledger is written by the systems and knows nothing of the engine, so it is the witness of every claim about effects:
once, in order, and undone in reverse.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from orchestrator.core.definition import Saga, Step, Undo
from orchestrator.core.state import Effect, EffectStatus, SagaState

__all__ = ["Work", "audit"]


class Work(Protocol):
    """One line of a ledger: work that was really done. `name` is `system.action`, `reference` the saga's id."""

    @property
    def name(self) -> str: ...

    @property
    def reference(self) -> str | None: ...


def audit(sagas: Mapping[UUID, tuple[Saga, SagaState]], work: Iterable[Work]) -> list[str]:
    """What the two disagree about, in words; empty where all is well. `work` comes in the order it was done."""
    by_saga: dict[str, list[str]] = {}
    for line in work:
        by_saga.setdefault(line.reference or "", []).append(line.name)
    found: list[str] = []
    for saga_id, (definition, state) in sagas.items():
        done = by_saga.pop(str(saga_id), [])
        found += [
            f"{saga_id}: {what}" for what in (*_counts(definition, state, done), *_order(definition, state, done))
        ]
    found += [f"{names} for {reference or 'nobody'}, which is no saga" for reference, names in by_saga.items()]
    return found


def _name(action: Step | Undo) -> str:
    contract = action.action.contract
    return f"{contract.system}.{contract.action}"


def _counts(definition: Saga, state: SagaState, done: Sequence[str]) -> Iterator[str]:
    """Each effect happened as often as the saga says: once if done, never if not, at most once if nobody knows."""
    allowed: dict[str, list[tuple[int, int]]] = {}
    for step in definition:
        effects = state.steps.get(step.name)
        do = effects.do if effects else None
        allowed.setdefault(_name(step), []).append(_times(do))
        for _ in effects.undone if effects else ():
            # A round that was undone: whether it had been done nobody knows any more.
            allowed[_name(step)].append((0, 1))
            if step.undo is not None:
                allowed.setdefault(_name(step.undo), []).append((0, 1))
        if step.undo is not None:
            least, most = _times(effects.undo if effects else None)
            # An undo that found nothing to undo is done, too.
            certain = do is not None and do.status is EffectStatus.DONE
            allowed.setdefault(_name(step.undo), []).append((least if certain else 0, most))
    for name, bounds in allowed.items():
        least, most = sum(low for low, _ in bounds), sum(high for _, high in bounds)
        times = done.count(name)
        if not least <= times <= most:
            expected = str(least) if least == most else f"{least} to {most}"
            yield f"{name} was done {times} times, and the saga says {expected}"
    for name in sorted(set(done) - set(allowed)):
        yield f"{name} was done, and the definition does not ask for it"


def _times(effect: Effect | None) -> tuple[int, int]:
    # What was only recorded is in no ledger, whatever its status is.
    if effect is None or effect.shadow or effect.status in (EffectStatus.NOT_DONE, EffectStatus.SKIPPED):
        return 0, 0
    return (1, 1) if effect.status is EffectStatus.DONE else (0, 1)


def _order(definition: Saga, state: SagaState, done: Sequence[str]) -> Iterator[str]:
    """Forward in the order of the groups, undone in reverse between groups; forward again only in a new round."""
    again = any(step.round > 1 for step in state.steps.values())
    forward = {_name(step): definition.group_of(step.name) for step in definition}
    backward = {_name(step.undo): definition.group_of(step.name) for step in definition if step.undo}
    at, turned = 0, False
    for name in done:
        if name in backward:
            group = backward[name]
            if turned and group > at:
                yield f"{name} was done out of order: {', '.join(done)}"
            turned, at = True, group
        elif name in forward:
            group = forward[name]
            if turned and again:
                turned, at = False, group
            if turned or group < at:
                yield f"{name} was done out of order: {', '.join(done)}"
            at = max(at, group)
