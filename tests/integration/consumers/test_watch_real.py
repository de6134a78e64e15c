"""The watch on a real database: several workers, restarts, and one event for each trouble."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from consumers.watch.store import Alert, PostgresWatch, WatchReader
from consumers.watch.watcher import Watch
from orchestrator.database import connect
from orchestrator.messaging.errors import BrokerUnavailable
from orchestrator.messaging.kafka import in_thread

GOOD = {"id": "V-1", "items": [{"sku": "a", "price": 1}]}
NEW_FIELD = {**GOOD, "vat": "DE123"}
OTHER_TYPE = {**GOOD, "items": [{"sku": "a", "price": "1.00"}]}


class Room:
    """Workers of one system, whose clocks are the database's, and what they told."""

    def __init__(self, url: str, clock: Any) -> None:
        self.engine = connect(url)
        self.clock = clock
        self.seconds = 0.0
        self.told: list[Alert] = []
        self.away = False

    def worker(self) -> Watch:
        async def tell(alert: Alert) -> None:
            if self.away:
                raise BrokerUnavailable("away")
            self.told.append(alert)

        return Watch("erp", PostgresWatch(self.engine, in_thread()), tell, clock=lambda: self.seconds)

    async def pass_(self, seconds: float, *workers: Watch) -> None:
        self.seconds += seconds
        self.clock.advance(seconds)
        for worker in workers:
            await worker.tick()

    async def answers(self, worker: Watch, value: Any, count: int = 10) -> None:
        for _ in range(count):
            worker.answered("create_vendor", "POST", value)
        await self.pass_(6, worker)

    def said(self) -> list[tuple[str, bool, list[str]]]:
        return [(alert.kind, alert.ended_at is not None, list(alert.changes)) for alert in self.told]


@pytest.fixture
async def room(migrated_url: str, postgres_bench: Any) -> AsyncIterator[Room]:
    made = Room(migrated_url, postgres_bench.clock)
    yield made
    made.engine.dispose()


async def test_two_workers_learn_together_and_tell_of_a_drift_once_and_of_its_end(room: Room) -> None:
    one, other = room.worker(), room.worker()
    await room.answers(one, GOOD)
    await room.answers(other, GOOD)
    await room.answers(one, GOOD, 1)  # knows now what both learned
    for _ in range(3):
        await room.answers(one, NEW_FIELD)
        await room.answers(other, NEW_FIELD)
    assert room.said() == [("drift", False, ["appeared POST/vat"])]
    for _ in range(14):
        await room.answers(one, GOOD)
        await room.answers(other, GOOD)
    assert room.said() == [("drift", False, ["appeared POST/vat"]), ("drift", True, ["appeared POST/vat"])]
    await room.answers(one, OTHER_TYPE)
    assert room.said()[2:] == [("drift", False, ["changed type POST/items[]/price"])]
    assert "DE123" not in str(room.told)


async def test_a_worker_that_is_restarted_knows_the_shape(room: Room) -> None:
    first = room.worker()
    for _ in range(3):
        await room.answers(first, GOOD)
    second = room.worker()
    await room.answers(second, OTHER_TYPE, 1)
    await room.answers(second, OTHER_TYPE)
    assert room.said() == [("drift", False, ["changed type POST/items[]/price"])]


async def test_a_field_that_is_seldom_there_is_no_drift(room: Room) -> None:
    one = room.worker()
    for _ in range(3):
        await room.answers(one, GOOD)
    for _ in range(20):
        await room.answers(one, NEW_FIELD, 1)
        await room.answers(one, GOOD, 40)
    assert room.said() == []


async def test_what_is_accepted_is_learned_anew(room: Room) -> None:
    one, reader = room.worker(), WatchReader(room.engine)
    for _ in range(3):
        await room.answers(one, GOOD)
    await room.answers(one, OTHER_TYPE)
    assert [(alert.action, alert.kind) for alert in reader.alerts()] == [("create_vendor", "drift")]
    assert reader.accept("erp", "no_such_action") == []
    assert reader.accept("erp", "create_vendor") == ["create_vendor"]
    assert reader.alerts() == []
    for _ in range(6):
        await room.answers(one, OTHER_TYPE)
    assert room.said() == [
        ("drift", False, ["changed type POST/items[]/price"]), ("drift", True, ["changed type POST/items[]/price"]),
    ]  # fmt: skip
    await room.answers(one, GOOD)
    assert room.said()[2:] == [("drift", False, ["changed type POST/items[]/price"])]


async def test_an_alert_that_cannot_be_told_is_told_later_by_whoever_can(room: Room) -> None:
    one = room.worker()
    for _ in range(3):
        await room.answers(one, GOOD)
    room.away = True
    with pytest.raises(BrokerUnavailable):
        await room.answers(one, NEW_FIELD)
    room.away = False
    other = room.worker()
    await room.pass_(20, other)
    assert room.said() == [("drift", False, ["appeared POST/vat"])]
    await room.pass_(20, other, one)
    assert len(room.told) == 1


async def test_an_action_that_fails_more_than_usual_is_told_of(room: Room) -> None:
    one, other = room.worker(), room.worker()

    async def calls(ok: Callable[[int], bool], seconds: int) -> None:
        for second in range(seconds):
            for number in range(4):
                (one, other)[number % 2].ended("create_vendor", ok=ok(second))
            await room.pass_(1, one, other)

    await calls(lambda second: second % 25 != 0, 150)
    assert room.said() == []
    await calls(lambda second: second % 2 == 0, 60)
    assert room.said() == [("error-rate", False, [])]
    assert room.told[0].rate > room.told[0].usual + 0.1
    await calls(lambda second: True, 180)
    assert room.said() == [("error-rate", False, []), ("error-rate", True, [])]


async def test_what_could_not_be_shared_is_not_lost(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestrator.database import StoreUnavailable

    one = room.worker()

    async def away(*_: Any) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(one._store, "share", away)
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await room.answers(one, GOOD)
    await room.pass_(6, one)
    await room.answers(one, OTHER_TYPE)
    assert room.said() == [("drift", False, ["changed type POST/items[]/price"])]
