"""Many runs: what failed, made small and told; and whether the runs were worth anything."""

from __future__ import annotations

import gc
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from orchestrator.core.state import Status
from orchestrator.testing.simulation.definitions import ACTIONS
from orchestrator.testing.simulation.invariants import check
from orchestrator.testing.simulation.loop import StuckError
from orchestrator.testing.simulation.plan import Fault, Plan
from orchestrator.testing.simulation.replays import KINDS
from orchestrator.testing.simulation.world import World
from schemas.models import ControlCommand, SagaControl, SagaEnded, SagaRerun, StepFailed, SystemState

__all__ = ["Outcome", "Report", "play", "quietly", "shrink", "simulate", "undisturbed"]

_TWICE_EVERY = 100
# Rarely, and the garbage no longer fits into the caches of the machine: a seventh of the speed.
_COLLECT_EVERY = 3
_TELL_EVERY = 20
_CLEAN_SHARE = 0.999
_LEAST_MESSAGES = 200
_MANY = 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. `wrong` are pairs of a saga, or nobody, and what did not hold."""

    plan: Plan
    digest: str
    delivered: int
    wrong: Sequence[tuple[str, str]]
    fired: Counter[Fault]
    kinds: Counter[str]
    ended: Counter[Status]
    excess: int
    unnoticed: int
    story: Sequence[str] = ()


@dataclass(slots=True)
class Report:
    """What many runs came to."""

    seeds: int = 0
    seconds: float = 0.0
    busy: float = 0.0
    delivered: int = 0
    twice: int = 0
    failed: list[Outcome] = field(default_factory=list)
    fired: Counter[Fault] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    ended: Counter[Status] = field(default_factory=Counter)
    clean: Counter[Status] = field(default_factory=Counter)
    excess: int = 0
    unnoticed: int = 0
    unnoticed_in: list[int] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """One more run."""
        self.seeds += 1
        self.delivered += outcome.delivered
        self.fired += outcome.fired
        self.kinds += outcome.kinds
        self.ended += outcome.ended
        self.excess += outcome.excess
        self.unnoticed += outcome.unnoticed
        if outcome.unnoticed:
            self.unnoticed_in.append(outcome.plan.seed)
        if not outcome.plan.faults:
            self.clean += outcome.ended
        if outcome.wrong:
            self.failed.append(outcome)

    @property
    def messages(self) -> float:
        """Messages that a seed delivered on average."""
        return self.delivered / max(1, self.seeds)

    @property
    def rate(self) -> float:
        """Seeds a second."""
        return self.seeds / self.seconds if self.seconds else 0.0

    @property
    def rate_of_core(self) -> float:
        """Seeds a second of one core's time, whoever else uses the machine."""
        return self.seeds / self.busy if self.busy else 0.0

    @property
    def invalid(self) -> list[str]:
        """Why the runs prove nothing, however well they went."""
        found = [f"the fault {fault.value} never struck" for fault in Fault if not self.fired[fault]]
        found += [f"no {kind} was ever sent" for kind in _expected_kinds() if not self.kinds[kind]]
        clean = self.clean.total()
        if not clean:
            found.append("no run was without faults")
        elif self.clean[Status.COMPLETED] < _CLEAN_SHARE * clean:
            found.append(f"without faults only {self.clean[Status.COMPLETED]} of {clean} sagas completed")
        if self.seeds >= _MANY and not self.excess:
            found.append("no blind system ever did a thing once too often after a freeze")
        if self.seeds >= _MANY:
            found += [f"never happened: {kind}" for kind in KINDS if not self.kinds[kind]]
        if self.messages < _LEAST_MESSAGES:
            found.append(f"a seed delivered {self.messages:.0f} messages, not {_LEAST_MESSAGES}")
        return found


def _expected_kinds() -> list[str]:
    records: list[Any] = [StepFailed, SagaEnded, SagaControl, SagaRerun, SystemState]
    for action in ACTIONS:
        records += [action, action.contract.completion]
    engines = {ControlCommand.wake, ControlCommand.park}
    kinds = [record.contract.type for record in records]
    kinds += [f"dead letter of {ACTIONS[0].contract.type}"]
    return [*kinds, *(f"control {command.value}" for command in ControlCommand if command not in engines)]


def play(plan: Plan, kit: Any, *, keep: bool = False, sagas: Sequence[str] = ()) -> Outcome:
    """One run; with its story, of those sagas, where `keep`."""
    world = World(plan, kit, keep=keep)
    try:
        world.run()
    except StuckError:
        world.wrong("", "everybody waits for somebody else")
    wrong = check(world)
    wrong += [(saga, "done once too often, and nobody was asked") for saga in world.unnoticed]
    ended = Counter(row.status for row in world.store.tables.sagas.values())
    for saga_id, row in world.store.tables.sagas.items():
        world.tell(str(saga_id), f"is {row.status.value} at revision {row.revision}")
    told = sagas or [saga for saga, _ in wrong if saga]
    story = world.trace.story(told) if keep else ()
    return Outcome(
        plan, world.trace.digest(), world.delivered, wrong, world.fired, world.kinds, ended,
        len(world.excess), len(world.unnoticed), story,
    )  # fmt: skip


def quietly(plan: Plan, kit: Any) -> Outcome:
    """One run with its story; of the sagas that failed, or of all."""
    with undisturbed():
        return play(plan, kit, keep=True)


def simulate(
    seeds: Iterator[int],
    kit: Any,
    *,
    clock: Callable[[], float] = time.monotonic,
    until: float | None = None,
    without: frozenset[Fault] = frozenset(),
    told: Callable[[Report], None] = lambda _: None,
) -> Report:
    """Play those seeds, up to that time of the clock; one in a hundred twice, and it must come out the same."""
    report = Report()
    began, worked = clock(), time.process_time()
    with undisturbed():
        for seed in seeds:
            if until is not None and clock() >= until:
                break
            outcome = play(Plan.of(seed, without), kit)
            if seed % _TWICE_EVERY == 1:
                report.twice += 1
                if play(outcome.plan, kit).digest != outcome.digest:
                    outcome = replace(outcome, wrong=[*outcome.wrong, ("", "the same seed went another way")])
            report.add(outcome)
            report.seconds, report.busy = clock() - began, time.process_time() - worked
            if report.seeds % _COLLECT_EVERY == 0:
                gc.collect()
            if report.seeds % _TELL_EVERY == 0:
                told(report)
    return report


def shrink(outcome: Outcome, kit: Any) -> Outcome:
    """The smallest run with the same seed that still fails: fewer faults, fewer sagas. With its story."""
    plan, smallest = outcome.plan, outcome
    with undisturbed():
        for fault in outcome.plan.faults:
            smaller = replace(plan, faults=tuple(kept for kept in plan.faults if kept is not fault))
            if (found := play(smaller, kit)).wrong:
                plan, smallest = smaller, found
        for count in (1, 2, 4, 8, plan.sagas // 2):
            if count < plan.sagas and (found := play(replace(plan, sagas=count), kit)).wrong:
                plan, smallest = found.plan, found
                break
        return play(smallest.plan, kit, keep=True)


@contextmanager
def undisturbed() -> Iterator[None]:
    """No log lines, and no collection of garbage in mid-run."""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=structlog.ReturnLoggerFactory(),
    )
    collecting = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if collecting:
            gc.enable()
        structlog.configure(**before)
