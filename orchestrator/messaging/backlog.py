"""How much a consumer group has not dealt with yet, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from orchestrator.messaging.kafka import translated

__all__ = ["Backlog", "backlog_of"]

_REQUEST_SECONDS = 10.0
_READ_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages that the group has not dealt with, and when the oldest of them was sent; None where there is none."""

    messages: int
    oldest: datetime | None


def backlog_of(kafka: Mapping[str, Any], group: str, topic: str) -> Backlog:
    """What the group has before it in that topic. Reads without joining the group, and commits nothing.

    Raises:
        BrokerUnavailable: the broker did not answer.

    """
    settings = {"group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest", "log_level": 2}
    consumer = Consumer({**kafka, **settings})
    try:
        known = consumer.list_topics(topic, timeout=_REQUEST_SECONDS).topics[topic].partitions
        unread = {}
        places = [TopicPartition(topic, number) for number in known]
        for place in consumer.committed(places, timeout=_REQUEST_SECONDS) if places else ():
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, place.partition), timeout=_REQUEST_SECONDS)
            start = max(place.offset, low)
            if start < high:
                unread[place.partition] = (start, high - start)
        oldest = [_sent_at(consumer, topic, number, start) for number, (start, _) in unread.items()]
        times = [time for time in oldest if time is not None]
        return Backlog(sum(count for _, count in unread.values()), min(times, default=None))
    except KafkaException as exc:
        raise translated(exc) from exc
    finally:
        consumer.close()


def _sent_at(consumer: Consumer, topic: str, partition: int, offset: int) -> datetime | None:
    consumer.assign([TopicPartition(topic, partition, offset)])
    message = consumer.poll(_READ_SECONDS)
    if message is None or message.error() is not None:
        return None
    return datetime.fromtimestamp(max(message.timestamp()[1], 0) / 1000, UTC)
