"""The servers die and the workers freeze, under load: nothing is lost, nothing is done twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.core.state import Status
from orchestrator.messaging.errors import BrokerUnavailable
from schemas.models import VendorOnboardingRequested

pytestmark = [pytest.mark.native, pytest.mark.timeout(400)]

Make = Callable[[int], list[VendorOnboardingRequested]]

PLAN: dict[str, Any] = {
    "faults": [{"system": name, "fault": "slow", "seconds": 0.1} for name in ("erp", "portal", "suppliers", "mail")]
}
# Past the session's limit, so that others take over, and past the lease of a call to the ERP.
FROZEN_SECONDS = 20


async def test_databases_and_brokers_die_workers_freeze_and_are_replaced(make_world: Any, make_vendors: Make) -> None:
    world = make_world(PLAN, coordinators=2, consumers=2)
    stack = world.stack
    vendors = make_vendors(300)

    async def publish() -> None:
        for start in range(0, len(vendors), 10):
            while True:
                try:
                    await world.publish(vendors[start : start + 10])
                    break
                except BrokerUnavailable:
                    await asyncio.sleep(1)  # the same objects again are the same sagas
            await asyncio.sleep(0.5)

    async def nemesis() -> None:
        await asyncio.sleep(3)
        await asyncio.to_thread(stack.postgres.kill)
        await asyncio.sleep(2)
        await asyncio.to_thread(stack.postgres.start)
        await asyncio.sleep(2)
        await asyncio.to_thread(stack.broker.kill)
        await asyncio.sleep(1)
        await asyncio.to_thread(stack.broker.start)
        await asyncio.sleep(3)
        frozen = [stack.consumers["erp"][0], stack.consumers["mail"][0], stack.coordinators[0]]
        for worker in frozen:
            worker.pause()
        await asyncio.sleep(FROZEN_SECONDS)
        for worker in frozen:
            worker.resume()
        await asyncio.sleep(2)
        with world.engine.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        for worker in stack.workers():
            worker.terminate()
        for worker in stack.workers():
            assert await asyncio.to_thread(worker.wait, 40)
            assert worker.returncode == 0, worker.log_tail()
            stack.replace(worker)

    await asyncio.gather(publish(), nemesis())
    rows = await world.at_rest([vendor.saga_id for vendor in vendors], 200)
    stack.check()
    world.check_against_the_ledger(rows)
    waiting = {(park.step, park.code) for row in rows.values() for park in row.state.parks}
    # A mail whose worker froze in mid-call may have gone out; nothing else may need a person.
    assert waiting <= {("welcome-email", "OUTCOME_UNKNOWN"), ("welcome-email", "TIMEOUT")}
    counts = Counter(row.state.status for row in rows.values())
    assert counts[Status.COMPLETED] > 150
    assert counts[Status.COMPENSATED] > 40
