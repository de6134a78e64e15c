"""What the servers do for one client that does nothing else: messages in, messages out, commits."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

import psycopg
from confluent_kafka import Consumer, Producer, TopicPartition

from orchestrator.messaging.kafka import producer_config
from orchestrator.testing.bench.bare import OUTCOMES
from orchestrator.testing.bench.servers import Servers

__all__ = ["Limits", "limits"]

_MESSAGES, _COMMITS = 50_000, 2_000
_VALUE = secrets.token_bytes(150)
_HEADERS = [(f"ce_header{number}", secrets.token_bytes(12)) for number in range(14)]


@dataclass(frozen=True, slots=True)
class Limits:
    """A second: acknowledged messages of about the engine's size with as many headers, such messages read, commits."""

    produced: float
    consumed: float
    commits: float


def limits(place: Servers) -> Limits:
    """Measure them."""
    producer, began = Producer(producer_config({"bootstrap.servers": place.kafka})), time.perf_counter()
    for number in range(_MESSAGES):
        producer.produce(OUTCOMES, _VALUE, str(number), headers=_HEADERS, partition=0)  # type: ignore[arg-type]
        if number % 1000 == 0:
            producer.poll(0)
    producer.flush()
    produced = _MESSAGES / (time.perf_counter() - began)
    consumer = Consumer({"bootstrap.servers": place.kafka, "group.id": "saga-bench", "enable.auto.commit": False})
    consumer.assign([TopicPartition(OUTCOMES, 0, 0)])
    began, read = time.perf_counter(), 0
    while read < _MESSAGES:
        read += len([message.headers() for message in consumer.consume(500, 1.0)])
    consumed = _MESSAGES / (time.perf_counter() - began)
    consumer.close()
    return Limits(produced, consumed, _commits(place))


def _commits(place: Servers) -> float:
    with (
        place.database() as url,
        psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection,
    ):
        connection.execute("CREATE TABLE bench_commit (id int PRIMARY KEY, value bytea)")
        connection.commit()
        began = time.perf_counter()
        for number in range(_COMMITS):
            connection.execute("INSERT INTO bench_commit VALUES (%s, %s)", (number, _VALUE))
            connection.commit()
        return _COMMITS / (time.perf_counter() - began)
