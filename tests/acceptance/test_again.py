"""A step done again, and an undo that left something behind: on real Kafka and PostgreSQL, by the commands."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.core.messages import ControlCommand
from orchestrator.core.state import Status
from schemas.models import VendorOnboardingRequested
from tests.acceptance.test_operators import decide, until

pytestmark = [pytest.mark.native, pytest.mark.timeout(200)]

Make = Callable[[int], list[VendorOnboardingRequested]]


async def test_a_step_is_undone_and_done_again_with_a_changed_request(make_world: Any, make_vendors: Make) -> None:
    world = make_world()
    world.order_faults({"system": "portal", "action": "create_account", "fault": "slow", "seconds": 4, "times": 1})
    (vendor,) = make_vendors(1)
    saga = str(vendor.saga_id)
    await world.publish([vendor])
    await until(lambda: bool(world.ledger().calls(system="portal")))
    await decide(world, vendor, ControlCommand.PAUSE, "let me look")
    await until(lambda: bool(world.ledger().applied(system="portal")))
    wanted = ("rerun", saga, "--step", "portal-account", "--set", "primary_contact_email=eve@vendors.example")
    (seen,) = json.loads(world.saga(*wanted, "--reason", "wrong address", "--dry-run", "-o", "json"))
    assert (seen["becomes"], seen["refused"]) == ("compensating", None)
    world.saga("rerun", saga, "--step", "portal-account", "--set", "tax_id=1", "--reason", "x", "--yes", code=2)
    shown = world.saga(*wanted, "--reason", "wrong address", "--actor", "ada", "--yes")
    assert "rerun by ada: wrong address with primary_contact_email=eve@vendors.example" in shown
    assert world.ledger().applied(system="portal", action="close_account") == [], "it is paused"
    world.saga("resume", saga, "--reason", "looked")
    (row,) = (await world.at_rest([vendor.saga_id], final=True)).values()
    assert row.state.status is Status.COMPLETED
    assert world.ledger().sequence(reference=saga) == [
        "erp.create_vendor", "portal.create_account", "portal.close_account",
        "portal.create_account", "mail.send_welcome_email", "suppliers.approve",
    ]  # fmt: skip
    opened = world.ledger().applied(system="portal", action="create_account")
    assert [line.data["change"]["row"]["email"] for line in opened] == ["ada1@vendors.example", "eve@vendors.example"]
    assert "portal-account (round 2)" in world.saga("show", saga)
    world.saga("rerun", saga, "--step", "portal-account", "--reason", "again", "--yes", code=4)
    world.check_against_the_ledger({row.id: row})


async def test_an_undo_that_the_system_only_claims_is_found_out(make_world: Any, make_vendors: Make) -> None:
    world = make_world()
    # The ERP says that there is no such vendor, which reads as "nothing to undo"; but there is.
    world.order_faults(
        {"system": "erp", "action": "deactivate_vendor", "fault": "error", "status": 404, "code": "NOT_FOUND"}
    )
    vendor = make_vendors(7)[6]  # under sanctions, so everything is undone
    saga = str(vendor.saga_id)
    await world.publish([vendor])
    (row,) = (await world.at_rest([vendor.saga_id])).values()
    assert row.state.status is Status.REVIEW
    (waiting,) = json.loads(world.saga("review", "list", "-o", "json"))
    assert [(w["step"], w["direction"], w["code"]) for w in waiting["waits_for"]] == [
        ("erp-vendor", "probe", "RESIDUE")
    ]
    shown = json.loads(world.saga("show", saga, "-o", "json"))
    (shown,) = shown if isinstance(shown, list) else [shown]
    assert shown["endings"] == {"erp-vendor": "residual", "portal-account": "clean", "welcome-email": "offset"}
    assert "STILL THERE" in world.saga("show", saga)
    # Somebody takes the vendor out of the ERP by hand, and lets the engine look again.
    world.order_faults()
    url = f"{world.stack.urls['erp']}/vendors?tax_id={vendor.tax_id}&reference={saga}"
    await asyncio.to_thread(urllib.request.urlopen, urllib.request.Request(url, method="DELETE"))
    world.saga("retry", saga, "--reason", "deactivated by hand")
    (row,) = (await world.at_rest([vendor.saga_id], final=True)).values()
    assert row.state.status is Status.COMPENSATED
    shown = world.saga("show", saga)
    assert "done, verified" in shown
    assert "✓ probe of erp-vendor" in shown
