"""Kafka through confluent-kafka's synchronous client.

The client's calls block. `run` says where: `directly` for a process with nothing else in its event loop (the
coordinator: a thread hop per call would cost more than the call), `in_thread()` for one that runs handlers meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import structlog
from confluent_kafka import KafkaError, KafkaException

from orchestrator.messaging.errors import BadSetting, BrokerFatal, BrokerUnavailable

__all__ = [
    "LARGEST_LETTER",
    "Run",
    "consumer_config",
    "directly",
    "in_thread",
    "producer_config",
    "translated",
]

log = structlog.get_logger(__name__)
T = TypeVar("T")

# Twice what a topic takes by default: a dead letter is its message and a kilobyte of reasons.
LARGEST_LETTER = 2_097_176

_QUIET_SECONDS = 10.0


class Run(Protocol):
    """Runs a blocking call."""

    async def __call__(self, function: Callable[..., T], /, *args: Any) -> T: ...


async def directly(function: Callable[..., T], /, *args: Any) -> T:
    """In the event loop's own thread."""
    return function(*args)


def in_thread() -> Run:
    """In one thread that does nothing else: the client is used from one thread at a time."""
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kafka")

    async def run(function: Callable[..., T], /, *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, function, *args)

    return run


# What librdkafka gets wrong by default for us (design §9). A user who sets one of them otherwise is refused.
_PINNED_CONSUMER = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "partition.assignment.strategy": "range",
    # The end of a partition may lie behind markers of somebody's transaction, which are never given to us.
    "enable.partition.eof": True,
}
_PINNED_PRODUCER = {"enable.idempotence": True, "acks": "all", "partitioner": "murmur2_random"}


def consumer_config(kafka: Mapping[str, Any], group: str) -> dict[str, Any]:
    """Settings of a consumer in that group.

    Raises:
        BadSetting: a setting contradicts what exactly-once effect needs.

    """
    defaults = {
        "queued.min.messages": 5000,
        "fetch.wait.max.ms": 100,
        "session.timeout.ms": 10_000,
        "heartbeat.interval.ms": 3_000,
        "max.poll.interval.ms": 300_000,
        "fetch.error.backoff.ms": 100,
    }
    return _config(kafka, {**defaults, "group.id": group}, _PINNED_CONSUMER)


def producer_config(kafka: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a producer.

    Raises:
        BadSetting: as for consumers.

    """
    # The limit is the broker's: the client's own, 1,000,000 bytes by default, would refuse the dead letter of what the
    # broker had taken from somebody else.
    limit = {"message.max.bytes": LARGEST_LETTER}
    defaults = {"linger.ms": 0, "delivery.timeout.ms": 30_000, "compression.type": "lz4", **limit}
    return _config({k: v for k, v in kafka.items() if k not in _CONSUMER_ONLY}, defaults, _PINNED_PRODUCER)


_CONSUMER_ONLY = {"fetch.wait.max.ms", "session.timeout.ms", "heartbeat.interval.ms", "max.poll.interval.ms"}


def _config(kafka: Mapping[str, Any], defaults: Mapping[str, Any], pinned: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in pinned.items():
        given = kafka.get(name, value)
        if str(given).lower() != str(value).lower():
            msg = f"Kafka setting {name}={given!r} loses or doubles work; leave it at {value!r}"
            raise BadSetting(msg)
    return {**defaults, **kafka, **pinned, "error_cb": _Complaints(), "log_level": 2}


class _Complaints:
    """What one client complains of. While a broker is away it says the same many times a second: once is enough."""

    def __init__(self) -> None:
        self._said: dict[int, float] = {}

    def __call__(self, error: KafkaError) -> None:
        if error.fatal():
            log.error("kafka.fatal", code=error.name(), error=error.str())
            return
        now = time.monotonic()
        if now - self._said.get(error.code(), -_QUIET_SECONDS) >= _QUIET_SECONDS:
            self._said[error.code()] = now
            log.warning("kafka.error", code=error.name(), error=error.str())


def translated(exc: KafkaException) -> BrokerFatal | BrokerUnavailable:
    """The client's error as ours."""
    error: KafkaError = exc.args[0]
    text = f"{error.name()}: {error.str()}"
    return BrokerFatal(text) if error.fatal() else BrokerUnavailable(text)
