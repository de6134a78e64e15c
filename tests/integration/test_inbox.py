"""The Kafka adapter's reading end on a real broker: nothing that was read and not committed is passed over."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from orchestrator.messaging.kafka import consumer_config, in_thread
from orchestrator.messaging.kafka_inbox import KafkaInbox
from orchestrator.messaging.message import Incoming, TopicPartition


@pytest.fixture
def topic(kafka: str, make_topics: Callable[[list[str]], None]) -> str:
    name = f"inbox-{uuid.uuid4().hex[:8]}"
    make_topics([name])
    producer = Producer({"bootstrap.servers": kafka})
    for number in range(10):
        producer.produce(name, str(number).encode(), partition=0)
    assert producer.flush(20) == 0
    return name


def make_inbox(kafka: str, topic: str, group: str, known: Mapping[TopicPartition, int] | None = None) -> KafkaInbox:
    async def on_assign(places: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return known or {}

    settings = {"bootstrap.servers": kafka, "fetch.wait.max.ms": 20}
    return KafkaInbox(consumer_config(settings, group), [topic], run=in_thread(), on_assign=on_assign)


async def read(inbox: KafkaInbox, count: int) -> list[Incoming]:
    found: list[Incoming] = []
    async with asyncio.timeout(30):
        while len(found) < count:
            found.extend(await inbox.poll(count - len(found), 0.2))
    return found


def offsets(messages: Sequence[Any]) -> list[int]:
    return [message.offset for message in messages]


async def test_what_was_rewound_is_read_again_after_idling(kafka: str, topic: str) -> None:
    inbox = make_inbox(kafka, topic, topic)
    assert offsets(await read(inbox, 6)) == [0, 1, 2, 3, 4, 5]
    await inbox.rewind({(topic, 0): 2})
    await inbox.idle(0.3)
    assert offsets(await read(inbox, 4)) == [2, 3, 4, 5]
    await inbox.close()


async def test_idling_passes_nothing_over(kafka: str, topic: str) -> None:
    inbox = make_inbox(kafka, topic, topic)
    assert offsets(await read(inbox, 3)) == [0, 1, 2]
    await inbox.idle(0.3)
    assert offsets(await read(inbox, 7)) == [3, 4, 5, 6, 7, 8, 9]
    await inbox.close()


async def test_a_crash_before_the_first_commit_reads_from_the_beginning(kafka: str, topic: str) -> None:
    # The database has a first batch whose outputs were never acknowledged: Kafka has no offset to say so.
    inbox = make_inbox(kafka, topic, topic, {(topic, 0): 6})
    assert offsets(await read(inbox, 10)) == list(range(10))
    await inbox.close()


async def test_it_starts_at_the_lower_offset_and_says_so_to_kafka(kafka: str, topic: str) -> None:
    first = make_inbox(kafka, topic, topic)
    await read(first, 8)
    await first.commit({(topic, 0): 8})
    await first.close()
    second = make_inbox(kafka, topic, topic, {(topic, 0): 5})
    assert offsets(await read(second, 2)) == [5, 6]
    await second.close()
    third = make_inbox(kafka, topic, topic, {(topic, 0): 9})
    assert offsets(await read(third, 2)) == [5, 6]
    await third.close()


async def test_a_partition_that_is_taken_away_while_idling_and_comes_back_is_read(kafka: str, topic: str) -> None:
    inbox = make_inbox(kafka, topic, topic)
    await read(inbox, 6)
    await inbox.commit({(topic, 0): 3})
    settings = {"bootstrap.servers": kafka, "group.id": topic, "enable.auto.commit": False}
    other = Consumer({**settings, "partition.assignment.strategy": "range"})
    other.subscribe([topic])
    async with asyncio.timeout(30):
        while not other.assignment():
            await inbox.idle(0.2)
            await asyncio.to_thread(other.poll, 0.2)
    await asyncio.to_thread(other.close)
    assert offsets(await read(inbox, 7)) == [3, 4, 5, 6, 7, 8, 9]
    await inbox.close()


async def until_heard(inbox: KafkaInbox, partition: int) -> None:
    async with asyncio.timeout(20):
        while inbox.heard_until(partition) is not None:
            assert not await inbox.poll(10, 0.05)


async def test_it_knows_what_lies_unread(kafka: str, topic: str) -> None:
    inbox = make_inbox(kafka, topic, topic)
    assert inbox.heard_until(0) is None  # nothing is ours yet, so there is nothing to hear
    await read(inbox, 4)
    heard = inbox.heard_until(0)
    assert heard is not None
    await read(inbox, 5)
    later = inbox.heard_until(0)
    assert later is not None
    assert later >= heard
    await read(inbox, 1)
    await until_heard(inbox, 0)
    producer = Producer({"bootstrap.servers": kafka})
    producer.produce(topic, b"late", partition=0)
    assert producer.flush(20) == 0
    # Until it is fetched nobody can know of it; from then on it lies unread.
    async with asyncio.timeout(20):
        while not (found := await inbox.poll(1, 0.1)):
            pass
    assert offsets(found) == [10]
    await inbox.rewind({(topic, 0): 5})
    assert inbox.heard_until(0) is not None
    await inbox.close()


async def test_the_marker_of_a_transaction_is_nothing_unread(kafka: str, topic: str) -> None:
    # It takes an offset of its own and is never delivered: a foreign producer may use transactions.
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": topic})
    producer.init_transactions()
    producer.begin_transaction()
    producer.produce(topic, b"foreign", partition=0)
    producer.commit_transaction()
    inbox = make_inbox(kafka, topic, topic)
    await read(inbox, 11)
    await until_heard(inbox, 0)
    await inbox.close()


async def test_the_last_commit_is_there_when_it_leaves(kafka: str, topic: str) -> None:
    inbox = make_inbox(kafka, topic, topic)
    for message in await read(inbox, 7):
        await inbox.commit({message.place: message.offset + 1})
    await inbox.close()
    after = make_inbox(kafka, topic, topic)
    assert offsets(await read(after, 3)) == [7, 8, 9]
    await after.close()
