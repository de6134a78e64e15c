"""What waits for a person, and who is at it, by the commands that operators use."""

from __future__ import annotations

import time
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from uuid_utils.compat import uuid7

from consumers.errors import Rejected
from orchestrator import bootstrap
from orchestrator.core.sample import sample
from orchestrator.core.state import Status
from orchestrator.letters.errors import NotInTime
from orchestrator.letters.wanted import Filter
from schemas.models import CreatePortalAccount, DeactivateVendor, VendorCreated

WHY = ("--reason", "the ERP has let go")


async def test_a_claim_keeps_others_from_deciding_until_the_saga_moves_on(engine: Any, saga: Any, parked: Any) -> None:
    engine.start()
    saga_id = str(await parked())
    (made,) = await saga.rows("review", "claim", saga_id, "--actor", "ada", "--note", "I call [them]")
    await saga("review", "claim", saga_id, "--actor", "ada")
    refused = await saga("review", "claim", saga_id, "--actor", "bob", code=4)
    assert "claimed by ada since 20" in refused
    assert "(I call [them])" in refused
    for command in ("attention", "review list", f"review show {saga_id}"):
        (row,) = await saga.rows(*command.split())
        assert row["claim"] == made["claim"]
        assert "ada" in await saga(*command.split())

    decide = ("review", "decide", saga_id)
    assert "claimed by ada" in await saga(*decide, "retry", *WHY, "--actor", "bob", code=4)
    assert engine.queries.one(saga_id).state.revision == made["revision"], "nothing was sent"
    # Who looks at what would be does not take over; who decides does, and is refused like anybody by the saga.
    await saga(*decide, "retry", *WHY, "--actor", "bob", "--take-over", "--dry-run")
    await saga(*decide, "skip", *WHY, "--actor", "bob", "--take-over", "--if-version", "1", "--yes", code=4)
    (row,) = await saga.rows("review", "list")
    assert row["claim"] is None, "the refusal is an entry of the journal: the saga has another revision"

    await saga("review", "claim", saga_id, "--actor", "ada")
    await saga("review", "release", saga_id, "--actor", "bob", code=4)
    await saga("review", "release", saga_id, "--actor", "bob", "--take-over")
    await saga("review", "release", saga_id, "--actor", "bob")
    await saga("review", "claim", saga_id, "--actor", "ada")
    assert "retry by ada" in await saga(*decide, "retry", *WHY, "--actor", "ada")
    await engine.until(lambda: engine.queries.one(saga_id).state.terminal)
    assert "compensated" in await saga("review", "claim", saga_id, "--actor", "ada", code=4)


async def test_what_waits_says_since_when_for_whom_and_what_can_be_undone(
    engine: Any, saga: Any, parked: Any, systems: Any
) -> None:
    engine.start()
    saga_id = str(await parked())
    (before,) = await saga.rows("review", "show", saga_id)
    assert before["agent"] == "tester"
    assert before["undo_plan"] == [
        {"turn": 1, "step": "erp-vendor", "action": "erp.DeactivateVendor", "state": "failed",
         "text": "its undo failed: LOCKED"},
    ]  # fmt: skip
    # A decision that is refused changes the saga's row, and not how long it waits.
    await saga("skip", saga_id, *WHY, "--step", "portal-account", "--yes", code=4)
    changed = engine.queries.one(saga_id).updated_at.isoformat()
    for command in (f"review show {saga_id}", "review list", "attention"):
        (row,) = await saga.rows(*command.split())
        assert row["waits_since"] == before["waits_since"] < changed
    text = await saga("review", "show", saga_id)
    for told in ("waits since", "tester", "its undo failed: LOCKED", "erp.DeactivateVendor"):
        assert told in text
    # One that was tried again, and comes back, waits anew.
    systems.plans[DeactivateVendor] = [Rejected("LOCKED", "still")]
    await saga("retry", saga_id, *WHY)
    await engine.until(lambda: engine.queries.one(saga_id).state.status is Status.REVIEW)
    (row,) = await saga.rows("review", "list")
    assert row["waits_since"] > before["waits_since"]


async def test_a_command_that_asks_for_no_claim_says_whose_it_is(engine: Any, saga: Any, parked: Any) -> None:
    engine.start()
    saga_id = str(await parked())
    await saga("review", "claim", saga_id, "--actor", "ada")
    assert "retry by bob" in await saga("retry", saga_id, *WHY, "--actor", "bob")
    assert "claimed by ada" in saga.said.replace("\n", " ")


async def test_claims_of_nothing_are_refused(engine: Any, saga: Any) -> None:
    engine.start(consumers=False)
    for words in (("review", "claim"), ("review", "release")):
        await saga(*words, "garbage", code=2)
        await saga(*words, str(uuid7()), code=3)
    await saga("review", "decide", "garbage", "retry", *WHY, code=2)
    await saga("review", "decide", str(uuid7()), "retry", *WHY, code=3)
    await saga("review", "claim", str(uuid7()), "--note", "a\nb", code=2)
    await saga("review", "claim", str(uuid7()), "--actor", " ", code=2)


async def test_letters_that_no_saga_speaks_of_need_a_person_too(
    engine: Any, saga: Any, wire: Any, desk: Any, parked: Any, compensated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.start()
    waiting = str(await parked())
    await compensated(1)
    for number in range(3):
        wire.send("vendor-onboarding.requests", b"\x00garbage", [("x", str(number).encode())])
    answer = [
        ("ce_specversion", b"1.0"), ("ce_id", b"a1"), ("ce_source", b"elsewhere"), ("ce_type", b"saga.erp.VendorCreated"),
        ("ce_time", b"2026-01-01T00:00:00Z"), ("ce_sagaid", str(uuid7()).encode()), ("ce_step", b"erp-vendor"),
        ("ce_direction", b"do"), ("ce_round", b"1"), ("ce_attempt", b"1"),
    ]  # fmt: skip
    value = bootstrap.make_codec(engine.settings).encode(sample(VendorCreated, full=True))
    wire.send("erp.completions", value, answer)
    await engine.until(lambda: desk.refresh() >= 0 and desk.store.count(Filter()) == 6)

    rows = await saga.rows("attention")
    assert [(row["kind"], row.get("id")) for row in rows] == [("saga", waiting), ("letters", None), ("letters", None)]
    found = {(row["topic"], row["reason"]): row for row in rows[1:]}
    garbage = found["vendor-onboarding.requests.dlq", "missing-header"]
    assert garbage["count"] == 3
    assert found["erp.completions.dlq", "unknown-saga"]["count"] == 1
    for row in found.values():
        listed = await saga.rows(*row["command"].split()[1:])
        assert len(listed) == row["count"]
        assert {letter["replay"] for letter in listed} == {"publish again"}
        assert min(letter["failed_at"] for letter in listed) == row["oldest"]
    assert [row["kind"] for row in await saga.rows("review", "list")] == ["saga", "letters", "letters"]
    assert garbage["command"] in (await saga("attention")).replace("\n", " ")

    # With the broker away PostgreSQL still knows all that has been read.
    wire.send("vendor-onboarding.requests", b"\x00garbage", [("x", b"later")])
    monkeypatch.setenv("SAGA_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    began = time.monotonic()
    assert await saga.rows("attention") == rows
    assert time.monotonic() - began < 8
    assert "as of their last reading" in saga.said
    monkeypatch.setenv("SAGA_KAFKA_BOOTSTRAP_SERVERS", engine.settings.kafka_bootstrap_servers)

    # What cannot be read in time is left to the next reader.
    ends = desk.feed.ends()
    with pytest.raises(NotInTime):
        list(desk.feed.read({place: end.low for place, end in ends.items()}, ends, -1.0))

    # Nor does it wait for somebody who reads them for long, or for a topic that is gone.
    with desk.store.projecting():
        assert await saga.rows("attention") == rows
        assert "another command is still reading" in saga.said.replace("\n", " ")
    await saga("dlq", "discard", "--all", *WHY, "--yes")
    admin = AdminClient({"bootstrap.servers": engine.settings.kafka_bootstrap_servers})
    admin.delete_topics(["erp.completions.dlq"], operation_timeout=20)["erp.completions.dlq"].result()
    assert [row["kind"] for row in await saga.rows("attention")] == ["saga"]


async def test_markup_in_what_a_system_says_is_text(
    engine: Any, saga: Any, agent: Any, systems: Any, make_vendor: Any
) -> None:
    systems.plans[CreatePortalAccount] = [Rejected("EMAIL_IN_USE", "taken")]
    systems.plans[DeactivateVendor] = [Rejected("LOCKED", "in [/b] use")]
    engine.start()
    vendor = make_vendor(1)
    await agent.publish(vendor)
    assert (await agent.outcome(vendor.saga_id, 60)).status.value == "review"
    for command in (("attention",), ("review", "list")):
        assert "in [/b] use" in await saga(*command)
    await saga("skip", "--where", "status=review", "--reason", "[/x]", "--dry-run")
    await saga("skip", "--where", "status=review", "--reason", "[/x]", code=6)
    assert "[/x]" in await saga("skip", str(vendor.saga_id), "--reason", "[/x]", "--yes")
