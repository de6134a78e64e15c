"""The timer loop: whatever else goes wrong, a saga that is due is woken."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from orchestrator.core.payload import Payload
from orchestrator.core.sample import sample
from orchestrator.core.state import SagaState, Status
from orchestrator.database import StoreUnavailable
from orchestrator.messaging.message import Outgoing
from orchestrator.messaging.topics import CONTROL
from orchestrator.messaging.writer import Writer
from orchestrator.store.ports import Change, Held
from orchestrator.testing.memory_broker import MemoryBroker, MemoryOutbox
from orchestrator.testing.memory_store import MemoryStore
from orchestrator.timers import Timers
from schemas.codec import Codec
from schemas.errors import RegistryUnavailable
from schemas.models import VendorOnboardingRequested
from schemas.registry import FixedIds


class Store(MemoryStore):
    """A store whose partitions cannot be made while a test says so."""

    may_maintain = True
    maintained = 0

    async def maintain(self) -> None:
        if not self.may_maintain:
            raise StoreUnavailable("permission denied for schema public")
        await super().maintain()
        self.maintained += 1

    async def due(self, count: int = 1) -> None:
        """New sagas whose deadline is now."""
        request = Payload.of(sample(VendorOnboardingRequested, full=True))
        state = SagaState("vendor-onboarding", 1, request, Status.RUNNING, revision=1, wake_at=self.now())
        await self._write(Change([(uuid7(), None, state) for _ in range(count)]))

    async def read(self, topic: str, until: int) -> None:
        await self._write(Change(offsets={(topic, 0): until}))

    async def _write(self, change: Change) -> None:
        async with self.begin() as transaction:
            await transaction.lock(())
            await transaction.write(change)
            await transaction.commit()

    async def keep(self, message: Outgoing) -> None:
        async with self.begin() as transaction:
            await transaction.hold(Held(uuid7(), UUID(int=1), message), 300)
            await transaction.commit()


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
def loop(clock: Any, ids: Any, away: int) -> tuple[Timers, Store, MemoryBroker]:
    store, broker = Store(clock.now, "g"), MemoryBroker(clock.now)
    broker.create_topic(CONTROL, 1)
    timers = Timers(
        store=store,
        outbox=MemoryOutbox(broker),
        writer=Writer(Codec(FlakyIds(away)), 900_000),
        ids=ids,
        clock=clock.monotonic,
        now=clock.now,
        sleep=clock.sleep,
        group="g",
        interval=0.2,
    )
    return timers, store, broker


@pytest.fixture
def away() -> int:
    return 0


Loop = tuple[Timers, Store, MemoryBroker]


async def test_a_tick_waits_until_the_last_wakes_are_read(loop: Loop) -> None:
    timers, store, broker = loop
    await store.due()
    assert await timers.tick() == 1
    await store.due()
    assert await timers.tick() == 0
    await store.read(CONTROL, 1)
    assert await timers.tick() == 1
    assert len(broker.messages(CONTROL)) == 2


async def test_a_held_message_for_a_topic_that_is_read_no_more_stops_no_wake(loop: Loop, clock: Any) -> None:
    # Its definition was taken out of the catalogue while it was held, so that nobody will ever read it.
    timers, store, broker = loop
    broker.create_topic("old-definition.requests", 1)
    await store.keep(Outgoing("old-definition.requests", b"k", b"v"))
    clock.seconds += 5
    assert await timers.tick() == 1
    await store.due()
    assert await timers.tick() == 1
    assert len(broker.messages(CONTROL)) == 1


async def test_partitions_that_cannot_be_made_stop_no_wake(loop: Loop, clock: Any) -> None:
    timers, store, _ = loop
    store.may_maintain = False
    await store.due()
    assert await timers.tick() == 1
    store.may_maintain = True
    clock.seconds += 61
    await timers.tick()
    assert store.maintained == 1


@pytest.mark.parametrize("away", [3])
async def test_a_registry_that_is_away_is_waited_for(loop: Loop, clock: Any) -> None:
    timers, store, broker = loop
    await store.due(5)
    await timers.run(lambda: len(broker.messages(CONTROL)) == 5)
    # Sagas that were taken while the registry was away are given again after their 30 seconds.
    assert 90 <= clock.seconds < 91
