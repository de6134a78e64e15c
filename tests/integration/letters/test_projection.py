"""The projection of the dead-letter topics, and what operators ask of it."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from uuid_utils.compat import uuid7

from orchestrator import bootstrap
from orchestrator.letters.desk import Desk
from orchestrator.letters.errors import TopicsChanged
from orchestrator.letters.letter import Letter, Way
from orchestrator.letters.wanted import By, Filter

ALL = Filter(states=())


def everything(desk: Desk) -> list[Letter]:
    return desk.store.at(desk.store.in_order(ALL))


async def test_every_kind_of_letter_is_found_with_what_it_says(
    engine: Any, desk: Desk, compensated: Any, parked: Any, wire: Any, saga: Any
) -> None:
    engine.start()
    (undone,) = await compensated(1)
    waiting = await parked()
    wire.send("vendor-onboarding.requests", b"\x00garbage", [("ce_id", b"1"), ("x", b"y")])
    await engine.until(lambda: desk.refresh() >= 0 and desk.store.count(ALL) == 3)
    by_way = {letter.way: letter for letter in everything(desk)}
    new, retry, again = by_way[Way.NEW_SAGA], by_way[Way.RETRY], by_way[Way.AGAIN]
    assert (new.saga_id, new.reason, new.step, new.system) == (undone, "EMAIL_IN_USE", "portal-account", "portal")
    assert (retry.saga_id, retry.reason, retry.direction, retry.system) == (waiting, "LOCKED", "undo", "erp")
    assert retry.definition == new.definition == "vendor-onboarding"
    assert (again.saga_id, again.reason, again.value) == (None, "missing-header", b"\x00garbage")
    row = engine.queries.one(waiting)
    assert retry.version == row.state.revision

    assert [row["saga_id"] for row in await saga.letters("--saga", str(undone))] == [str(undone)]
    assert [row["reason"] for row in await saga.letters("--header", "x=y")] == ["missing-header"]
    assert await saga.letters("--header", "x=z") == []
    for option, value, count in [
        ("--system", "erp", 1), ("--topic", "erp.commands", 1), ("--topic", "erp.commands.dlq", 1),
        ("--reason-code", "LOCKED", 1), ("--definition", "vendor-onboarding", 3), ("--since", "1h", 3),
        ("--until", "1h", 0), ("--state", "discarded", 0), ("--offset", "99", 0),
    ]:  # fmt: skip
        assert len(await saga.letters(option, value)) == count, option
    groups = await saga.rows("dlq", "groups")
    assert sorted((g["reason"], g["system"], g["count"]) for g in groups if g["system"]) == [
        ("EMAIL_IN_USE", "portal", 1), ("LOCKED", "erp", 1),
    ]  # fmt: skip
    stats = {row["topic"]: row for row in await saga.rows("dlq", "stats")}
    assert stats["vendor-onboarding.requests.dlq"]["open"] == 2

    (shown,) = await saga.rows("dlq", "show", str(retry.place))
    assert shown["record"] == "saga.erp.DeactivateVendor"
    assert shown["saga"]["status"] == "review"
    (shown,) = await saga.rows("dlq", "show", str(again.place))
    assert shown["hex"] is None, "nobody can say what is in it"
    (shown,) = await saga.rows("dlq", "show", str(again.place), "--unredacted", "--reason", "what is it?")
    assert shown["hex"] == b"\x00garbage".hex()
    assert shown["undecodable"]
    text = await saga("dlq", "show", str(new.place))
    assert "EMAIL_IN_USE" in text
    assert "compensated" in text
    assert "LOCKED" in await saga("dlq", "list")
    await saga("dlq", "show", "erp.commands.dlq/0@77777", code=3)
    await saga("dlq", "show", "nonsense", code=2)


async def test_a_rebuild_finds_the_same_letters_and_keeps_what_was_done(
    engine: Any, desk: Desk, compensated: Any, saga: Any, wire: Any
) -> None:
    engine.start()
    await compensated(5)
    await engine.until(lambda: desk.refresh() >= 0 and desk.store.count(ALL) == 5)
    first, second, *_ = everything(desk)
    desk.store.act("discarded", [(first, None)], By("ada", "nobody needs it"))
    desk.store.act("replaying", [(second, uuid7())], By("ada", "fixed"))
    desk.store.act("replayed", [(second, uuid7())], By("ada", "fixed"))
    before = everything(desk)
    assert {letter.state.value for letter in before} == {"open", "discarded", "replayed"}
    assert desk.refresh() == 0
    await saga("dlq", "rebuild")
    assert everything(desk) == before
    assert [act.kind for act in desk.store.acts(second)] == ["replaying", "replayed"]

    admin = AdminClient({"bootstrap.servers": wire.bootstrap})
    gone = TopicPartition(first.place.topic, first.place.partition, first.place.offset + 1)
    for future in admin.delete_records([gone]).values():
        future.result()
    await saga("dlq", "rebuild")
    assert everything(desk) == before, "what retention has taken from the topic is kept"


async def test_a_copy_that_a_crash_left_is_one_letter_and_junk_loses_nothing(
    engine: Any, desk: Desk, compensated: Any, wire: Any
) -> None:
    engine.start()
    (saga_id,) = await compensated(1)
    await engine.until(lambda: desk.refresh() >= 0 and desk.store.count(ALL) == 1)
    (letter,) = wire.read("vendor-onboarding.requests.dlq")
    wire.send("vendor-onboarding.requests.dlq", letter.value(), letter.headers(), letter.key())
    junk = [
        ("saga-dlq-reason", b"\xff\x00"),
        ("saga-dlq-sagaid", b"no id"),
        ("__dlq.errors.topic", b"erp.commands\x00"),
    ]
    wire.send("erp.commands.dlq", None, junk)
    wire.send("erp.commands.dlq", b"", [])
    desk.refresh()
    found = everything(desk)
    assert [f.saga_id for f in found if f.saga_id] == [saga_id]
    assert len(found) == 3
    desk.store.act("discarded", [(found[0], None)], By("ada", "x"))
    with pytest.raises(Exception, match="append-only"):
        engine.sql("DELETE FROM dead_letter_act")


async def test_topics_that_were_made_anew_are_not_taken_for_the_old_ones(
    engine: Any, desk: Desk, compensated: Any, saga: Any
) -> None:
    engine.start()
    await compensated(1)
    await engine.until(lambda: desk.refresh() >= 0 and desk.store.count(ALL) == 1)
    engine.sql("UPDATE dead_letter_offset SET next_offset = 1000")
    with pytest.raises(TopicsChanged, match="rebuild"):
        desk.refresh()
    await saga("dlq", "rebuild")
    assert len(await saga.letters()) == 1
    assert all(isinstance(letter.identity, UUID) for letter in everything(desk))


async def test_readers_that_meet_read_each_letter_once(wire: Any, settings: Any, desk: Desk) -> None:
    for number in range(60):
        wire.send("erp.commands.dlq", b"v%d" % number, [], b"k%d" % number)

    def read() -> int:
        with bootstrap.make_desk(settings) as mine:
            return mine.refresh()

    counts = await asyncio.gather(*(asyncio.to_thread(read) for _ in range(4)))
    assert sorted(counts) == [0, 0, 0, 60]
    assert desk.store.count(ALL) == 60
    # A rebuild meets readers too.
    await asyncio.gather(
        asyncio.to_thread(read), asyncio.to_thread(desk.refresh, rebuild=True), asyncio.to_thread(read)
    )
    assert desk.store.count(ALL) == 60
