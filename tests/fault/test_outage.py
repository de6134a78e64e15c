"""A system is down for long: its work waits and burns nothing, the others go on, and it all drains when it is back."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.core.state import Status
from orchestrator.messaging.kafka import directly
from orchestrator.messaging.kafka_systems import KafkaSystems
from orchestrator.bootstrap import make_codec
from schemas.models import PaymentTerms, VendorOnboardingRequested

pytestmark = [pytest.mark.native, pytest.mark.timeout(300)]

Make = Callable[[int], list[VendorOnboardingRequested]]


def _shift(world: Any, minutes: int) -> None:
    """Move PostgreSQL's clock, which is the only one that deadlines know."""
    with world.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE OR REPLACE FUNCTION saga_now() RETURNS timestamptz LANGUAGE sql STABLE AS "
            f"$$ SELECT clock_timestamp() + interval '{minutes} minutes' $$"
        )


def _extended(world: Any) -> int:
    with world.engine.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT count(DISTINCT saga_id) FROM journal WHERE at > saga_now() - interval '90 seconds' "
            "AND entry->>'notes' LIKE '%%portal is away%%'"
        )
        return int(found.scalar_one())


async def test_ten_minutes_without_the_portal_lose_nothing_and_burn_nothing(
    make_world: Any, make_vendors: Make
) -> None:
    world = make_world()
    world.order_faults({"system": "portal", "fault": "down"})
    good = [v for v in make_vendors(400) if v.tax_id.startswith("DE") and v.payment_terms is PaymentTerms.NET_30][:200]
    ids = [vendor.saga_id for vendor in good]
    await world.publish(good)
    systems = KafkaSystems(
        world.settings.kafka_settings(), make_codec(world.settings), run=directly, clock=asyncio.get_running_loop().time
    )
    async with asyncio.timeout(60):
        while await systems.away() != {"portal"}:
            await asyncio.sleep(0.2)
        # The others go on.
        while len(world.ledger().applied(system="erp")) < len(ids):
            await asyncio.sleep(0.2)
    shown = {row["system"]: row for row in json.loads(await asyncio.to_thread(world.saga, "systems", "-o", "json"))}
    assert shown["portal"]["state"] == "away"
    assert shown["portal"]["backlog"] >= 100
    assert shown["portal"]["oldest"] is not None
    assert (shown["erp"]["state"], shown["suppliers"]["backlog"]) == ("called", 0)
    for minutes in (2, 4, 6, 8, 10):
        _shift(world, minutes)
        async with asyncio.timeout(60):
            while _extended(world) < len(ids):
                await asyncio.sleep(0.2)
    assert Counter(row.state.status for row in world.rows(ids).values()) == {Status.RUNNING: len(ids)}
    before = len(world.ledger().calls(system="portal"))
    world.order_faults()
    rows = await world.at_rest(ids, 120)
    assert Counter(row.state.status for row in rows.values()) == {Status.COMPLETED: len(ids)}
    assert await systems.away() == frozenset()
    await systems.close()
    world.check_against_the_ledger(rows)
    # No attempt was made against a system that was known to be away: what the tries at its door cost is a handful.
    attempts = Counter(row.state.steps["portal-account"].do.attempt for row in rows.values())
    assert max(attempts) <= 3
    assert len(world.ledger().calls(system="portal")) - before < 2 * len(ids)
