"""The sandbox's process: what it says when it is ready, how it ends, and that a kill costs it nothing."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from consumers.connectors.guard import InPlace
from consumers.connectors.rest import RestClient, Timeouts
from consumers.errors import Rejected
from consumers.sandbox.server import SYSTEMS
from consumers.system import Call
from orchestrator.dev.process import free_port
from schemas.models import CreateVendor

TIMEOUTS = Timeouts(connect=30, read=30, write=30, pool=30)


async def create(url: str, call: Call, vendor: dict[str, Any]) -> Any:
    async with RestClient(url, timeouts=TIMEOUTS, retries=InPlace(attempts=1)) as rest:
        return await rest.request("POST", "/vendors", call=call, json=vendor, errors=CreateVendor.contract.errors)


def refused(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "consumers.sandbox", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_it_says_where_everything_is(start_sandbox: Callable[..., Any]) -> None:
    sandbox = start_sandbox()
    assert set(sandbox.urls) == {*SYSTEMS, "control", "ledger"}
    assert Path(sandbox.urls["ledger"]).exists()
    for name in ("erp", "portal", "suppliers", "control"):
        assert httpx2.get(f"{sandbox.urls[name]}/health").json() == {"status": "ok"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_peace_also_while_something_hangs(
    number: int, start_sandbox: Callable[..., Any], vendor: dict[str, Any]
) -> None:
    sandbox = start_sandbox("--systems", "erp")
    sandbox.fault("erp", "hang")
    with pytest.raises(httpx2.ReadTimeout):
        httpx2.post(f"{sandbox.urls['erp']}/vendors", json=vendor, timeout=httpx2.Timeout(30, read=0.1))
    assert sandbox.child.stop(60, by=number) == 0


async def test_a_kill_costs_neither_state_nor_answers(
    start_sandbox: Callable[..., Any], make_call: Callable[..., Call], vendor: dict[str, Any]
) -> None:
    port = free_port()
    sandbox = start_sandbox("--systems", "erp", "--ports", f"erp={port}")
    first = make_call()
    answer = await create(sandbox.urls["erp"], first, vendor)
    sandbox.child.kill()
    sandbox.start()
    assert sandbox.urls["erp"] == f"http://127.0.0.1:{port}"
    assert await create(sandbox.urls["erp"], first, vendor) == answer
    with pytest.raises(Rejected, match="DUPLICATE_TAX_ID"):
        await create(sandbox.urls["erp"], make_call(), vendor)
    other = await create(sandbox.urls["erp"], make_call(), {**vendor, "tax_id": vendor["tax_id"] + "1"})
    assert other["vendor_id"] != answer["vendor_id"]
    assert sandbox.lines(first.idempotency_key) == ["call", "applied", "call"]


async def test_a_line_that_a_kill_tore_was_not_done_and_spoils_no_other(
    start_sandbox: Callable[..., Any], make_call: Callable[..., Call], vendor: dict[str, Any]
) -> None:
    sandbox = start_sandbox("--systems", "erp")
    call = make_call()
    await create(sandbox.urls["erp"], call, vendor)
    sandbox.child.kill()
    ledger = sandbox.folder / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes()[:-20])
    assert (sandbox.lines(call.idempotency_key), sandbox.ledger().torn) == (["call"], 1)
    sandbox.start()
    await create(sandbox.urls["erp"], call, vendor)
    assert (sandbox.lines(call.idempotency_key), sandbox.ledger().torn) == (["call", "call", "applied"], 1)


async def test_a_plan_seeds_the_systems_and_a_restart_begins_with_its_faults_again(
    start_sandbox: Callable[..., Any], make_call: Callable[..., Call], vendor: dict[str, Any], tmp_path: Path
) -> None:
    rule = {"system": "erp", "fault": "error", "code": "TRANSIENT_ERROR", "times": 1}
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"seed": {"erp": [vendor]}, "faults": [rule], "expected": {"x": "completed"}}))
    sandbox = start_sandbox("--systems", "erp", "--faults", str(plan))
    assert sandbox.faults() == [{**rule, "left": 1, "match": {}}]
    sandbox.heal()
    with pytest.raises(Rejected, match="DUPLICATE_TAX_ID"):
        await create(sandbox.urls["erp"], make_call(), vendor)
    sandbox.child.kill()
    sandbox.start()
    assert [fault["left"] for fault in sandbox.faults()] == [1]
    # What is there already is not seeded again.
    assert sandbox.ledger().counts("seed") == {"erp.create_vendor": 1}


def test_rules_strike_as_often_as_they_say_and_can_be_taken_back(sandbox: Any, vendor: dict[str, Any]) -> None:
    url = f"{sandbox.urls['portal']}/accounts"
    sandbox.fault("portal", "error", times=2, status=500)
    sandbox.fault("portal", "error", status=502)
    assert [httpx2.get(url).status_code for _ in range(3)] == [500, 500, 502]
    assert [fault["left"] for fault in sandbox.faults()] == [0, None]
    httpx2.delete(f"{sandbox.urls['control']}/_sandbox/faults", params={"system": "erp"})
    assert httpx2.get(url).status_code == 502
    httpx2.delete(f"{sandbox.urls['control']}/_sandbox/faults", params={"system": "portal"})
    assert httpx2.get(url).status_code == 200


@pytest.mark.parametrize("body", ["", "{", "7", '{"system": "erp"}', '[{"system": "erp", "fault": "none"}]'])
def test_a_rule_that_is_none_is_refused_and_changes_nothing(body: str, sandbox: Any) -> None:
    answer = httpx2.post(f"{sandbox.urls['control']}/_sandbox/faults", content=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "BAD_RULE")
    assert sandbox.faults() == []


@pytest.mark.parametrize(
    ("content", "status"), [(b"", 400), (b"[]", 400), (b"{}", 400), (b'{"tax_id": 7}', 400), (b"x" * 1_100_000, 413)]
)
def test_a_request_that_is_none_is_refused(content: bytes, status: int, sandbox: Any) -> None:
    assert httpx2.post(f"{sandbox.urls['erp']}/vendors", content=content).status_code == status


def test_wrong_arguments_are_named(tmp_path: Path) -> None:
    wrong = {
        "--systems": ["--systems", "erp,none"],
        "--ports": ["--ports", "erp=x"],
        "--faults": ["--faults", str(tmp_path / "none.json")],
    }
    for name, arguments in wrong.items():
        ran = refused("--folder", str(tmp_path), *arguments)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert name in ran.stderr


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = refused("--folder", str(tmp_path), "--systems", "erp", "--ports", f"erp={port}")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert str(port) in ran.stderr
