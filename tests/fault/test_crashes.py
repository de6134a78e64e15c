"""Workers die at any moment, and nothing is lost or done twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.core.state import Status
from schemas.models import VendorOnboardingRequested

Make = Callable[[int], list[VendorOnboardingRequested]]

pytestmark = [pytest.mark.native, pytest.mark.timeout(400)]

PLAN: dict[str, Any] = {
    "faults": [
        {"system": "erp", "action": "create_vendor", "fault": "drop_answer", "times": 12},
        {
            "system": "erp",
            "action": "deactivate_vendor",
            "fault": "error",
            "status": 503,
            "code": "TRANSIENT_ERROR",
            "times": 4,
        },
        {"system": "portal", "action": "create_account", "fault": "error", "status": 500, "times": 12},
        {"system": "portal", "action": "close_account", "fault": "drop_answer", "times": 4},
        {"system": "suppliers", "action": "approve", "fault": "rate_limit", "retry_after": 1, "times": 8},
        {"system": "suppliers", "action": "approve", "fault": "down", "times": 6},
        {
            "system": "mail",
            "match": {"recipient": "ada13@vendors.example"},
            "fault": "error",
            "code": "MAILBOX_UNAVAILABLE",
        },
        *({"system": name, "fault": "slow", "seconds": 0.15} for name in ("erp", "portal", "suppliers", "mail")),
    ]
}


async def test_every_kind_of_worker_is_killed_twice_in_mid_run(make_world: Any, make_vendors: Make) -> None:
    world = make_world(PLAN)
    vendors = make_vendors(200)
    chance = random.Random(7)

    async def publish() -> None:
        for start in range(0, len(vendors), 10):
            await world.publish(vendors[start : start + 10])
            await asyncio.sleep(0.5)

    async def kill_twice(kind: str) -> None:
        for _ in range(2):
            await asyncio.sleep(chance.uniform(1, 3))
            workers = world.stack.coordinators if kind == "coordinator" else world.stack.consumers[kind]
            dying = workers[0]
            dying.kill()
            await world.running(world.stack.replace(dying))

    kinds = ["coordinator", *world.stack.consumers]
    await asyncio.gather(publish(), *(kill_twice(kind) for kind in kinds))
    rows = await world.at_rest([vendor.saga_id for vendor in vendors], 200)
    world.check_against_the_ledger(rows)
    waiting = [park for row in rows.values() if row.state.status is Status.REVIEW for park in row.state.parks]
    # A mail server cannot be asked what became of a mail; nothing else may need a person.
    assert {(park.step, park.code) for park in waiting} <= {
        ("welcome-email", "OUTCOME_UNKNOWN"),
        ("welcome-email", "TIMEOUT"),
    }
    counts = Counter(row.state.status for row in rows.values())
    assert counts[Status.COMPLETED] > 100
    assert counts[Status.COMPENSATED] > 20
    assert counts.keys() <= {Status.COMPLETED, Status.COMPENSATED, Status.REVIEW}
