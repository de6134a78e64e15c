"""What the consumers say of their systems on the compacted topic `saga.systems`: away, or called as fast as allowed.

Each worker says so again every few seconds while it holds. What it has not said for half a minute is over: the worker
is gone, and whoever took its place has nothing to complain of.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka import Message as KafkaMessage

from orchestrator.messaging import topics
from orchestrator.messaging.errors import BadMessage
from orchestrator.messaging.kafka import Run, translated
from orchestrator.messaging.reader import decode
from schemas.codec import Codec
from schemas.models import CircuitState, SystemState

__all__ = ["KafkaSystems", "NobodyAway", "Said", "SystemView", "reader_config"]

log = structlog.get_logger(__name__)

_BELIEVED_SECONDS = 30.0
# A rate is one of the last seconds, and said again every ten.
_RATE_SECONDS = 15.0
_REQUEST_SECONDS = 10.0
_FIRST_SECONDS = 5.0
_MOST = 500


def reader_config(kafka: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a consumer that belongs to no group, commits nothing, and is told of the end of a partition."""
    return {
        **kafka,
        "group.id": "saga-reader",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "enable.partition.eof": True,
        "log_level": 2,
    }


class NobodyAway:
    """Deadlines are not extended: an outage is a failure like another."""

    async def away(self) -> frozenset[str]:
        """See `Systems.away`."""
        return frozenset()

    async def close(self) -> None:
        """See `Systems.close`."""


@dataclass(frozen=True, slots=True)
class SystemView:
    """One system as its workers tell of it.

    Attributes:
        state: away: not called now. paced: more commands wait than its limit lets through. called: anything else.
        limit: calls a second that all its workers together may make; None without a limit, and where nobody told.
        rate: calls a second that they made lately; None where nobody told.

    """

    state: Literal["called", "away", "paced"]
    limit: float | None
    rate: float | None


class Said:
    """The last words of each worker, and when they were heard. No I/O; times are seconds of one clock, our own."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], tuple[float, SystemState]] = {}

    def hear(self, record: SystemState, at: float) -> None:
        """A worker says something of its system; the others' words stand."""
        self._said[record.system, record.worker] = at, record

    def away(self, now: float) -> frozenset[str]:
        """The systems whose steps get more time: it is enough that one worker says so."""
        return frozenset(record.system for _, record in self._believed(now) if record.state is CircuitState.open)

    def views(self, now: float) -> Mapping[str, SystemView]:
        """The systems that something is known of."""
        by_system: dict[str, list[tuple[float, SystemState]]] = {}
        for at, record in self._believed(now):
            by_system.setdefault(record.system, []).append((at, record))
        return {name: _view(said, now) for name, said in by_system.items()}

    def _believed(self, now: float) -> list[tuple[float, SystemState]]:
        self._said = {who: said for who, said in self._said.items() if now - said[0] < _BELIEVED_SECONDS}
        return list(self._said.values())


def _view(said: list[tuple[float, SystemState]], now: float) -> SystemView:
    reasons = {record.reason for _, record in said if record.state is CircuitState.open}
    # Consumers of an earlier version give no reason, and know only one.
    state: Literal["called", "away", "paced"] = "called" if not reasons else "paced" if reasons == {"pace"} else "away"
    _, latest = max(said, key=lambda words: words[0])
    rates = [record.rate for at, record in said if record.rate is not None and now - at < _RATE_SECONDS]
    return SystemView(state, latest.limit, sum(rates) if rates else None)


class KafkaSystems:
    """Reads the topic when it is asked; never before, so that a coordinator without time-outs has no second client."""

    def __init__(
        self,
        kafka: Mapping[str, Any],
        codec: Codec,
        *,
        run: Run,
        clock: Callable[[], float],
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._config = reader_config(kafka)
        self._codec = codec
        self._run = run
        self._clock = clock
        self._wall = wall
        self._consumer: Consumer | None = None
        self._unread = 0
        self._said = Said()

    async def away(self) -> frozenset[str]:
        """See `Systems.away`."""
        await self._run(self._read)
        return self._said.away(self._clock())

    async def views(self) -> Mapping[str, SystemView]:
        """What is known of each system; one that nobody speaks of is called.

        Raises:
            BrokerUnavailable: the topic cannot be read; try again.

        """
        await self._run(self._read)
        return self._said.views(self._clock())

    def _read(self) -> None:
        if self._consumer is None:
            self._begin()
        assert self._consumer is not None
        deadline = self._clock() + _FIRST_SECONDS
        while True:
            found = self._consumer.consume(_MOST, 0.05 if self._unread > 0 else 0)
            for message in found:
                self._take(message)
            # The first time everything that was said before is waited for.
            if not found and (self._unread <= 0 or self._clock() > deadline):
                return

    def _begin(self) -> None:
        consumer = Consumer(self._config)
        try:
            known = consumer.list_topics(topics.SYSTEMS, timeout=_REQUEST_SECONDS).topics[topics.SYSTEMS].partitions
        except KafkaException as exc:
            consumer.close()
            raise translated(exc) from exc
        consumer.assign([TopicPartition(topics.SYSTEMS, number, OFFSET_BEGINNING) for number in known])
        self._consumer, self._unread = consumer, len(known)

    def _take(self, message: KafkaMessage) -> None:
        error = message.error()
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - that is its public name
                self._unread -= 1
            else:
                log.warning("systems.error", code=error.name(), error=error.str())
            return
        try:
            record = decode(self._codec, message.value())
        except BadMessage as exc:
            log.warning("systems.unreadable", offset=message.offset(), error=str(exc))
            return
        if isinstance(record, SystemState):
            self._said.hear(record, self._clock() - self._age(message))

    def _age(self, message: KafkaMessage) -> float:
        """How old words are that were said before we listened, in seconds. What comes later is new when it comes.

        The one comparison with somebody else's clock, and it errs for ten seconds at most: then it is said again.
        """
        kind, milliseconds = message.timestamp()
        if self._unread <= 0 or kind == TIMESTAMP_NOT_AVAILABLE:
            return 0.0
        return max(0.0, self._wall() - float(milliseconds) / 1000)

    async def close(self) -> None:
        """See `Systems.close`."""
        if self._consumer is not None:
            await self._run(self._consumer.close)
            self._consumer = None
