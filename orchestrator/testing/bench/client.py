"""The bench's own client: sends prepared requests and hears of outcomes, for the engine and the bare loop alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Any, Self

from confluent_kafka import Consumer, Producer, TopicPartition

from orchestrator.dev.errors import NotReady
from orchestrator.messaging.kafka import producer_config
from orchestrator.messaging.message import Outgoing

__all__ = ["Client", "Latency"]

_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Latency:
    """In milliseconds."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Self:
        """Of at least two."""
        cuts = quantiles(seconds, n=100)
        return cls(cuts[49] * 1000, cuts[94] * 1000, cuts[98] * 1000)


class Client:
    """One producer and one reader of an outcomes topic, from its end on. A saga is known by its message's key.

    `check` is called while it waits, and raises where nothing more will come.
    """

    def __init__(self, kafka: Mapping[str, Any], outcomes: str, check: Callable[[], None]) -> None:
        self._check = check
        self._producer = Producer(producer_config(kafka))
        config = {**kafka, "group.id": "saga-bench", "enable.auto.commit": False}
        self._consumer = Consumer({**config, "fetch.wait.max.ms": 100, "queued.min.messages": 5000})
        found = self._consumer.list_topics(outcomes, timeout=_SECONDS).topics[outcomes]
        places = [TopicPartition(outcomes, number) for number in found.partitions]
        for place in places:
            place.offset = self._consumer.get_watermark_offsets(place, timeout=_SECONDS)[1]
        self._consumer.assign(places)
        self.ended: dict[bytes, float] = {}

    def send(self, message: Outgoing) -> None:
        """Send without waiting."""
        self._producer.produce(message.topic, message.value, message.key, headers=list(message.headers))
        self._producer.poll(0)

    def hear(self, seconds: float) -> list[bytes]:
        """Take in what has ended, waiting so long for the first; the keys of what has."""
        first = self._consumer.poll(seconds)
        if first is None:
            self._check()
            return []
        found: list[Any] = [m.key() for m in (first, *self._consumer.consume(1000, 0)) if m.error() is None]
        for key in found:
            # The first outcome counts; after a crash it may come again.
            self.ended.setdefault(key, time.perf_counter())
        return found

    def until_all(self, keys: Sequence[bytes], seconds: float) -> None:
        """Wait for the outcomes of all of these.

        Raises:
            NotReady: some have none after so long.

        """
        limit, left = time.perf_counter() + seconds, set(keys) - self.ended.keys()
        while left:
            left.difference_update(self.hear(0.2))
            if time.perf_counter() > limit:
                msg = f"{len(left)} of {len(keys)} sagas have no outcome after {seconds:.0f} s"
                raise NotReady(msg)

    def all_at_once(self, messages: Sequence[Outgoing], seconds: float) -> float:
        """Send all, and wait for all outcomes: the seconds from the first to the last."""
        began = time.perf_counter()
        for message in messages:
            self.send(message)
        self._producer.flush()
        self.until_all([message.key or b"" for message in messages], seconds)
        return max(self.ended[message.key or b""] for message in messages) - began

    def one_by_one(self, messages: Sequence[Outgoing], seconds: float) -> list[float]:
        """Send one, wait for its outcome, send the next: the seconds that each took."""
        took = []
        for message in messages:
            key, began = message.key or b"", time.perf_counter()
            self.send(message)
            while key not in self.ended:
                self.hear(0.05)
                if time.perf_counter() - began > seconds:
                    msg = f"a saga has no outcome after {seconds:.0f} s"
                    raise NotReady(msg)
            took.append(self.ended[key] - began)
        return took

    def at_rate(self, messages: Sequence[Outgoing], rate: float, seconds: float) -> list[float]:
        """Send so many a second, whatever comes back: the seconds of each from when it *should* have been sent."""
        began, due = time.perf_counter(), {}
        for number, message in enumerate(messages):
            at = began + number / rate
            while (wait := at - time.perf_counter()) > 0:
                self.hear(wait)
            self.send(message)
            due[message.key or b""] = at
        self.until_all(list(due), seconds)
        return [self.ended[key] - at for key, at in due.items()]

    def close(self) -> None:
        """Let go of the broker."""
        self._producer.flush()
        self._consumer.close()
