"""The contract of the reading end, on a real broker and in memory: nothing that was not committed is passed over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.database import StoreUnavailable
from orchestrator.messaging.errors import BrokerFatal, BrokerUnavailable

EPOCH = datetime.fromtimestamp(0, UTC)
TEN = [str(number).encode() for number in range(10)]


@pytest.fixture
def topic(broker: Any) -> str:
    """Ten messages in its first partition."""
    name: str = broker.topic()
    broker.publish(name, *TEN)
    return name


def offsets(messages: Sequence[Any]) -> list[int]:
    return [message.offset for message in messages]


async def joined(*inboxes: Any) -> None:
    """Poll them all until each has its share. Nothing is there to read."""
    async with asyncio.timeout(30):
        while not all(inbox.joined() for inbox in inboxes):
            for found in await asyncio.gather(*(inbox.poll(1, 0.05) for inbox in inboxes)):
                assert not found


# -- reading ---------------------------------------------------------------------------------------------------------


async def test_messages_come_with_all_that_is_on_them(broker: Any, read: Any) -> None:
    topic = broker.topic()
    headers = (("ce_id", b"1"), ("ce_id", b"\x00\xff"), ("none", None), ("empty", b""))
    broker.publish(topic, b"\x00\xff", partition=2, key=b"k", headers=headers)
    broker.publish(topic, None, b"", partition=2)
    first, *others = await read(await broker.inbox(topic), 3)
    assert (first.topic, first.partition, first.offset, first.key, first.value) == (topic, 2, 0, b"k", b"\x00\xff")
    assert first.headers == headers
    assert [(m.key, m.value, m.headers) for m in others] == [(None, None, ()), (None, b"", ())]


async def test_no_more_come_than_are_asked_for(broker: Any, topic: str) -> None:
    inbox = await broker.inbox(topic)
    found: list[int] = []
    async with asyncio.timeout(30):
        while len(found) < 10:
            got = offsets(await inbox.poll(3, 0.1))
            assert len(got) <= 3
            found += got
    assert found == list(range(10))
    assert not await inbox.poll(3, 0.05)


async def test_a_member_has_joined_once_it_has_its_share(broker: Any) -> None:
    topic = broker.topic()
    asked: list[Any] = []

    async def on_assign(places: Sequence[Any]) -> Any:
        asked.append(sorted(places))
        return {}

    inbox = await broker.inbox(topic, on_assign=on_assign)
    assert not inbox.joined()
    assert inbox.assigned() == frozenset()
    await joined(inbox)
    everything = [(topic, partition) for partition in range(4)]
    assert inbox.assigned() == frozenset(everything)
    assert asked == [everything]
    await inbox.close()
    assert not inbox.joined()
    assert inbox.assigned() == frozenset()


async def test_nobody_is_read_from_while_the_broker_is_away(no_broker: Any) -> None:
    inbox = await no_broker.inbox("t")
    assert not await inbox.poll(9, 0.1)
    await inbox.idle(0.1)
    assert not inbox.joined()


# -- where it starts -------------------------------------------------------------------------------------------------


async def test_what_was_not_committed_is_read_again(broker: Any, topic: str, read: Any) -> None:
    first = await broker.inbox(topic)
    await read(first, 5)
    await first.commit({(topic, 0): 3})
    await first.close()
    second = await broker.inbox(topic)
    assert offsets(await read(second, 7)) == [3, 4, 5, 6, 7, 8, 9]
    await second.close()


async def test_a_crash_before_the_first_commit_reads_from_the_beginning(broker: Any, topic: str, read: Any) -> None:
    # The database has a first batch whose outputs were never acknowledged: Kafka has no offset to say so.
    inbox = await broker.inbox(topic, known={(topic, 0): 6})
    assert offsets(await read(inbox, 10)) == list(range(10))
    assert broker.committed((topic, 0)) == {}


async def test_it_starts_at_the_lower_offset_and_says_so_to_kafka(broker: Any, topic: str, read: Any) -> None:
    first = await broker.inbox(topic)
    await read(first, 8)
    await first.commit({(topic, 0): 8})
    await first.close()
    second = await broker.inbox(topic, known={(topic, 0): 5})
    assert offsets(await read(second, 1)) == [5]
    assert broker.committed((topic, 0)) == {(topic, 0): 5}
    await second.close()
    third = await broker.inbox(topic, known={(topic, 0): 9})
    assert offsets(await read(third, 2)) == [5, 6]


async def test_an_offset_outside_the_log_stops_the_reader(broker: Any, topic: str, read: Any) -> None:
    first = await broker.inbox(topic)
    await read(first, 4)
    await first.commit({(topic, 0): 4})
    await first.close()
    broker.trim((topic, 0), 5)
    second = await broker.inbox(topic)
    with pytest.raises(BrokerFatal, match="outside the log"):
        await joined(second)
    await second.close()
    third = await broker.inbox(topic)
    with pytest.raises(BrokerFatal, match="outside the log"):
        await joined(third)


async def test_an_offset_beyond_the_log_stops_the_reader(broker: Any, topic: str, read: Any) -> None:
    first = await broker.inbox(topic)
    await read(first, 10)
    await first.commit({(topic, 0): 11})
    await first.close()
    with pytest.raises(BrokerFatal, match="outside the log"):
        await joined(await broker.inbox(topic))


async def test_where_the_database_does_not_answer_it_is_asked_again(broker: Any, topic: str, read: Any) -> None:
    answers: list[Any] = [StoreUnavailable("away"), BrokerUnavailable("away"), {(topic, 0): 0}]

    async def on_assign(_: Sequence[Any]) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    inbox = await broker.inbox(topic, on_assign=on_assign)
    for error in (StoreUnavailable, BrokerUnavailable):
        with pytest.raises(error):
            await read(inbox, 1)
        assert not inbox.joined()
        await inbox.rewind({(topic, 0): 3})
        await inbox.idle(0.05)
    assert offsets(await read(inbox, 10)) == list(range(10))


# -- commit, rewind, idle --------------------------------------------------------------------------------------------


async def test_what_was_rewound_is_read_again_after_idling(broker: Any, topic: str, read: Any) -> None:
    inbox = await broker.inbox(topic)
    assert offsets(await read(inbox, 6)) == [0, 1, 2, 3, 4, 5]
    await inbox.rewind({(topic, 0): 2, ("somebody-elses", 0): 1, (topic, 9): 1})
    await inbox.idle(0.3)
    assert offsets(await read(inbox, 8)) == [2, 3, 4, 5, 6, 7, 8, 9]


async def test_idling_passes_nothing_over(broker: Any, topic: str, read: Any) -> None:
    inbox = await broker.inbox(topic)
    assert offsets(await read(inbox, 3)) == [0, 1, 2]
    await inbox.idle(0.3)
    broker.publish(topic, b"10")
    assert offsets(await read(inbox, 8)) == [3, 4, 5, 6, 7, 8, 9, 10]


async def test_offsets_of_others_are_not_committed(broker: Any, topic: str, read: Any) -> None:
    other = broker.topic()
    inbox = await broker.inbox(topic)
    await read(inbox, 2)
    await inbox.commit({(topic, 0): 2, (other, 0): 0})
    await inbox.commit({})
    assert broker.committed((topic, 0), (other, 0)) == {(topic, 0): 2}


async def test_a_rewind_out_of_the_log_stops_the_reader(broker: Any, topic: str, read: Any) -> None:
    inbox = await broker.inbox(topic)
    await read(inbox, 10)
    broker.trim((topic, 0), 5)
    await inbox.rewind({(topic, 0): 3})
    with pytest.raises(BrokerFatal):
        await read(inbox, 1)


@pytest.mark.parametrize("seconds", [0, 0.5])
async def test_a_rewind_out_of_the_log_is_heard_of_also_while_idling(
    seconds: float, broker: Any, topic: str, read: Any
) -> None:
    inbox = await broker.inbox(topic)
    await read(inbox, 10)
    broker.trim((topic, 0), 5)
    await inbox.rewind({(topic, 0): 3})
    await asyncio.sleep(seconds)  # the client hears of it by itself

    async def work() -> None:
        await inbox.idle(0.5)
        await read(inbox, 1)

    with pytest.raises(BrokerFatal):
        await work()


# -- how far it has heard --------------------------------------------------------------------------------------------


async def test_it_has_heard_up_to_the_last_message_while_others_lie_unread(broker: Any, read: Any) -> None:
    topic, other = broker.topic(), broker.topic()
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    broker.publish(topic, *TEN, partition=1)
    broker.publish(other, b"x", partition=1)
    inbox = await broker.inbox(topic)
    await read(inbox, 4)
    heard = inbox.heard_until(1)
    assert heard is not None
    assert before <= heard <= datetime.now(UTC)
    await inbox.rewind({(topic, 1): 0})
    assert inbox.heard_until(1) == EPOCH
    await read(inbox, 10)
    await quiet(inbox, 1)
    await inbox.rewind({(topic, 1): 9})
    assert inbox.heard_until(1) == EPOCH
    assert inbox.heard_until(2) is None


async def quiet(inbox: Any, *partitions: int) -> None:
    async with asyncio.timeout(30):
        while any(inbox.heard_until(partition) is not None for partition in partitions):
            assert not await inbox.poll(1, 0.05)


async def test_partitions_of_one_number_are_heard_together(broker: Any) -> None:
    topic, other = broker.topic(), broker.topic()
    inbox = await broker.inbox(topic, other)
    await joined(inbox)
    assert len(inbox.assigned()) == 8
    await quiet(inbox, 0, 1, 2, 3)
    broker.publish(other, b"1", b"2", partition=1)
    async with asyncio.timeout(30):
        while not await inbox.poll(1, 0.05):
            pass
    assert inbox.heard_until(1) not in (None, EPOCH)
    assert inbox.heard_until(0) is None


# -- several members -------------------------------------------------------------------------------------------------


async def test_members_share_neighbouring_partitions_of_all_topics_alike(broker: Any) -> None:
    topic, other = broker.topic(), broker.topic()
    one, two = await broker.inbox(topic, other), await broker.inbox(topic, other)
    async with asyncio.timeout(30):
        while len(one.assigned()) != 4 or len(two.assigned()) != 4:
            await asyncio.gather(one.poll(1, 0.05), two.poll(1, 0.05))
    halves = [{(name, p) for name in (topic, other) for p in pair} for pair in ((0, 1), (2, 3))]
    assert sorted(map(sorted, (one.assigned(), two.assigned()))) == sorted(map(sorted, halves))


async def test_a_partition_that_is_taken_away_while_idling_and_comes_back_is_read(
    broker: Any, topic: str, read: Any
) -> None:
    inbox = await broker.inbox(topic)
    await read(inbox, 6)
    await inbox.commit({(topic, 0): 3})
    other = await broker.inbox(topic)
    async with asyncio.timeout(30):
        while not other.joined():
            await inbox.idle(0.05)
            await other.poll(1, 0.05)
    assert not inbox.joined() or inbox.assigned() < {(topic, p) for p in range(4)}
    await other.close()
    assert offsets(await read(inbox, 7)) == [3, 4, 5, 6, 7, 8, 9]


async def test_who_has_lost_a_partition_changes_nothing_in_it(broker: Any, read: Any) -> None:
    topic = broker.topic()
    for partition in range(4):
        broker.publish(topic, *TEN, partition=partition)
    one = await broker.inbox(topic)
    await read(one, 40)
    every = [(topic, partition) for partition in range(4)]
    await one.commit(dict.fromkeys(every, 5))
    two = await broker.inbox(topic)
    async with asyncio.timeout(30):
        while not (one.joined() and two.joined()):
            await asyncio.gather(one.idle(0.05) if one.joined() else one.poll(1, 0.05), two.poll(1, 0.05))
    lost = [place for place in every if place not in one.assigned()]
    assert len(lost) == 2
    await one.rewind(dict.fromkeys(lost, 0))
    await one.commit(dict.fromkeys(lost, 9))
    assert broker.committed(*every) == dict.fromkeys(every, 5)
    await two.close()
    found: set[tuple[Any, int]] = set()
    async with asyncio.timeout(30):
        while len(found) < 20:
            found |= {(message.place, message.offset) for message in await one.poll(20, 0.1)}
    assert found == {(place, offset) for place in every for offset in range(5, 10)}


async def test_a_member_too_many_has_joined_with_nothing(broker: Any) -> None:
    topic = broker.topic()
    inboxes = [await broker.inbox(topic) for _ in range(5)]
    async with asyncio.timeout(60):
        while sorted(len(inbox.assigned()) for inbox in inboxes) != [0, 1, 1, 1, 1]:
            await asyncio.gather(*(inbox.poll(1, 0.05) for inbox in inboxes))
        while not all(inbox.joined() for inbox in inboxes):
            await asyncio.gather(*(inbox.poll(1, 0.05) for inbox in inboxes))
