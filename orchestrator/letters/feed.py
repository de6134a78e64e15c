"""Reads the dead-letter topics from given offsets to their present ends. Joins no group and commits nothing."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage
from confluent_kafka.admin import AdminClient

from orchestrator.letters.errors import NotInTime
from orchestrator.messaging import message as plain
from orchestrator.messaging.errors import BrokerUnavailable
from orchestrator.messaging.kafka import consumer_config
from orchestrator.messaging.message import Incoming

__all__ = ["Ends", "Feed", "Read"]

_SECONDS = 15.0
_SILENCE_SECONDS = 30.0
_BATCH = 500
_BATCH_BYTES = 8_000_000
_SUFFIX = ".dlq"


@dataclass(frozen=True, slots=True)
class Ends:
    """The log of one partition: the first offset that is there, and the next that will be written."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Read:
    """Some messages with the times when they were written, and how far their partitions have been read."""

    messages: Sequence[tuple[Incoming, datetime]]
    offsets: Mapping[plain.TopicPartition, int]


class Feed:
    """One reader. To be closed."""

    def __init__(self, kafka: Mapping[str, Any]) -> None:
        limits = {"queued.max.messages.kbytes": 16_384, "fetch.message.max.bytes": 4_194_304}
        self._kafka = dict(kafka)
        self._consumer = Consumer(consumer_config({**limits, **kafka}, "saga-dlq"))

    def topics(self, seconds: float = _SECONDS) -> tuple[str, Mapping[str, int]]:
        """The cluster's id, and all its topics with their numbers of partitions, within so many seconds.

        Raises:
            BrokerUnavailable: it did not answer.

        """
        try:
            found = self._consumer.list_topics(timeout=seconds)
        except KafkaException as exc:
            raise BrokerUnavailable(exc.args[0].str()) from exc
        return found.cluster_id or "", {name: len(topic.partitions) for name, topic in found.topics.items()}

    def reads(self, group: str) -> frozenset[str]:
        """The topics that a consumer group has read something of; none where there is no such group.

        Raises:
            BrokerUnavailable: it did not answer.

        """
        asked = [ConsumerGroupTopicPartitions(group)]
        admin = AdminClient(self._kafka)  # kept until the future is done: it ends it when it goes
        try:
            found = admin.list_consumer_group_offsets(asked, request_timeout=_SECONDS)[group].result()
        except KafkaException as exc:
            if exc.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return frozenset()
            raise BrokerUnavailable(exc.args[0].str()) from exc
        return frozenset(place.topic for place in found.topic_partitions if place.offset >= 0)

    def ends(self, seconds: float = _SECONDS) -> dict[plain.TopicPartition, Ends]:
        """Every partition of every dead-letter topic; no single answer takes longer than so many seconds.

        Raises:
            BrokerUnavailable: it did not answer.

        """
        _, topics = self.topics(seconds)
        places = [(name, p) for name, count in topics.items() if name.endswith(_SUFFIX) for p in range(count)]
        return {place: self._ends(place, seconds) for place in sorted(places)}

    def _ends(self, place: plain.TopicPartition, seconds: float) -> Ends:
        # A topic that was just made may still look for its leader.
        deadline = time.monotonic() + seconds
        while True:
            try:
                low, high = self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=seconds)
                return Ends(low, high)
            except KafkaException as exc:
                if time.monotonic() > deadline:
                    raise BrokerUnavailable(exc.args[0].str()) from exc
                time.sleep(0.1)

    def read(
        self,
        starts: Mapping[plain.TopicPartition, int],
        ends: Mapping[plain.TopicPartition, Ends],
        seconds: float | None = None,
    ) -> Iterator[Read]:
        """Everything from each start up to the end, in bounded batches; of late ones no more after so many seconds.

        Raises:
            BrokerUnavailable: the broker gave nothing for half a minute, or for the time given.
            NotInTime: there is more.

        """
        open_ = {place for place, start in starts.items() if start < ends[place].high}
        if not open_:
            return
        deadline = math.inf if seconds is None else time.monotonic() + seconds
        self._consumer.assign([TopicPartition(*place, starts[place]) for place in sorted(open_)])
        try:
            while open_:
                if time.monotonic() > deadline:
                    msg = f"not all dead letters could be read in {seconds:g} s"
                    raise NotInTime(msg)
                read = self._batch(open_, min(_SILENCE_SECONDS, deadline - time.monotonic()))
                open_ -= {place for place, at in read.offsets.items() if at >= ends[place].high}
                yield read
        finally:
            self._consumer.unassign()

    def _batch(self, open_: set[plain.TopicPartition], silence: float) -> Read:
        messages: list[tuple[Incoming, datetime]] = []
        offsets: dict[plain.TopicPartition, int] = {}
        size, deadline = 0, time.monotonic() + silence
        while len(messages) < _BATCH and size < _BATCH_BYTES:
            raw = self._consumer.poll(0 if offsets else min(1.0, max(silence, 0.1)))
            if raw is None:
                if offsets:
                    break
                if time.monotonic() > deadline:
                    msg = f"the broker gives nothing of {', '.join(sorted({topic for topic, _ in open_}))}"
                    raise BrokerUnavailable(msg)
                continue
            place = (str(raw.topic()), int(raw.partition() or 0))
            if _ended(raw):
                # Behind the last message there may be markers of somebody's transaction.
                offsets[place] = int(raw.offset() or 0)
                if open_ <= offsets.keys():
                    break
            elif place in open_:
                message = _incoming(raw)
                messages.append((message, _written(raw)))
                size += len(message.value or b"") + 1000
                offsets[place] = message.offset + 1
        return Read(messages, offsets)

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()


def _ended(raw: KafkaMessage) -> bool:
    error = raw.error()
    if error is None:
        return False
    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - that is its public name
        return True
    raise BrokerUnavailable(error.str())


def _incoming(raw: KafkaMessage) -> Incoming:
    pairs: Any = raw.headers() or ()
    headers = tuple((name, _bytes(value)) for name, value in pairs)
    topic, partition, offset = raw.topic(), raw.partition(), raw.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    return Incoming(topic, partition, offset, _bytes(raw.key()), _bytes(raw.value()), headers)


def _bytes(value: Any) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def _written(raw: KafkaMessage) -> datetime:
    return datetime.fromtimestamp(max(raw.timestamp()[1], 0) / 1000, UTC)
