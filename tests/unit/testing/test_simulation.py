"""The simulator itself: it finds what is planted, tells the same story twice, and knows when it proves nothing."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from msgspec.structs import replace as changed
from typing import Any

import pytest
from typer.testing import CliRunner

import consumers.claims
import orchestrator.batch
import orchestrator.core.advance
import orchestrator.core.draft
from consumers.testing import MemoryEffects, Simulated
from orchestrator.cli.main import app
from orchestrator.core.effects import EffectRow, RowStatus
from orchestrator.core.messages import Direction
from orchestrator.core.state import EffectStatus, Status
from orchestrator.messaging.event import Event, cause_of
from orchestrator.testing.simulation.loop import Process, VirtualLoop
from orchestrator.testing.simulation.plan import Fault, Plan
from orchestrator.testing.simulation.runner import Outcome, Report, play, shrink, simulate


# -- planted bugs --------------------------------------------------------------------------------------------------


def duplicates_applied(patch: pytest.MonkeyPatch) -> None:
    """The journal takes the same message twice."""
    fresh = itertools.count()
    patch.setattr(Event, "cause", property(lambda self: cause_of(self.source, f"{self.id}/{next(fresh)}")))


def duplicates_answered_with_nothing(patch: pytest.MonkeyPatch) -> None:
    """What was committed and not sent is not sent when its input comes again."""
    patch.setattr(orchestrator.batch, "_still_wanted", lambda outputs, state: [])


def tombstone_ignored(patch: pytest.MonkeyPatch) -> None:
    """A do whose undo has begun is done."""
    admit = consumers.claims.admit

    def careless(ask: Any, do: Any, undo: Any, now: Any) -> Any:
        if ask.direction is Direction.DO:
            undo = None
            do = None if do is not None and do.status is RowStatus.TOMBSTONE else do
        return admit(ask, do, undo, now)

    patch.setattr(consumers.claims, "admit", careless)


def lease_ignored(patch: pytest.MonkeyPatch) -> None:
    """A claim keeps nobody away."""
    patch.setattr(EffectRow, "held", lambda self, now: False)


def any_owner_may_settle(patch: pytest.MonkeyPatch) -> None:
    """A worker that has lost its claim writes its outcome all the same."""

    def settle(self: MemoryEffects, settlement: Any) -> bool:
        row = self.rows[settlement.identity]
        self.rows[settlement.identity] = changed(settlement.row, attempt=row.attempt, owner=None, lease_until=None)
        return True

    patch.setattr(MemoryEffects, "_settle", settle)


def undo_by_name(patch: pytest.MonkeyPatch) -> None:
    """Undone in the order of the alphabet."""

    def by_name(groups: Any) -> Any:
        return sorted(groups, key=lambda group: group[0].name)

    patch.setattr(orchestrator.core.advance, "reversed", by_name, raising=False)


def undo_does_not_wait(patch: pytest.MonkeyPatch) -> None:
    """Undos start while a do is in flight."""
    patch.setattr(orchestrator.core.draft.Draft, "doing", property(lambda self: False))


def unknown_is_not_undone(patch: pytest.MonkeyPatch) -> None:
    """A step that may have been done counts as not done."""
    needs_undo = orchestrator.core.advance.needs_undo

    def careless(draft: Any, step: Any) -> bool:
        do = draft.effect(step.name, Direction.DO)
        return needs_undo(draft, step) and do is not None and do.status is EffectStatus.DONE

    patch.setattr(orchestrator.core.advance, "needs_undo", careless)


PLANTED = [
    duplicates_applied, duplicates_answered_with_nothing, tombstone_ignored, lease_ignored, any_owner_may_settle,
    undo_by_name, undo_does_not_wait, unknown_is_not_undone,
]  # fmt: skip


# What brings an undo before its do: a command that lies unread until its step is given up. All faults find it as well,
# but later.
OVERTAKING = (Fault.STALL, Fault.OPERATOR, Fault.FAILED, Fault.LATE_DUPLICATE)


def first_failing(faults: tuple[Fault, ...] | None = None, most: int = 300) -> Outcome | None:
    plans = (Plan.of(seed) for seed in range(most))
    runs = (play(plan if faults is None else replace(plan, faults=faults), Simulated) for plan in plans)
    return next((found for found in runs if found.wrong), None)


@pytest.mark.parametrize("plant", PLANTED)
def test_a_planted_bug_is_found(monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None]) -> None:
    plant(monkeypatch)
    assert first_failing(OVERTAKING if plant is tombstone_ignored else None) is not None


def test_a_failing_seed_is_made_small_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    undo_by_name(monkeypatch)
    found = first_failing()
    assert found is not None
    small = shrink(found, Simulated)
    assert small.wrong
    assert len(small.plan.faults) < len(found.plan.faults)
    assert small.plan.sagas <= found.plan.sagas
    assert any("WRONG" in line or "has the system undo" in line for line in small.story)


# -- the simulator -------------------------------------------------------------------------------------------------


def test_seeds_pass_and_prove_something() -> None:
    report = simulate(iter(range(150)), Simulated)
    assert [(outcome.plan.seed, outcome.wrong) for outcome in report.failed] == []
    assert report.invalid == []
    assert report.twice > 0


def test_a_run_in_which_a_fault_never_struck_is_invalid() -> None:
    report = simulate(iter(range(40)), Simulated, without=frozenset({Fault.KILL}))
    assert "the fault kill never struck" in report.invalid


def test_a_run_of_which_nothing_completes_is_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    report = Report()
    outcome = play(Plan(0, (), 3), Simulated)
    report.add(replace(outcome, ended=Counter({Status.REVIEW: 3})))
    assert "without faults only 0 of 3 sagas completed" in report.invalid


def test_a_thousand_runs_without_a_replay_of_every_kind_are_invalid() -> None:
    report = Report(seeds=1000, kinds=Counter({"replay: new saga": 1}))
    assert "never happened: replay: new saga" not in report.invalid
    assert {"never happened: replay: continue saga", "never happened: replay: interrupted"} <= set(report.invalid)


def test_without_faults_everything_completes() -> None:
    outcome = play(replace(Plan.of(5), faults=()), Simulated)
    assert not outcome.wrong
    assert set(outcome.ended) == {Status.COMPLETED}
    assert not outcome.fired


def test_the_same_seed_is_the_same_run() -> None:
    for seed in (1, 2, 3):
        assert play(Plan.of(seed), Simulated).digest == play(Plan.of(seed), Simulated, keep=True).digest


def test_the_order_of_sets_of_texts_does_not_matter() -> None:
    """`PYTHONHASHSEED` changes the hashes of texts, and with them the order of their sets."""
    found = []
    for value in ("0", "1"):
        command = [sys.executable, "-m", "orchestrator.cli.main", "simulate", "--seed", "2", "-o", "json"]
        environment = {**os.environ, "PYTHONHASHSEED": value}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout)[0])
    assert found[0]["trace"] == found[1]["trace"]
    assert found[0] == found[1]


def test_the_command_fails_where_the_runs_prove_nothing() -> None:
    result = CliRunner().invoke(app, ["simulate", "--seeds", "2", "-o", "json"])
    assert result.exit_code == 1
    (report,) = json.loads(result.stdout)
    assert report["seeds"] == 2
    assert report["invalid"]
    assert report["failed"] == []


# -- the loop ------------------------------------------------------------------------------------------------------


def test_time_jumps_and_a_frozen_process_goes_on_where_it_stood() -> None:
    loop = VirtualLoop()
    process = Process("p", loop)
    seen: list[float] = []

    async def work() -> None:
        for _ in range(3):
            await asyncio.sleep(1000)
            seen.append(loop.time())

    async def main() -> None:
        task = process.run(work())
        loop.later(1500, process.freeze)
        loop.later(5000, process.thaw)
        await asyncio.sleep(10_000)
        assert task.done()

    loop.run_until_complete(main())
    loop.close()
    assert seen == [1000, 5000, 6000]


def test_a_killed_process_stops_with_all_its_tasks() -> None:
    loop = VirtualLoop()
    process = Process("p", loop)
    seen: list[str] = []

    async def child() -> None:
        await asyncio.sleep(100)
        seen.append("child")

    async def work() -> None:
        await asyncio.gather(child(), child())

    async def main() -> None:
        task = process.run(work())
        await asyncio.sleep(50)
        process.kill()
        await asyncio.sleep(100)
        assert task.cancelled()

    loop.run_until_complete(main())
    loop.close()
    assert seen == []
