"""What a simulation does to the broker in memory, and no test can do to a real one so quickly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.messaging.errors import BrokerFatal, BrokerUnavailable
from orchestrator.messaging.message import Outgoing, TopicPartition
from orchestrator.testing.memory_broker import MemoryBroker, MemoryInbox, MemoryOutbox

START = datetime(2026, 1, 1, tzinfo=UTC)
EVERY = [("t", partition) for partition in range(4)]


class Time:
    """Passes only where an inbox waits."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def broker(time: Time) -> MemoryBroker:
    made = MemoryBroker(time, time.sleep)
    made.create_topic("t")
    for partition in range(4):
        for _ in range(3):
            made.append(Outgoing("t", b"k", b"v"), partition)
    return made


async def nothing_known(_: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
    return {}


def member(broker: MemoryBroker, *topics: str) -> MemoryInbox:
    return MemoryInbox(broker, "g", topics or ["t"], nothing_known)


async def join(*members: MemoryInbox) -> None:
    for _ in range(10):
        for each in members:
            await each.idle(0) if each.joined() else await each.poll(0, 0)
    assert all(each.joined() for each in members)


async def test_the_partitions_of_a_crashed_member_go_to_the_others_from_the_last_commit(broker: MemoryBroker) -> None:
    one, two = member(broker), member(broker)
    await join(one, two)
    assert [len(each.assigned()) for each in (one, two)] == [2, 2]
    await one.poll(100, 0)
    await one.commit({("t", 0): 2})
    one.crash()
    await join(two)
    found = await two.poll(100, 0)
    assert sorted(message.offset for message in found if message.place == ("t", 0)) == [2]
    assert len(found) == 1 + 3 * 3
    with pytest.raises(BrokerFatal):
        await one.poll(1, 0)


async def test_an_expelled_member_works_on_in_vain_until_it_hears_of_it(broker: MemoryBroker) -> None:
    zombie = member(broker)
    await join(zombie)
    await zombie.poll(100, 0)
    broker.expel(zombie)
    other = member(broker)
    await join(other)
    assert len(other.assigned()) == 4
    assert zombie.assigned() == frozenset(EVERY)
    await zombie.commit(dict.fromkeys(EVERY, 3))
    assert broker.committed("g") == {}
    await join(zombie, other)
    assert not zombie.assigned() & other.assigned()


async def test_a_member_that_has_not_heard_of_a_rebalance_may_still_commit(broker: MemoryBroker) -> None:
    one, two = member(broker), member(broker)
    await join(one)
    await one.poll(100, 0)
    assert not await two.poll(1, 0)
    assert not two.joined()
    await one.commit({("t", 3): 3})
    assert broker.committed("g") == {("t", 3): 3}


async def test_a_rewind_that_the_group_takes_no_more_is_tried_again(broker: MemoryBroker) -> None:
    async def lower(_: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {("t", 0): 1}

    first = member(broker)
    await join(first)
    await first.commit({("t", 0): 3})
    await first.close()
    inbox = MemoryInbox(broker, "g", ["t"], lower)
    await inbox.idle(0)
    broker.expel(inbox)
    with pytest.raises(BrokerUnavailable):
        await inbox.poll(1, 0)
    assert broker.committed("g") == {("t", 0): 3}
    await inbox.idle(0)
    await join(inbox)
    assert broker.committed("g") == {("t", 0): 1}


async def test_a_topic_that_is_made_later_is_read(broker: MemoryBroker) -> None:
    inbox = member(broker, "t", "later")
    await join(inbox)
    broker.create_topic("later", 1)
    await join(inbox)
    assert ("later", 0) in inbox.assigned()


async def test_a_full_partition_does_not_keep_the_others_waiting(broker: MemoryBroker) -> None:
    inbox = member(broker)
    await join(inbox)
    places: set[Any] = set()
    for _ in range(4):
        places |= {message.place for message in await inbox.poll(1, 0)}
    assert places == set(EVERY)


async def test_time_passes_where_there_is_nothing_to_read(broker: MemoryBroker, time: Time) -> None:
    inbox = member(broker)
    await join(inbox)
    await inbox.poll(100, 5)
    assert time.now == START
    await inbox.poll(100, 5)
    await inbox.idle(2)
    assert time.now == START + timedelta(seconds=7)


async def test_the_time_of_a_message_is_what_has_been_heard(broker: MemoryBroker, time: Time) -> None:
    inbox, outbox = member(broker), MemoryOutbox(broker)
    await join(inbox)
    await inbox.poll(100, 0)
    time.now += timedelta(seconds=1, microseconds=1500)
    await outbox.send([Outgoing("t", b"a", b"1"), Outgoing("t", b"a", b"2")])
    (message,) = await inbox.poll(1, 0)
    assert inbox.heard_until(message.partition) == START + timedelta(seconds=1, milliseconds=1)
    await inbox.poll(1, 0)
    assert inbox.heard_until(message.partition) is None


async def test_a_broker_that_is_away_answers_nobody(broker: MemoryBroker) -> None:
    inbox, outbox = member(broker), MemoryOutbox(broker)
    await join(inbox)
    broker.away = True
    assert not await inbox.poll(100, 0)
    with pytest.raises(BrokerUnavailable):
        await inbox.commit({("t", 0): 1})
    with pytest.raises(BrokerUnavailable):
        await outbox.send([Outgoing("t", b"k", b"v")])
    broker.away = False
    assert len(await inbox.poll(100, 0)) == 12


async def test_a_log_that_is_cut_under_its_reader_stops_it(broker: MemoryBroker) -> None:
    inbox = member(broker)
    await join(inbox)
    broker.trim(("t", 2), 1)
    with pytest.raises(BrokerFatal):
        await inbox.poll(100, 0)
