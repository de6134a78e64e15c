"""A company that tries the orchestrator beside its existing process: everything in shadow, then compared."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.core.state import Status
from schemas.models import VendorOnboardingRequested

Make = Callable[..., list[VendorOnboardingRequested]]

pytestmark = [pytest.mark.timeout(400)]

SHADOW = {f"SAGA_SYSTEM_OPTIONS__{name}__MODE": "shadow" for name in ("ERP", "PORTAL", "MAIL", "SUPPLIERS")}


async def test_an_onboarding_in_shadow_leaves_no_trace_in_any_system_and_says_so_everywhere(
    make_world: Any, make_vendors: Make
) -> None:
    world = make_world(settings=SHADOW)
    vendors = make_vendors(8)
    rows = await world.at_rest(await world.publish(vendors), 120)
    assert [row.state.status for row in rows.values()] == [Status.COMPLETED] * 8
    assert world.ledger().applied() == []
    assert all(step.do.shadow for row in rows.values() for step in row.state.steps.values())
    saga = str(vendors[0].saga_id)
    text = world.saga("show", saga)
    assert "SHADOW: steps were only recorded" in text
    assert text.count("done, in shadow") == 4
    shown = json.loads(world.saga("show", saga, "-o", "json"))
    found = shown[0] if isinstance(shown, list) else shown
    assert found["shadow"] is True
    assert [step["shadow"] for step in found["steps"]] == [True] * 4
    assert all(entry["shadow"] for entry in found["timeline"] if entry["kind"] == "completion")


async def test_a_worker_that_is_killed_between_record_and_outcome_is_followed_by_one_that_does_the_same(
    make_world: Any, make_vendors: Make
) -> None:
    world = make_world(settings=SHADOW)
    # The outcome of a shadow waits in the database, whose record is there already: time enough to kill.
    with world.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION hold_it() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER held BEFORE UPDATE ON effect FOR EACH ROW WHEN (NEW.status = 'done') EXECUTE FUNCTION hold_it()"
        )
    (vendor,) = make_vendors(1)
    await world.publish([vendor])
    recorded = "SELECT at, output FROM shadow_effect"
    deadline = time.monotonic() + 60
    while not (before := _rows(world, recorded)):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    (worker,) = world.stack.consumers["erp"]
    worker.kill()
    with world.engine.begin() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE '%%UPDATE effect%%' "
            "AND pid <> pg_backend_pid()"
        )
    with world.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER held ON effect")
    assert _rows(world, "SELECT status FROM effect") == [("claimed",)]
    await world.running(world.stack.replace(worker))
    rows = await world.at_rest([vendor.saga_id], 200)
    assert [row.state.status for row in rows.values()] == [Status.COMPLETED]
    assert world.ledger().applied() == []
    after = _rows(world, recorded + " WHERE step = 'erp-vendor'")
    assert [output for _, output in after] == [output for _, output in before]
    assert len(_rows(world, recorded)) == 4


def _rows(world: Any, statement: str) -> list[Any]:
    with world.engine.connect() as connection:
        return list(connection.exec_driver_sql(statement))
