"""Which systems are away, as their consumers say on the compacted topic `saga.systems`.

A consumer says so again every few seconds while its circuit breaker is open. What has not been said for half a minute
is over: the worker that said it is gone, and whoever took its place has nothing to complain of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from orchestrator.messaging import topics
from orchestrator.messaging.errors import BadMessage
from orchestrator.messaging.kafka import Run, translated
from orchestrator.messaging.reader import decode
from schemas.codec import Codec
from schemas.models import CircuitState, SystemState

__all__ = ["KafkaSystems", "NobodyAway", "reader_config"]

log = structlog.get_logger(__name__)

_BELIEVED_SECONDS = 30.0
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


class KafkaSystems:
    """Reads the topic when it is asked; never before, so that a coordinator without time-outs has no second client."""

    def __init__(self, kafka: Mapping[str, Any], codec: Codec, *, run: Run, clock: Callable[[], float]) -> None:
        self._config = reader_config(kafka)
        self._codec = codec
        self._run = run
        self._clock = clock
        self._consumer: Consumer | None = None
        self._unread = 0
        # When it was last said that a system is away, by our own clock: nobody's clocks are compared.
        self._said: dict[str, float] = {}

    async def away(self) -> frozenset[str]:
        """See `Systems.away`."""
        await self._run(self._read)
        now = self._clock()
        return frozenset(name for name, at in self._said.items() if now - at < _BELIEVED_SECONDS)

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
            if record.state is CircuitState.open:
                self._said[record.system] = self._clock()
            else:
                self._said.pop(record.system, None)

    async def close(self) -> None:
        """See `Systems.close`."""
        if self._consumer is not None:
            await self._run(self._consumer.close)
            self._consumer = None
