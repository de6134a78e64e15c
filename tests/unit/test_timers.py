"""The timer loop: whatever else goes wrong, a saga that is due is woken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from orchestrator.database import StoreUnavailable
from orchestrator.messaging.message import Outgoing, TopicPartition
from orchestrator.messaging.ports import Receipt
from orchestrator.messaging.writer import Writer
from orchestrator.timers import Timers
from schemas.codec import Codec
from schemas.errors import RegistryUnavailable
from schemas.registry import FixedIds


@dataclass
class MemoryTimerStore:
    due: list[UUID] = field(default_factory=list)
    held: list[Outgoing] = field(default_factory=list)
    read: dict[TopicPartition, int] = field(default_factory=dict)
    may_maintain: bool = True
    maintained: int = 0

    async def take_due(self, most: int) -> Sequence[UUID]:
        found, self.due = self.due[:most], self.due[most:]
        return found

    async def take_held(self, most: int) -> Sequence[Outgoing]:
        found, self.held = self.held[:most], self.held[most:]
        return found

    async def progress(self, group: str) -> Mapping[TopicPartition, int]:
        return self.read

    async def maintain(self) -> None:
        if not self.may_maintain:
            raise StoreUnavailable("permission denied for schema public")
        self.maintained += 1

    async def close(self) -> None: ...


@dataclass
class CountingOutbox:
    """Tells offsets, as Kafka does."""

    sent: list[Outgoing] = field(default_factory=list)

    async def send(self, messages: Sequence[Outgoing]) -> Receipt:
        self.sent.extend(messages)
        last = {(m.topic, 0): sum(s.topic == m.topic for s in self.sent) - 1 for m in messages}
        return Receipt((), last)

    async def close(self) -> None: ...


class FlakyIds(FixedIds):
    """A registry that is away for its first questions."""

    def __init__(self, away: int) -> None:
        super().__init__()
        self.away = away

    def id_of(self, name: str) -> int:
        self.away -= 1
        if self.away >= 0:
            raise RegistryUnavailable("away")
        return super().id_of(name)


@pytest.fixture
def loop(clock: Any, ids: Any, away: int) -> tuple[Timers, MemoryTimerStore, CountingOutbox]:
    store, outbox = MemoryTimerStore(), CountingOutbox()
    timers = Timers(
        store=store,
        outbox=outbox,
        writer=Writer(Codec(FlakyIds(away)), 900_000),
        ids=ids,
        clock=clock.monotonic,
        now=clock.now,
        sleep=clock.sleep,
        group="g",
        interval=0.2,
    )
    return timers, store, outbox


@pytest.fixture
def away() -> int:
    return 0


Loop = tuple[Timers, MemoryTimerStore, CountingOutbox]


async def test_a_tick_waits_until_the_last_wakes_are_read(loop: Loop) -> None:
    timers, store, outbox = loop
    store.due = [uuid7()]
    assert await timers.tick() == 1
    store.due = [uuid7()]
    assert await timers.tick() == 0
    store.read = {("saga.control", 0): 1}
    assert await timers.tick() == 1
    assert len(outbox.sent) == 2


async def test_a_held_message_for_a_topic_that_is_read_no_more_stops_no_wake(loop: Loop) -> None:
    # Its definition was taken out of the catalogue while it was held, so that nobody will ever read it.
    timers, store, _ = loop
    store.held = [Outgoing("old-definition.requests", b"k", b"v")]
    await timers.tick()
    store.due = [uuid7()]
    assert await timers.tick() == 1


async def test_partitions_that_cannot_be_made_stop_no_wake(loop: Loop, clock: Any) -> None:
    timers, store, _ = loop
    store.may_maintain = False
    store.due = [uuid7()]
    assert await timers.tick() == 1
    store.may_maintain = True
    clock.seconds += 61
    await timers.tick()
    assert store.maintained == 1


@pytest.mark.parametrize("away", [3])
async def test_a_registry_that_is_away_is_waited_for(loop: Loop, clock: Any) -> None:
    timers, store, outbox = loop
    due = [uuid7() for _ in range(5)]

    def stopping() -> bool:
        # Sagas that were taken while the registry was away are given again after their 30 seconds.
        store.due = [] if outbox.sent else list(due)
        return len(outbox.sent) == len(due)

    await timers.run(stopping)
    assert len(outbox.sent) == 5
