"""Replays end to end: each row of the table in design §6, twice is once, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from consumers.bootstrap import consumer_group
from consumers.errors import Rejected, Unknown
from orchestrator import Agent
from orchestrator.bootstrap import coordinator_group, make_codec
from orchestrator.core.state import Status
from orchestrator.dev.cluster import create_topics
from orchestrator.letters.desk import Desk
from orchestrator.letters.letter import Place
from schemas.models import CreatePortalAccount, DeactivateVendor, SendWelcomeEmail, VendorOnboardingRequested

Make = Callable[[int], VendorOnboardingRequested]
WHY = ("--reason", "the system is mended")


async def until_letters(saga: Any, engine: Any, count: int, *arguments: str) -> list[dict[str, Any]]:
    for _ in range(100):
        found = await saga.letters(*arguments)
        if len(found) >= count:
            return found
        await engine.until(lambda: True)
    raise AssertionError(f"{len(found)} letters, not {count}")


async def test_a_compensated_saga_begins_anew_and_twice_is_once(
    engine: Any, saga: Any, compensated: Any, agent: Agent, wire: Any, systems: Any
) -> None:
    engine.start()
    (old,) = await compensated(1)
    (letter,) = await until_letters(saga, engine, 1)
    (seen,) = await saga.rows("dlq", "replay", letter["id"], *WHY, "--dry-run")
    assert (seen["status"], seen["commands"]) == ("running", ["do erp-vendor"])
    assert len(engine.sagas()) == 1

    (sent,) = await saga.rows("dlq", "replay", letter["id"], *WHY, "--actor", "ada")
    new = sent["saga_id"]
    assert new == seen["saga_id"] != str(old)
    assert sent["now"] == f"saga {new} is completed, revision 5"
    (request,) = [m for m in wire.read("vendor-onboarding.requests") if m.key().decode() == new]
    headers = dict(request.headers())
    assert headers["saga-replay-of"] == str(old).encode()
    assert (headers["saga-replay-actor"], headers["saga-replay-count"]) == (b"ada", b"1")
    assert not any(name.startswith(("__dlq", "saga-dlq-")) for name in headers)
    calls = list(systems.calls)

    assert await saga.letters() == []
    assert "replayed already" in await saga("dlq", "replay", letter["id"], *WHY, code=4)
    (again,) = await saga.rows("dlq", "replay", letter["id"], *WHY, "--state", "replayed")
    assert again["saga_id"] == new
    assert "duplicate" in again["text"]
    assert len(engine.sagas()) == 2
    assert systems.calls == calls
    (shown,) = await saga.rows("dlq", "show", letter["id"])
    assert [act["kind"] for act in shown["acts"]] == ["replaying", "replayed"] * 2
    assert {act["new_saga_id"] for act in shown["acts"]} == {new}


async def test_a_parked_saga_goes_on_by_a_decision_that_its_history_shows(
    engine: Any, saga: Any, parked: Any, agent: Agent
) -> None:
    engine.start()
    waiting = await parked()
    (letter,) = await until_letters(saga, engine, 1)
    (seen,) = await saga.rows("dlq", "replay", letter["id"], *WHY, "--dry-run")
    assert (seen["status"], seen["commands"]) == ("compensating", ["undo erp-vendor"])
    (sent,) = await saga.rows("dlq", "replay", letter["id"], *WHY, "--actor", "ada")
    assert sent["now"].startswith(f"saga {waiting} is compensated")
    control = next(row.entry for row in engine.queries.timeline(waiting) if row.entry["kind"] == "control")
    assert (control["actor"], control["reason"]) == ("ada", "the system is mended")
    # The saga's own letter, that it was compensated, is another one.
    assert [row["replay"] for row in await saga.letters()] == ["new saga"]


async def test_a_saga_that_parks_again_is_said_to_have_come_back_and_is_counted(
    engine: Any, saga: Any, parked: Any, systems: Any, desk: Desk
) -> None:
    engine.start()
    await parked()
    (letter,) = await until_letters(saga, engine, 1)
    systems.plans[DeactivateVendor] = [Rejected("LOCKED", "still in use")]
    (sent,) = await saga.rows("dlq", "replay", letter["id"], *WHY, code=5)
    assert sent["came_back"]
    (second,) = await until_letters(saga, engine, 1)
    assert second["id"] != letter["id"]
    assert desk.letter(Place.parse(second["id"])).generation == 1
    await saga("dlq", "replay", second["id"], *WHY)


async def test_a_letter_of_a_saga_that_has_moved_on_is_refused_with_its_state(
    engine: Any, saga: Any, parked: Any, desk: Desk
) -> None:
    engine.start()
    waiting = await parked()
    (letter,) = await until_letters(saga, engine, 1)
    engine.sql("UPDATE saga SET revision = revision + 1 WHERE id = %(id)s", id=waiting)
    text = await saga("dlq", "replay", letter["id"], *WHY, code=4)
    assert "moved on" in text
    assert "undo erp-vendor (LOCKED)" in text
    (row,) = await saga.rows("dlq", "replay", letter["id"], *WHY, code=4)
    assert (row["result"], row["code"]) == ("refused", "MOVED_ON")
    assert [row["state"] for row in await saga.letters()] == ["open"]


async def test_a_retry_that_was_sent_before_a_crash_is_no_news_to_its_saga(
    engine: Any, saga: Any, parked: Any, desk: Desk
) -> None:
    engine.start()
    waiting = await parked()
    (letter,) = await until_letters(saga, engine, 1)
    await saga("dlq", "replay", letter["id"], *WHY)
    # The process was killed between the send and the act.
    engine.sql("UPDATE dead_letter SET state = 'open' WHERE step = 'erp-vendor'")
    (sent,) = await saga.rows("dlq", "replay", letter["id"], *WHY)
    assert sent["result"] == "sent"
    assert "duplicate" in sent["text"]
    kinds = [row.entry["kind"] for row in engine.queries.timeline(waiting)]
    assert kinds.count("control") == 1


async def test_what_could_not_be_read_is_published_as_it_was(
    engine: Any, saga: Any, agent: Agent, wire: Any, make_vendor: Make, settings: Any
) -> None:
    # No definition reads it: an answer to a saga that is not there yet.
    engine.start()
    vendor = make_vendor(1)
    headers = [
        ("ce_id", b"7"),
        ("ce_source", b"legacy"),
        ("ce_type", b"x"),
        ("ce_sagaid", str(vendor.saga_id).encode()),
    ]
    value = make_codec(settings).encode(vendor)
    wire.send("erp.completions", value, headers, key=b"k7")
    (letter,) = await until_letters(saga, engine, 1)
    (seen,) = await saga.rows("dlq", "replay", letter["id"], *WHY, "--dry-run")
    assert seen["would_return"]
    (sent,) = await saga.rows("dlq", "replay", letter["id"], *WHY, "--wait", "0")
    _, second = sorted(wire.read("erp.completions"), key=lambda message: len(message.headers()))
    assert (second.key(), second.value()) == (b"k7", value)
    assert second.headers()[:4] == headers
    returned = (await until_letters(saga, engine, 1))[0]
    assert returned["replay_count"] == 1
    assert sent["result"] == "sent"


async def test_a_replay_for_one_group_is_passed_by_the_others(
    engine: Any, saga: Any, wire: Any, make_vendor: Make, desk: Desk, settings: Any
) -> None:
    engine.start()
    coordinators = coordinator_group(settings)
    consumer = consumer_group(settings, "erp")
    wire.send("erp.commands", b"\x00garbage", [("ce_id", b"1")])
    wire.send("vendor-onboarding.requests", b"\x00garbage", [("ce_id", b"2")])
    letters = {row["topic"]: row["id"] for row in await until_letters(saga, engine, 2)}
    ours = letters["vendor-onboarding.requests"]
    assert "has read nothing" in await saga("dlq", "replay", ours, *WHY, "--group", consumer, code=4)
    assert "has read nothing" in await saga("dlq", "replay", ours, *WHY, "--group", "no-such-group", code=4)
    await saga("dlq", "replay", ours, *WHY, "--group", " ", code=2)
    assert len(await saga.letters()) == 2

    # For the group that gave it up it comes back; for somebody else's it is passed, and the offset with it.
    await saga("dlq", "replay", ours, *WHY, "--group", coordinators, "--wait", "10", code=5)
    (back,) = await saga.letters("--topic", "vendor-onboarding.requests")
    auditor = Consumer({"bootstrap.servers": wire.bootstrap, "group.id": "audit"})
    for partition in range(4):
        auditor.commit(offsets=[TopicPartition("vendor-onboarding.requests", partition, 1)], asynchronous=False)
    auditor.close()
    (sent,) = await saga.rows("dlq", "replay", back["id"], *WHY, "--group", "audit", "--wait", "0")
    assert "by no other" in sent["text"]
    messages = wire.read("vendor-onboarding.requests")
    assert [dict(m.headers()).get("saga-replay-group") for m in messages].count(b"audit") == 1
    ends = {m.partition(): m.offset() + 1 for m in messages}
    read = "SELECT partition, next_offset FROM input_offset WHERE topic = 'vendor-onboarding.requests'"
    await engine.until(lambda: {p: o for p, o in engine.sql(read) if p in ends} == ends)
    assert await saga.letters("--topic", "vendor-onboarding.requests") == []
    assert engine.sagas() == []


async def test_a_loop_is_refused_until_somebody_insists(
    engine: Any, saga: Any, compensated: Any, systems: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("SAGA_REPLAY_LIMIT", "1")
    engine.start()
    await compensated(1)
    (letter,) = await until_letters(saga, engine, 1)
    systems.plans[CreatePortalAccount] = [Rejected("EMAIL_IN_USE", "still taken")] * 2
    (sent,) = await saga.rows("dlq", "replay", letter["id"], *WHY, code=5)
    assert sent["came_back"]
    (second,) = await until_letters(saga, engine, 1)
    assert second["replay_count"] == 1
    assert "loop" in await saga("dlq", "replay", second["id"], *WHY, code=4)
    await saga("dlq", "replay", second["id"], *WHY, "--force", code=5)


async def test_a_canary_that_comes_back_holds_the_rest(engine: Any, saga: Any, compensated: Any, systems: Any) -> None:
    engine.start()
    await compensated(6)
    await until_letters(saga, engine, 6)
    systems.plans[CreatePortalAccount] = [Rejected("EMAIL_IN_USE", "still taken")]
    bulk = ("dlq", "replay", "--reason-code", "EMAIL_IN_USE", *WHY, "--canary", "1")
    await saga(*bulk, code=6, stdin="n\n")
    rows = await saga.rows(*bulk, "--yes", code=5)
    assert [row["result"] for row in rows] == ["sent"]
    assert len(engine.sagas()) == 7
    rows = await saga.rows(*bulk, "--yes")
    assert [row["result"] for row in rows] == ["sent"] * 6
    await engine.until(lambda: sum(s.state.status is Status.COMPLETED for s in engine.sagas()) == 6)
    assert await saga.letters() == []


async def test_a_retired_topic_is_redirected_and_an_unknown_one_refused(
    engine: Any, saga: Any, wire: Any, desk: Desk, monkeypatch: Any
) -> None:
    create_topics(wire.bootstrap, ["old.completions.dlq"], partitions=1)
    wire.send("old.completions.dlq", b"v", [("ce_id", b"1"), ("__dlq.errors.topic", b"old.completions")])
    (letter,) = await saga.letters()
    assert "no topic old.completions" in await saga("dlq", "replay", letter["id"], *WHY, code=4)
    monkeypatch.setenv("SAGA_RETIRED_TOPICS", "old.completions=erp.completions")
    (sent,) = await saga.rows("dlq", "replay", letter["id"], *WHY, "--wait", "0")
    assert sent["topic"] == "erp.completions"
    assert [m.value() for m in wire.read("erp.completions")] == [b"v"]


async def test_a_blind_unknown_is_sent_again_only_when_a_person_knows_that_it_was_not_done(
    engine: Any, saga: Any, agent: Agent, systems: Any, make_vendor: Make
) -> None:
    systems.plans[SendWelcomeEmail] = [Unknown("CUT", "the connection broke after sending")]
    engine.start()
    vendor = make_vendor(1)
    await agent.publish(vendor)
    assert (await agent.outcome(vendor.saga_id, 60)).status.value == "review"
    (letter,) = await until_letters(saga, engine, 1)
    assert "resolved=not-done" in await saga("dlq", "replay", letter["id"], *WHY, code=4)
    await saga("dlq", "replay", letter["id"], *WHY, "--resolved", "done", code=2)
    (sent,) = await saga.rows("dlq", "replay", letter["id"], *WHY, "--resolved", "not-done")
    assert sent["now"].startswith(f"saga {vendor.saga_id} is completed")
    assert systems.calls.count("SendWelcomeEmail") == 2


async def test_poison_among_good_messages_is_one_group_and_is_discarded_as_one(
    engine: Any, saga: Any, agent: Agent, systems: Any, make_vendor: Make, wire: Any
) -> None:
    vendors = [make_vendor(number) for number in range(20)]
    for number in range(3):
        wire.send("vendor-onboarding.requests", b"poison [/red] \x1b[31m", [("ce_id", b"%d" % number)])
        await agent.publish_all(vendors[number * 7 : number * 7 + 7])
    engine.start()
    for vendor in vendors:
        assert (await agent.outcome(vendor.saga_id, 60)).status.value == "completed"
    await until_letters(saga, engine, 3)
    (group,) = await saga.rows("dlq", "groups")
    assert (group["reason"], group["system"], group["count"]) == ("missing-header", None, 3)
    for command in (("list",), ("groups",), ("stats",), ("show", (await saga.letters())[0]["id"])):
        await saga("dlq", *command)
    done = await saga.rows("dlq", "discard", "--reason-code", "missing-header", *WHY, "--yes")
    assert len(done) == 3
    assert await saga.rows("dlq", "groups") == []


async def test_a_replay_keeps_its_rate_and_stops_when_one_comes_back(
    engine: Any, saga: Any, compensated: Any, systems: Any
) -> None:
    engine.start()
    await compensated(12)
    await until_letters(saga, engine, 12)
    systems.plans[CreatePortalAccount] = [Rejected("EMAIL_IN_USE", "still taken")] * 12
    began = time.monotonic()
    rows = await saga.rows(
        "dlq", "replay", "--all", *WHY, "--yes", "--rate", "4", "--stop-on-repeat", "--limit", "10", code=5
    )
    assert 0 < len(rows) < 10
    assert time.monotonic() - began > (len(rows) - 1) / 4


async def test_markup_in_a_letter_is_text(saga: Any, wire: Any, engine: Any) -> None:
    headers = [
        ("saga-dlq-reason", b"[/red]"),
        ("saga-dlq-step", b"\x1b[31m"),
        ("__dlq.errors.message", b"[/b] [link=x]"),
    ]
    wire.send("erp.commands.dlq", b"[/red]", headers)
    (letter,) = await saga.letters()
    for command in (("list",), ("groups",), ("stats",), ("show", letter["id"])):
        assert "\x1b[31m" not in await saga("dlq", *command)
    await saga("dlq", "discard", "--all", *WHY, code=6, stdin="n\n")
    assert "[/red]" in await saga("dlq", "list")
