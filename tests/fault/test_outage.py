"""A system is down for long: its work waits and burns nothing, the others go on, and it all drains when it is back.

What drains does so at the system's limit, shared by two workers, and to wait for that burns nothing either.
"""

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

pytestmark = [pytest.mark.native, pytest.mark.timeout(600)]

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


SAGAS = 2000
# A backlog at that pace outlasts the look at it, also where all cores are busy.
RATE = "50"


async def _until(found: Callable[[], bool], seconds: float = 120) -> None:
    async with asyncio.timeout(seconds):
        while not found():
            await asyncio.sleep(0.5)


def _shown(world: Any) -> dict[str, Any]:
    return {row["system"]: row for row in json.loads(world.saga("systems", "-o", "json"))}


async def test_ten_minutes_without_the_portal_lose_nothing_and_burn_nothing(
    make_world: Any, make_vendors: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGA_SYSTEM_OPTIONS__PORTAL__RATE", RATE)
    world = make_world()
    await world.running(world.stack.start_consumer("portal"))
    world.order_faults({"system": "portal", "fault": "down"})
    everybody = make_vendors(SAGAS * 3 // 2)
    good = [v for v in everybody if v.tax_id.startswith("DE") and v.payment_terms is PaymentTerms.NET_30][:SAGAS]
    ids = [vendor.saga_id for vendor in good]
    assert len(ids) == SAGAS
    await world.publish(good)
    systems = KafkaSystems(
        world.settings.kafka_settings(), make_codec(world.settings), run=directly, clock=asyncio.get_running_loop().time
    )
    async with asyncio.timeout(60):
        while await systems.away() != {"portal"}:
            await asyncio.sleep(0.2)
    # The others go on.
    await _until(lambda: len(world.ledger().applied(system="erp")) == SAGAS)
    shown = await asyncio.to_thread(_shown, world)
    assert shown["portal"]["state"] == "away"
    assert shown["portal"]["backlog"] >= SAGAS // 2
    assert shown["portal"]["oldest"] is not None
    assert (shown["erp"]["state"], shown["suppliers"]["backlog"]) == ("called", 0)
    for minutes in (4, 7, 10):
        _shift(world, minutes)
        await _until(lambda: _extended(world) == SAGAS)
    assert Counter(row.state.status for row in world.rows(ids).values()) == {Status.RUNNING: SAGAS}
    before = len(world.ledger().calls(system="portal"))
    world.order_faults()
    shown = await asyncio.to_thread(_shown, world)
    while shown["portal"]["state"] == "away":
        shown = await asyncio.to_thread(_shown, world)
    assert shown["portal"]["state"] == "paced"
    assert shown["portal"]["limit"] == float(RATE)
    assert shown["portal"]["rate"] is not None
    assert shown["portal"]["backlog"] > 0
    rows = await world.at_rest(ids, 240)
    assert Counter(row.state.status for row in rows.values()) == {Status.COMPLETED: SAGAS}
    async with asyncio.timeout(60):
        while await systems.away():
            await asyncio.sleep(0.5)
    await systems.close()
    world.check_against_the_ledger(rows)
    # No attempt was made against a system that was known to be away, and none was given up while it only waited. What
    # costs a second one are the calls under way when it went, and the tries at its door.
    attempts = Counter(row.state.steps["portal-account"].do.attempt for row in rows.values())
    assert max(attempts) <= 3
    assert attempts[1] >= SAGAS - 200
    assert len(world.ledger().calls(system="portal")) - before < SAGAS + 100
