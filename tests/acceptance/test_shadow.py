"""A company that tries the orchestrator beside its existing process: everything in shadow, then compared."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
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


def _existing_process(world: Any, vendors: list[VendorOnboardingRequested]) -> None:
    """Vendors as somebody has always entered them: one with other terms, one not at all, one that we never heard of."""
    entered = [vendor.model_dump(mode="json") for vendor in vendors[1:]]
    entered[0]["payment_terms"] = "NET_45"
    entered.append({**entered[1], "tax_id": "DE99999999"})
    names = ("vendor_name", "vendor_type", "tax_id", "payment_terms", "primary_contact_email")
    for vendor in entered:
        body = json.dumps({name: vendor[name] for name in names}).encode()
        headers = {"content-type": "application/json"}
        url = f"{world.stack.urls['erp']}/vendors"
        urllib.request.urlopen(urllib.request.Request(url, body, headers, method="POST")).close()


async def test_what_was_recorded_is_compared_with_the_existing_process_and_promoted_when_it_agrees(
    make_world: Any, make_vendors: Make, folder: Path
) -> None:
    world = make_world(settings=SHADOW)
    vendors = make_vendors(8)
    assert "nothing of erp was recorded" in _error(world, "shadow", "compare", "--system", "erp", "--probe", code=3)
    await world.at_rest(await world.publish(vendors), 120)
    _existing_process(world, vendors)
    calls = len(world.ledger().applied())

    (probed,) = json.loads(world.saga("shadow", "compare", "--system", "erp", "--probe", "-o", "json"))
    assert probed == {
        "system": "erp",
        "action": "create_vendor",
        "compared": 8,
        "agrees": 6,
        "differs": 1,
        "only_ours": 1,
        "only_theirs": 0,
        "not_asked": {},
    }
    assert len(world.ledger().applied()) == calls
    asked = json.loads(world.saga("audit", "search", "--system", "erp", "-o", "json"))
    assert sum(row["direction"] == "probe" for row in asked) == 8

    # A list of the approved, as an export gives it: all of ours, and one that is not.
    file = folder / "approved.csv"
    lines = [f"{vendor.tax_id},{vendor.vendor_name},{vendor.category}" for vendor in vendors]
    file.write_text("\n".join(["TAX,vendor_name,category", *lines, "DE77777777,Somebody,bearings"]) + "\n")
    arguments = ("shadow", "compare", "--system", "suppliers", "--action", "approve", "--file", str(file))
    (filed,) = json.loads(world.saga(*arguments, "--key", "TAX", "-o", "json"))
    assert (filed["compared"], filed["agrees"], filed["only_theirs"]) == (9, 8, 1)
    assert json.loads(world.saga(*arguments, "--key", "TAX", "-o", "json")) == [filed]  # and no row of it twice
    assert "none of the 9 rows has a value for tax_id" in _error(world, *arguments, code=1)

    report = {row["action"]: row for row in json.loads(world.saga("shadow", "report", "-o", "json"))}
    created = report["create_vendor"]
    assert (created["recorded"], created["compared"], created["agreement"]) == (8, 8, 0.75)
    assert created["fields"] == {"payment_terms": 1}
    assert created["differences"] == [{"payment_terms": ["NET_30", "NET_45"]}]
    assert set(created["examples"]) == {str(vendor.saga_id) for vendor in vendors[:2]}
    assert report["approve"]["only_theirs_keys"] == ["DE77777777"]
    assert report["create_account"]["not_compared"] == 8
    text = world.saga("shadow", "report", "--system", "erp")
    assert "75.00%" in text
    assert "ours 'NET_30', theirs 'NET_45'" in text

    promote = ("shadow", "promote", "--system", "erp", "--action", "create_vendor", "--minimum", "8")
    (refused,) = json.loads(world.saga(*promote, "--threshold", "0.99", "-o", "json", code=1))
    assert refused["allowed"] is False
    assert "75.00% agree, 99.00% are needed" in refused["missing"][0]
    assert "8 compared, 100 are needed" in world.saga("shadow", "promote", "--system", "erp", code=1)
    assert "--reason is needed" in _error(world, *promote, "--threshold", "0.7", code=2)
    said = world.saga(*promote, "--threshold", "0.7", "--reason", "agreed with finance", "--actor", "ada")
    assert said.strip() == "SAGA_SYSTEM_OPTIONS__ERP__MODE_CREATE_VENDOR=live"
    noted = [
        r
        for r in json.loads(world.saga("audit", "search", "--agent", "ada", "-o", "json"))
        if r["endpoint"] == "BY HAND"
    ]
    assert [(row["system"], row["action"]) for row in noted] == [("erp", "create_vendor")]
    assert "agreed with finance" in noted[0]["request"]
    assert "6 of 8 agree" in noted[0]["request"]
    world.saga("audit", "verify")


def _error(world: Any, *arguments: str, code: int) -> str:
    """What a command says where it ends with that code."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith("SAGA_")}
    argv = [sys.executable, "-m", "orchestrator.cli.main", *arguments]
    env = {**kept, **world.stack.environment()}
    done = subprocess.run(argv, check=False, env=env, text=True, capture_output=True, timeout=200)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr


def _rows(world: Any, statement: str) -> list[Any]:
    with world.engine.connect() as connection:
        return list(connection.exec_driver_sql(statement))
