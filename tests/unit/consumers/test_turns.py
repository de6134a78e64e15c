"""Who is next: fresh work before a backlog, and neither for ever."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from consumers.system import Call, System
from consumers.turns import Turns
from orchestrator.core.sample import fitting
from schemas.models import CreateVendor, VendorCreated


class Queue:
    """Turns under a clock of the test, and the order in which they came."""

    def __init__(self, share: float = 0.8) -> None:
        self.now = 1000.0
        self.turns = Turns(late=30.0, share=share, clock=lambda: self.now)
        self.order: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def stand(self, name: str, waited: float = 0.0) -> None:
        async def wait() -> None:
            await self.turns.acquire(self.now - waited)
            self.order.append(name)

        self.tasks[name] = asyncio.create_task(wait())
        await asyncio.sleep(0)

    async def turn(self) -> None:
        self.turns.release()
        for _ in range(3):
            await asyncio.sleep(0)


async def test_within_each_kind_it_is_first_come_first_served() -> None:
    queue = Queue()
    for name in "abc":
        await queue.stand(name)
    for _ in range(3):
        await queue.turn()
    assert queue.order == list("abc")
    assert not queue.turns.locked()


async def test_a_backlog_gets_its_share_while_fresh_work_waits() -> None:
    queue = Queue()
    for number in range(200):
        await queue.stand(f"old {number}", 3600)
        await queue.stand(f"new {number}")
    for _ in range(100):
        await queue.turn()
    counts = Counter(name[:3] for name in queue.order[1:])
    assert 78 <= counts["old"] <= 80
    assert 20 <= counts["new"] <= 22


async def test_little_fresh_work_does_not_wait_for_the_backlog() -> None:
    queue = Queue()
    for number in range(60):
        await queue.stand(f"old {number}", 3600)
    places = []
    for number in range(50):
        if number % 10 == 5:
            await queue.stand(f"new {number}")
            places.append(len(queue.order))
        await queue.turn()
    assert [queue.order[place][:3] for place in places] == ["new"] * 5


async def test_either_alone_gets_all() -> None:
    for waited in (0.0, 3600.0):
        queue = Queue()
        for number in range(20):
            await queue.stand(str(number), waited)
        for _ in range(20):
            await queue.turn()
        assert queue.order == [str(number) for number in range(20)]


async def test_what_waits_for_long_grows_old() -> None:
    queue = Queue()
    for name in ("first", "was new"):
        await queue.stand(name)
    queue.now += 60
    await queue.stand("old", 3600)
    await queue.turn()
    assert queue.order == ["first", "old"]
    await queue.turn()
    assert queue.order == ["first", "old", "was new"]


async def test_who_gave_up_has_no_turn_and_takes_none_away() -> None:
    queue = Queue()
    for name in "abcd":
        await queue.stand(name)
    queue.tasks["b"].cancel()
    await asyncio.sleep(0)
    queue.turns.release()
    queue.tasks["c"].cancel()  # its turn has come, but it has not heard of it
    for _ in range(3):
        await asyncio.sleep(0)
    assert queue.order == ["a", "d"]
    assert queue.turns.locked()


class Erp:
    def __init__(self, rate: float) -> None:
        self.calls: list[str] = []
        self.system = System("erp", rate=rate)
        self.system.action(CreateVendor, timeout=5.0)(self._handle)

    async def _handle(self, command: CreateVendor, call: Call) -> VendorCreated:
        await call.renew()
        self.calls.append(call.step)
        return fitting(VendorCreated)


@pytest.mark.parametrize("fresh", [4, 40])
async def test_after_an_outage_what_is_asked_now_goes_before_what_waited(make_worker: Any, fresh: int) -> None:
    erp = Erp(10)
    worker = make_worker(erp.system)
    for number in range(160):
        worker.command(fitting(CreateVendor), step=f"old {number}")
    worker.clock.seconds += 3600
    for number in range(fresh):
        worker.command(fitting(CreateVendor), step=f"new {number}")
    for _ in range(4000):
        await worker.work(1)
        if len(erp.calls) == 160 + fresh:
            break
    assert len(worker.answers) == 160 + fresh
    last = max(place for place, step in enumerate(erp.calls) if step.startswith("new"))
    # One of five is theirs, and the others are not held up for more.
    assert fresh * 4 <= last + 5 <= fresh * 5 + 10
    for kind in ("old", "new"):
        mine = [int(step[4:]) for step in erp.calls if step.startswith(kind)]
        assert mine == sorted(mine)
