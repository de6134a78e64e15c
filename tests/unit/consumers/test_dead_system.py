"""A system that is dead, or answers too late, counted: after its breaker opens there is one probe at a time."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from consumers.connectors.breaker import Breaker, BreakerPolicy, BreakerState
from consumers.connectors.guard import Guard, InPlace, Verdict
from consumers.errors import Failed
from consumers.system import Call, System
from orchestrator.core.sample import fitting
from schemas.models import CreateVendor, VendorCreated

POLICY = BreakerPolicy(window=30, minimum=5, slow_seconds=2, open_seconds=5, probe_seconds=20)


class Sick:
    """A system behind a guard. `state` is dead, slow or well; `sends` are the times at which it was called."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.state = "dead"
        self.sends: list[tuple[float, BreakerState]] = []
        self.together = self.most = 0
        self.guard = Guard(Breaker(POLICY), InPlace(), clock=clock.monotonic, sleep=clock.sleep)
        self.system = System("erp", gate=self.guard.wait)
        self.system.action(CreateVendor, timeout=60.0)(self._handle)

    async def _handle(self, command: CreateVendor, call: Call) -> VendorCreated:
        await self.guard.run(call, self._once)
        return fitting(VendorCreated)

    async def _once(self) -> Verdict:
        before = self.guard.breaker.state(self.clock.monotonic())
        self.sends.append((self.clock.monotonic(), before))
        if before is not BreakerState.CLOSED:
            self.together += 1
            self.most = max(self.most, self.together)
        try:
            await self.clock.sleep(3.0 if self.state == "slow" else 0.01)
        finally:
            self.together -= before is not BreakerState.CLOSED
        if self.state == "dead":
            return Verdict(error=Failed("CANNOT_CONNECT", "refused"), again=True, healthy=False)
        return Verdict({})


@pytest.mark.parametrize("state", ["dead", "slow"])
async def test_after_the_breaker_opens_there_are_no_more_calls_than_probes(make_worker: Any, state: str) -> None:
    first = make_worker(System("erp"))  # for its clock
    sick = Sick(first.clock)
    sick.state = state
    worker = make_worker(sick.system, clock=first.clock)
    for number in range(300):
        worker.command(fitting(CreateVendor), step=f"s{number}")
    while not sick.guard.breaker._opened:
        await worker.work(1)
    opened, started = sick.clock.monotonic(), len(sick.sends)
    while sick.clock.monotonic() < opened + 120:
        await worker.work(1)
    later = sick.sends[started:]
    # One each time that it had been open for so long, and never two at once.
    assert 10 <= len(later) <= (sick.clock.monotonic() - opened) / POLICY.open_seconds + 1
    assert sick.most == 1
    assert {before for _, before in later} == {BreakerState.HALF_OPEN}
    sick.state = "well"
    for _ in range(400):
        await worker.work(1)
        if len(worker.answers) == 300:
            break
    # Whoever waited has burnt no attempt, and is done; only what was called while it was failing came back.
    done = [record for record, _ in worker.answers if isinstance(record, VendorCreated)]
    assert len(worker.answers) == 300
    assert len(done) >= 300 - started - len(later)


@pytest.mark.parametrize("slow", [True, False])
async def test_a_slow_answer_is_no_better_than_none_for_the_breaker(make_worker: Any, slow: bool) -> None:
    clock = make_worker(System("erp")).clock
    sick = Sick(clock)
    sick.state = "slow" if slow else "well"
    worker = make_worker(sick.system, clock=clock)
    for number in range(10):
        worker.command(fitting(CreateVendor), step=f"s{number}")
        await worker.work(2)
    assert (sick.guard.wait() is not None) is slow


async def test_ten_at_once_send_one_probe(make_worker: Any) -> None:
    clock = make_worker(System("erp")).clock
    sick = Sick(clock)

    async def renew() -> None: ...

    calls = [Call(UUID(int=n), "s", "do", 1, "k", renew) for n in range(10)]
    for call in calls:
        await asyncio.gather(sick.guard.run(call, sick._once), return_exceptions=True)
    clock.seconds += POLICY.open_seconds
    sick.state, before = "well", len(sick.sends)
    results = await asyncio.gather(*(sick.guard.run(call, sick._once) for call in calls), return_exceptions=True)
    assert len(sick.sends) == before + 1
    assert [r.code for r in results if isinstance(r, Failed)] == ["CIRCUIT_OPEN"] * 9
    assert sick.guard.wait() is None
