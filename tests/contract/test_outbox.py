"""The contract of the writing end, on a real broker and in memory."""

from __future__ import annotations

import random
from typing import Any

import pytest

from orchestrator.messaging.errors import BrokerUnavailable
from orchestrator.messaging.message import Outgoing

HEADERS = (("ce_id", b"1"), ("ce_id", b"\x00\xff"), ("none", None), ("empty", b""), ("ü", "ä".encode()))


def noise(size: int) -> bytes:
    """Bytes that do not get smaller by compression."""
    return random.Random(size).randbytes(size)


def codes(receipt: Any) -> list[tuple[bytes | None, str]]:
    return [(refusal.message.key, refusal.code) for refusal in receipt.refused]


async def test_what_is_sent_arrives_in_order_with_all_that_is_on_it(broker: Any) -> None:
    topic = broker.topic()
    sent = [
        Outgoing(topic, b"k", b"one", HEADERS),
        Outgoing(topic, b"k", None),
        Outgoing(topic, b"k", b""),
        Outgoing(topic, b"k", b"\x00\xff"),
    ]
    assert not (await (await broker.outbox()).send(sent)).refused
    found = await broker.everything(topic)
    assert [message.again() for message in found] == sent
    assert [message.offset for message in found] == [0, 1, 2, 3]


async def test_a_key_has_the_partition_that_javas_producer_gives_it(broker: Any) -> None:
    topic = broker.topic()
    keys = [b"", b"a", b"ab", b"abc", b"abcd", b"abcde", "ü".encode(), b"01936f4e-0000-7000-8000-000000000001"]
    await (await broker.outbox()).send([Outgoing(topic, key, b"v") for key in keys])
    found = {message.key: message.partition for message in await broker.everything(topic)}
    assert [found[key] for key in keys] == [1, 0, 2, 3, 0, 1, 2, 3]


async def test_a_receipt_tells_the_last_offset_of_each_partition(broker: Any) -> None:
    topic, other = broker.topic(), broker.topic()
    broker.publish(topic, b"before", partition=0)
    outbox = await broker.outbox()
    receipt = await outbox.send([Outgoing(t, key, b"v") for key in (b"a", b"abcd", b"ab") for t in (topic, other)])
    # `a` and `abcd` share a partition.
    assert receipt.last == {(topic, 0): 2, (other, 0): 1, (topic, 2): 0, (other, 2): 0}
    assert (await outbox.send([Outgoing(topic, b"a", b"v")])).last == {(topic, 0): 3}


async def test_sending_nothing_is_done_at_once(no_broker: Any) -> None:
    receipt = await (await no_broker.outbox()).send([])
    assert not receipt.refused
    assert not receipt.last


async def test_a_message_over_the_limit_is_refused_and_the_others_arrive(broker: Any) -> None:
    topic = broker.topic()
    sizes = {b"a": 10, b"b": 1_100_000, b"c": 2_500_000, b"d": 10}
    receipt = await (await broker.outbox()).send([Outgoing(topic, k, noise(n)) for k, n in sizes.items()])
    assert sorted(codes(receipt)) == [(b"b", "MSG_SIZE_TOO_LARGE"), (b"c", "MSG_SIZE_TOO_LARGE")]
    assert {message.key for message in await broker.everything(topic)} == {b"a", b"d"}


async def test_headers_count_against_the_limit(broker: Any) -> None:
    topic = broker.topic(largest=10_000)
    receipt = await (await broker.outbox()).send([Outgoing(topic, b"a", b"v", (("h", noise(11_000)),))])
    assert codes(receipt) == [(b"a", "MSG_SIZE_TOO_LARGE")]


async def test_messages_that_fit_alone_are_taken_however_many_there_are(broker: Any) -> None:
    topic = broker.topic(largest=10_000)
    sent = [Outgoing(topic, b"k", noise(1000 + number)) for number in range(100)]
    receipt = await (await broker.outbox()).send(sent)
    assert codes(receipt) == []
    assert {message.value for message in await broker.everything(topic)} == {message.value for message in sent}
    assert list(receipt.last.values()) == [99]


async def test_one_message_that_is_refused_takes_no_other_with_it(broker: Any) -> None:
    topic = broker.topic(compacted=True)
    # All for one partition, where Kafka judges them together.
    sent = [Outgoing(topic, None if number == 50 else b"k%d" % number, b"v") for number in range(100)]
    receipt = await (await broker.outbox()).send(sent)
    assert codes(receipt) == [(None, "INVALID_RECORD")]
    assert {message.key for message in await broker.everything(topic)} == {message.key for message in sent} - {None}


async def test_a_name_that_no_topic_can_have_is_refused(broker: Any) -> None:
    topic = broker.topic()
    receipt = await (await broker.outbox()).send([Outgoing("no such name!", b"a", b"v"), Outgoing(topic, b"b", b"v")])
    assert codes(receipt) == [(b"a", "TOPIC_EXCEPTION")]
    assert [message.key for message in await broker.everything(topic)] == [b"b"]


async def test_a_topic_that_is_not_there_is_waited_for(broker: Any) -> None:
    topic = broker.topic()
    outbox = await broker.outbox()
    with pytest.raises(BrokerUnavailable):
        await outbox.send([Outgoing("not-there", b"a", b"v"), Outgoing(topic, b"b", b"v")])
    assert not (await outbox.send([Outgoing(topic, b"b", b"v")])).refused


async def test_a_broker_that_does_not_answer_is_unavailable(no_broker: Any) -> None:
    with pytest.raises(BrokerUnavailable):
        await (await no_broker.outbox()).send([Outgoing("t", b"a", b"v")])
