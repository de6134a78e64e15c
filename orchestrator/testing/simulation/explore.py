"""Troubles at every step of one definition, and what each leaves behind: the work of `saga check-definition`."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from orchestrator.core.definition import Saga
from orchestrator.core.state import Status
from orchestrator.testing.evidence import Case
from orchestrator.testing.simulation.aim import Aim, Trouble
from orchestrator.testing.simulation.invariants import check, evidence
from orchestrator.testing.simulation.loop import StuckError
from orchestrator.testing.simulation.plan import Plan
from orchestrator.testing.simulation.runner import undisturbed
from orchestrator.testing.simulation.world import World
from schemas.models import Record

__all__ = ["Ending", "Finding", "Trial", "explore", "try_seed"]

_COLLECT_EVERY = 3


class Ending(IntEnum):
    """How a trial ended, the worse the higher.

    CLEAN: all of it is there, or nothing. OFFSET: something is balanced by an opposite entry, as the definition says.
    ACCEPTED: something remains that the definition accepts. REVIEW: a person is asked. UNNOTICED: something remains,
    or was done twice, and nobody is told; or some other promise of the engine did not hold.
    """

    CLEAN = 0
    OFFSET = 1
    ACCEPTED = 2
    REVIEW = 3
    UNNOTICED = 4


@dataclass(frozen=True, slots=True)
class Trial:
    """One run: what befell which step, how the saga ended, and which steps' work may remain although it goes back."""

    seed: int
    step: str
    trouble: Trouble
    rejected: str | None
    status: Status | None
    ending: Ending
    remains: Sequence[str]
    wrong: Sequence[str]
    story: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """All trials of one trouble at one step; `worst` is the one to look at."""

    worst: Trial
    trials: int

    @property
    def text(self) -> str:
        """What it comes to, for a person."""
        trial = self.worst
        names = ", ".join(trial.remains)
        remains = f"{names} remains" if len(trial.remains) == 1 else f"{names} remain"
        match trial.ending:
            case Ending.UNNOTICED:
                return "; ".join(trial.wrong)
            case Ending.REVIEW:
                return f"goes to review; until then {remains}" if names else "goes to review; nothing remains"
            case Ending.ACCEPTED:
                return f"undone, but {remains}, which the definition accepts"
            case Ending.OFFSET:
                return f"undone; {names} is balanced by an opposite entry"
            case _:
                return "completed" if trial.status is Status.COMPLETED else "undone without a trace"


def explore(definition: Saga, request: Record, kit: Any, seeds: Iterable[int]) -> list[Finding]:
    """Play those seeds; one finding for each step and trouble, in the order of the definition."""
    found: dict[tuple[str, Trouble], list[Trial]] = {}
    with undisturbed():
        for number, seed in enumerate(seeds):
            trial = _trial(definition, request, kit, seed, keep=False)
            found.setdefault((trial.step, trial.trouble), []).append(trial)
            if number % _COLLECT_EVERY == 0:
                gc.collect()
    order = [step.name for step in definition]
    keys = sorted(found, key=lambda key: (order.index(key[0]), list(Trouble).index(key[1])))
    return [Finding(max(found[key], key=lambda trial: (trial.ending, -trial.seed)), len(found[key])) for key in keys]


def try_seed(definition: Saga, request: Record, kit: Any, seed: int) -> Trial:
    """One trial, with its story."""
    with undisturbed():
        return _trial(definition, request, kit, seed, keep=True)


def _trial(definition: Saga, request: Record, kit: Any, seed: int, *, keep: bool) -> Trial:
    aim = Aim.of(seed, definition, request)
    world = World(Plan(seed, (), 1), kit, keep=keep, aim=aim)
    try:
        world.run()
    except StuckError:
        world.wrong("", "everybody waits for somebody else")
    wrong = [what for _, what in check(world)]
    wrong += ["done once too often at a blind system, and nobody was asked"] * len(world.unnoticed)
    story = world.trace.story([]) if keep else ()
    cases = evidence(world).cases
    if not cases:
        return Trial(seed, aim.step, aim.trouble, aim.rejected, None, Ending.UNNOTICED, (), wrong, story)
    remains, ending = _judge(cases[0])
    return Trial(
        seed, aim.step, aim.trouble, aim.rejected, cases[0].state.status,
        Ending.UNNOTICED if wrong else ending, remains, wrong, story,
    )  # fmt: skip


def _judge(case: Case) -> tuple[Sequence[str], Ending]:
    """What remains of a saga that is not completed, and how much of that is known to people."""
    if case.state.status is Status.COMPLETED:
        return (), Ending.CLEAN
    remains = [step.name for step in case.definition if case.there(step.name)]
    if case.state.status is Status.REVIEW:
        return remains, Ending.REVIEW
    if remains:
        return remains, Ending.ACCEPTED
    done = {line.step for line in case.lines if line.direction == "undo"}
    offset = [s.name for s in case.definition if s.undo is not None and s.undo.leaves == "offset" and s.name in done]
    return (offset, Ending.OFFSET) if offset else ((), Ending.CLEAN)
