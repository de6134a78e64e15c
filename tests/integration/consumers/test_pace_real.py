"""A limit that real workers share, while they are killed, replaced under another limit, and left without a database."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from orchestrator.core.state import TERMINAL
from schemas.models import VendorOnboardingRequested

pytestmark = [pytest.mark.native, pytest.mark.timeout(300)]

RATE = "SAGA_SYSTEM_OPTIONS__ERP__RATE"


def _calls(world: Any) -> list[datetime]:
    return [datetime.fromisoformat(line.at) for line in world.ledger().calls(system="erp")]


def _kept(times: list[datetime], rate: float) -> bool:
    """Whether no more were made than the limit allows, whatever the machine was doing meanwhile."""
    return len(times) <= rate * 1.1 * (times[-1] - times[0]).total_seconds() + rate * 0.1 + 10


async def test_a_shared_limit_holds_and_loses_nothing_whatever_becomes_of_workers_and_database(
    make_world: Any, make_vendors: Callable[[int], list[VendorOnboardingRequested]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RATE, "20")
    world = make_world()
    stack = world.stack
    await world.running(stack.start_consumer("erp"))
    vendors = make_vendors(500)
    await world.publish(vendors)
    await asyncio.sleep(6)
    killed, other = stack.consumers["erp"]
    before = _calls(world)
    killed.kill()
    monkeypatch.setenv(RATE, "60")
    stack.replace(killed)  # for a while one worker counts by the old limit, and one by the new
    await asyncio.sleep(3)
    await asyncio.to_thread(stack.postgres.kill)
    await asyncio.sleep(3)
    await asyncio.to_thread(stack.postgres.start)
    await asyncio.sleep(2)
    other.terminate()
    assert await asyncio.to_thread(other.wait, 40)
    assert other.returncode == 0, other.log_tail()
    stack.replace(other)
    rows = await world.at_rest([vendor.saga_id for vendor in vendors], 200)
    stack.check()
    world.check_against_the_ledger(rows)
    assert {row.state.status for row in rows.values()} <= TERMINAL
    assert _kept(before, 20)
    after = _calls(world)
    assert _kept(after, 60)
    # Nobody waited for a place so long that an attempt was given up for it.
    attempts = Counter(step.do.attempt for row in rows.values() for step in row.state.steps.values() if step.do)
    assert max(attempts) <= 3, attempts
