"""What operators decide, end to end: on real Kafka and PostgreSQL, by the commands they use."""

from __future__ import annotations

import asyncio
import itertools
import json
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.messages import Control, ControlCommand
from orchestrator.core.state import EffectStatus, Status
from orchestrator.operators import Decision, Operator
from schemas.models import PaymentTerms, VendorOnboardingRequested

pytestmark = [pytest.mark.native, pytest.mark.timeout(400)]

Make = Callable[[int], list[VendorOnboardingRequested]]


@pytest.fixture(scope="module")
def shared(make_shared_world: Callable[..., Any]) -> Any:
    return make_shared_world()


@pytest.fixture
def world(shared: Any) -> Iterator[Any]:
    """One stack for all of these: each test has vendors of its own, and leaves no fault and nothing that waits."""
    yield shared
    shared.order_faults()


# Blocks of vendors in which each seventh is under sanctions, and each eleventh has terms that the ERP refuses.
_BLOCKS = itertools.count(0, 7 * 11 * 100)


@pytest.fixture
def make_vendors(make_vendors: Callable[..., list[VendorOnboardingRequested]]) -> Make:
    first = next(_BLOCKS) + 1
    return lambda count: make_vendors(count, first)


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.05)


async def decide(world: Any, vendor: VendorOnboardingRequested, command: ControlCommand, reason: str) -> None:
    """As the command does, but without its start, which may take longer than the call that it is to meet."""
    decision = Decision(vendor.saga_id, Control(command, "ada", reason), 1)
    async with Operator(world.settings, world.queries) as operator:
        (answered,) = await operator.decide([decision], 30)
    assert answered.entry is not None
    assert answered.refused is None


async def test_a_cancel_during_a_slow_do_undoes_it_when_it_has_landed(world: Any, make_vendors: Make) -> None:
    world.order_faults({"system": "suppliers", "action": "approve", "fault": "slow", "seconds": 4})
    (vendor,) = make_vendors(1)
    await world.publish([vendor])
    await until(lambda: bool(world.ledger().calls(system="suppliers", action="approve", reference=str(vendor.saga_id))))
    await decide(world, vendor, ControlCommand.CANCEL, "a mistake")
    # It waits for the do that is in flight: no undo may overtake it.
    assert world.ledger().applied(system="suppliers", reference=str(vendor.saga_id)) == []
    assert [
        line.action for line in world.ledger().calls(reference=str(vendor.saga_id)) if "deactivate" in line.action
    ] == []
    rows = await world.at_rest([vendor.saga_id], final=True)
    assert rows[vendor.saga_id].state.status is Status.CANCELLED
    assert world.ledger().sequence(reference=str(vendor.saga_id)) == [
        "erp.create_vendor", "portal.create_account", "mail.send_welcome_email", "suppliers.approve",
        "suppliers.revoke", "mail.send_apology_email", "portal.close_account", "erp.deactivate_vendor",
    ]  # fmt: skip
    # Somebody asked for it, so there is no dead letter; and a second cancel changes nothing.
    shown = world.saga("show", str(vendor.saga_id))
    assert "cancel by ada: a mistake" in shown
    assert "dead letter" not in shown
    world.saga("cancel", str(vendor.saga_id), "--reason", "again", "--yes", code=4)
    world.check_against_the_ledger(rows, alone=False)


async def test_an_undo_that_keeps_failing_waits_for_a_person_who_resolves_it(world: Any, make_vendors: Make) -> None:
    world.order_faults(
        {"system": "portal", "action": "close_account", "fault": "error", "status": 422, "code": "LOCKED"}
    )
    vendor = make_vendors(7)[6]  # under sanctions, so everything is undone
    await world.publish([vendor])
    (row,) = (await world.at_rest([vendor.saga_id])).values()
    assert row.state.status is Status.REVIEW
    (waiting,) = json.loads(world.saga("review", "list", "-o", "json"))
    assert waiting["waits_for"] == [
        {"step": "portal-account", "direction": "undo", "code": "LOCKED", "message": "a fault on order"}
    ]
    # The rest waits too: undone in reverse order, or not at all.
    assert "erp.deactivate_vendor" not in world.ledger().sequence(reference=str(vendor.saga_id))
    options = json.loads(world.saga("review", "show", str(vendor.saga_id), "-o", "json"))["options"]
    offered = {option["decision"]: (option["becomes"], option["sends"]) for option in options if not option["refused"]}
    assert offered["retry"] == ("compensating", ["undo portal-account"])
    assert offered["resolve --done"] == ("compensating", ["undo erp-vendor"])
    # A retry that does not help brings it back; then the operator closes the account by hand and says so.
    world.saga("retry", str(vendor.saga_id), "--reason", "perhaps it is unlocked")
    await until(
        lambda: len(world.ledger().calls(system="portal", action="close_account", reference=str(vendor.saga_id))) >= 2
    )
    await world.at_rest([vendor.saga_id])
    shown = world.saga("resolve", "--done", str(vendor.saga_id), "--reason", "closed by hand", "--actor", "ada")
    assert "resolve by ada: closed by hand" in shown
    (row,) = (await world.at_rest([vendor.saga_id], final=True)).values()
    assert row.state.status is Status.COMPENSATED
    assert world.ledger().sequence(reference=str(vendor.saga_id))[-1] == "erp.deactivate_vendor"
    assert world.saga("attention", "-o", "jsonl") == ""


async def test_a_late_success_after_the_timeout_is_one_effect_and_is_undone(world: Any, make_vendors: Make) -> None:
    # Every answer is lost until the attempts are used up: what was done stays unknown, and so it is undone.
    world.order_faults({"system": "portal", "action": "create_account", "fault": "drop_answer"})
    (vendor,) = make_vendors(1)
    await world.publish([vendor])
    (row,) = (await world.at_rest([vendor.saga_id], final=True)).values()
    assert row.state.status is Status.COMPENSATED
    assert row.state.steps["portal-account"].do is not None
    assert row.state.steps["portal-account"].do.status is EffectStatus.UNKNOWN
    assert world.ledger().sequence(reference=str(vendor.saga_id)) == [
        "erp.create_vendor", "portal.create_account", "portal.close_account", "erp.deactivate_vendor",
    ]  # fmt: skip


async def test_a_paused_saga_lands_what_is_in_flight_and_goes_on_when_resumed(world: Any, make_vendors: Make) -> None:
    world.order_faults({"system": "erp", "action": "create_vendor", "fault": "slow", "seconds": 4})
    (vendor,) = make_vendors(1)
    await world.publish([vendor])
    await until(lambda: bool(world.ledger().calls(system="erp", reference=str(vendor.saga_id))))
    await decide(world, vendor, ControlCommand.PAUSE, "let me look")
    await until(lambda: bool(world.ledger().applied(system="erp", reference=str(vendor.saga_id))))
    await until(lambda: world.rows([vendor.saga_id])[vendor.saga_id].state.steps["erp-vendor"].output is not None)
    (waiting,) = json.loads(world.saga("attention", "-o", "json"))
    assert waiting["why"] == "paused by an operator"
    assert world.ledger().calls(system="portal", reference=str(vendor.saga_id)) == []
    world.saga("resume", str(vendor.saga_id), "--reason", "looked")
    (row,) = (await world.at_rest([vendor.saga_id])).values()
    assert row.state.status is Status.COMPLETED


async def test_a_thousand_are_retried_at_once_and_the_one_that_moved_on_is_refused(
    world: Any, make_vendors: Make
) -> None:
    world.order_faults(
        {"system": "portal", "action": "close_account", "fault": "error", "status": 422, "code": "LOCKED"}
    )
    vendors = [
        vendor.model_copy(update={"tax_id": f"XX{number:08d}", "payment_terms": PaymentTerms.NET_30})
        for number, vendor in enumerate(make_vendors(1000))
    ]
    ids = [vendor.saga_id for vendor in vendors]
    await world.publish(vendors)
    rows = await world.at_rest(ids, 200)
    assert Counter(row.state.status for row in rows.values()) == {Status.REVIEW: 1000}
    world.order_faults()

    # What a bulk command saw, before somebody else decided about one of them.
    control = Control(ControlCommand.RETRY, "ada", "the portal's locks are gone")
    decisions = [
        Decision(row.id, replace(control, if_revision=row.state.revision), row.state.revision) for row in rows.values()
    ]
    moved = str(ids[500])
    world.saga("resolve", "--done", moved, "--reason", "closed by hand")
    async with Operator(world.settings, world.queries) as operator:
        answers = await operator.decide(decisions, 120)
        refused = [answered for answered in answers if answered.refused]
        assert [str(answered.decision.saga_id) for answered in refused] == [moved]
        assert "moved on" in (refused[0].refused or "")
        assert sum(answered.entry is not None for answered in answers) == 1000
        # The same decisions once more are the same acts: the engine answers with the entries that it has.
        again = await operator.decide(decisions, 120)
    assert [answered.entry for answered in again] == [answered.entry for answered in answers]
    rows = await world.at_rest(ids, 200, final=True)
    assert Counter(row.state.status for row in rows.values()) == {Status.COMPENSATED: 1000}
    closed = Counter(line.reference for line in world.ledger().applied(system="portal", action="close_account"))
    ours = {str(saga_id): 1 for saga_id in ids}
    assert {saga: times for saga, times in closed.items() if saga in ours} == {
        saga: 1 for saga in ours if saga != moved
    }


def test_bulk_commands_ask_and_say_what_they_would_do(world: Any, make_vendors: Make) -> None:
    world.order_faults({"system": "mail", "action": "send_welcome_email", "fault": "drop_answer"})
    vendors = make_vendors(6)
    asyncio.run(world.publish(vendors))
    asyncio.run(world.at_rest([vendor.saga_id for vendor in vendors]))
    where = ("--where", "status=review", "--where", "error=OUTCOME_UNKNOWN", "--where", "step=welcome-email")

    rehearsed = json.loads(world.saga("retry", *where, "--not-done", "--reason", "x", "--dry-run", "-o", "json"))
    assert [(line["becomes"], line["sends"], line["refused"]) for line in rehearsed] == [
        ("running", ["do welcome-email"], None)
    ] * 6
    refused = json.loads(world.saga("retry", *where, "--reason", "x", "--dry-run", "-o", "json"))
    assert all("blind" in line["refused"] for line in refused)
    world.saga("retry", *where, "--not-done", "--reason", "x", code=6)  # nobody can be asked here

    # The server still loses its answers, so the canary comes back and the rest is left alone.
    world.saga("retry", *where, "--not-done", "--reason", "x", "--yes", "--canary", "2", code=5)
    ours = {str(vendor.saga_id) for vendor in vendors}
    assert sum(line.reference in ours for line in world.ledger().applied(system="mail")) == 8
    world.order_faults()
    world.saga("retry", *where, "--not-done", "--reason", "x", "--yes", "--canary", "2", "--rate", "4")
    asyncio.run(world.at_rest([vendor.saga_id for vendor in vendors], final=True))
    assert world.saga("list", "--status", "review").strip() == world.saga("list", "--agent", "nobody").strip()
    world.saga("retry", "--where", "colour=blue", "--reason", "x", code=2)
    world.saga("retry", str(vendors[0].saga_id), "--reason", " ", code=2)
    world.saga("retry", "--reason", "x", code=2)


async def test_a_step_is_undone_and_done_again_with_a_changed_request(world: Any, make_vendors: Make) -> None:
    world.order_faults({"system": "portal", "action": "create_account", "fault": "slow", "seconds": 4, "times": 1})
    (vendor,) = make_vendors(1)
    saga = str(vendor.saga_id)
    await world.publish([vendor])
    await until(lambda: bool(world.ledger().calls(system="portal", reference=str(vendor.saga_id))))
    await decide(world, vendor, ControlCommand.PAUSE, "let me look")
    await until(lambda: bool(world.ledger().applied(system="portal", reference=str(vendor.saga_id))))
    wanted = ("rerun", saga, "--step", "portal-account", "--set", "primary_contact_email=eve@vendors.example")
    (seen,) = json.loads(world.saga(*wanted, "--reason", "wrong address", "--dry-run", "-o", "json"))
    assert (seen["becomes"], seen["refused"]) == ("compensating", None)
    world.saga("rerun", saga, "--step", "portal-account", "--set", "tax_id=1", "--reason", "x", "--yes", code=2)
    shown = world.saga(*wanted, "--reason", "wrong address", "--actor", "ada", "--yes")
    assert "rerun by ada: wrong address with primary_contact_email=[redacted]" in shown
    assert world.ledger().applied(system="portal", action="close_account", reference=str(vendor.saga_id)) == [], (
        "it is paused"
    )
    world.saga("resume", saga, "--reason", "looked")
    (row,) = (await world.at_rest([vendor.saga_id], final=True)).values()
    assert row.state.status is Status.COMPLETED
    assert world.ledger().sequence(reference=saga) == [
        "erp.create_vendor", "portal.create_account", "portal.close_account",
        "portal.create_account", "mail.send_welcome_email", "suppliers.approve",
    ]  # fmt: skip
    opened = world.ledger().applied(system="portal", action="create_account", reference=str(vendor.saga_id))
    assert [line.data["change"]["row"]["email"] for line in opened] == [
        vendor.primary_contact_email,
        "eve@vendors.example",
    ]
    assert "portal-account (round 2)" in world.saga("show", saga)
    world.saga("rerun", saga, "--step", "portal-account", "--reason", "again", "--yes", code=4)
    world.check_against_the_ledger({row.id: row}, alone=False)


async def test_an_undo_that_the_system_only_claims_is_found_out(world: Any, make_vendors: Make) -> None:
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


async def test_every_call_that_a_system_saw_is_in_the_audit(world: Any, make_vendors: Make) -> None:
    """Retries and undos, too; and nothing of a person is in it."""
    world.order_faults({"system": "erp", "action": "create_vendor", "fault": "drop_answer", "times": 1})
    (vendor,) = make_vendors(1)
    await world.publish([vendor])
    await world.at_rest([vendor.saga_id], final=True)
    saw = Counter(line.action for line in world.ledger().calls(reference=str(vendor.saga_id)))
    rows = json.loads(world.saga("audit", "search", "--saga", str(vendor.saga_id), "-o", "json", "--limit", "1000"))
    assert Counter(row["action"] for row in rows) >= saw
    assert {row["agent"] for row in rows} == {"acceptance"}
    assert all(row["endpoint"] and row["duration_ms"] > 0 for row in rows)
    assert vendor.primary_contact_email not in json.dumps(rows)
    asked = ["--set", f"tax_id={vendor.tax_id}", "--reason", "looked up by hand", "--yes", "-o", "json"]
    by_hand = json.loads(world.saga("systems", "call", "suppliers", "revoke", *asked))
    rows = json.loads(world.saga("audit", "search", "--system", "suppliers", "-o", "json", "--limit", "2"))
    assert (by_hand[0]["outcome"], rows[1]["endpoint"]) == ("succeeded", "BY HAND")
    assert "looked up by hand" in rows[1]["request"]
    assert (rows[0]["action"], rows[0]["step"], rows[0]["saga"]) == ("revoke", "by-hand", rows[1]["saga"])
    (report,) = json.loads(world.saga("access", "report", "-o", "json"))
    used = {(row["agent"], row["system"], row["action"]) for row in report["used"]}
    assert {("acceptance", system, action) for system, action in _saw(world, vendor)} <= used
    assert {"system": "erp", "action": "process_invoice"} in report["unused"]
    (told,) = json.loads(world.saga("audit", "verify", "-o", "json"))
    assert told["broken"] == []
    assert set(told["looked_at"]) >= {"erp", "portal", "mail", "suppliers"}


def _saw(world: Any, vendor: VendorOnboardingRequested) -> set[tuple[str, str]]:
    return {(line.system, line.action) for line in world.ledger().calls(reference=str(vendor.saga_id))}
