"""What is left after a run: tables, topics and ledger, as plain records that can be kept in a file and judged later."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka import Message as KafkaMessage
from sqlalchemy import Connection

from orchestrator import bootstrap
from orchestrator.database import connect
from orchestrator.messaging import topics
from orchestrator.messaging.errors import BrokerUnavailable
from orchestrator.messaging.message import Headers, Incoming, unpack
from orchestrator.settings import Settings, load_attribute
from orchestrator.testing.chaos.stray import digest
from orchestrator.testing.checker import Output, header
from schemas.models import Record, SagaEnded

__all__ = ["Entry", "Left", "Letter", "Saga", "Work", "gather", "read_left", "write_left"]

_SECONDS = 10.0
_SILENCE_SECONDS = 30.0
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Saga:
    """A row of `saga`: `columns` as `store.rows.saga_from_row` takes them."""

    id: UUID
    columns: tuple[str, int, str, str, str, dict[str, Any], dict[str, Any], int, datetime | None]


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of `journal`, without the bodies of what it sent."""

    saga: UUID
    revision: int
    at: datetime
    entry: dict[str, Any]
    outputs: list[Output]


@dataclass(frozen=True, slots=True)
class Work:
    """A line of the sandbox's ledger about work that was really done."""

    name: str
    key: str | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class Letter:
    """A message of a dead-letter topic or of the outcomes; `digest` is of its value, `residue` only of an outcome."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: Headers
    digest: str
    residue: list[str]

    def incoming(self) -> Incoming:
        """As the checker takes it, which does not look at the value."""
        return Incoming(self.topic, self.partition, self.offset, self.key, None, self.headers)


@dataclass(frozen=True, slots=True)
class Left:
    """All of it. `commands` are the ids of all that were published, `partitions` is how many each topic has."""

    sagas: list[Saga]
    journal: list[Entry]
    ledger: list[Work]
    outcomes: list[Letter]
    letters: list[Letter]
    commands: list[str]
    partitions: int

    def by_saga(self) -> Mapping[UUID, Sequence[Entry]]:
        """The journal of each saga, oldest first."""
        found: dict[UUID, list[Entry]] = defaultdict(list)
        for entry in self.journal:
            found[entry.saga].append(entry)
        return found


def write_left(left: Left, path: Path) -> None:
    """Keep it."""
    path.write_bytes(msgspec.msgpack.encode(left))


def read_left(path: Path) -> Left:
    """Read what `write_left` wrote.

    Raises:
        OSError: it cannot be read.
        msgspec.DecodeError: it is something else.

    """
    return msgspec.msgpack.decode(path.read_bytes(), type=Left)


def gather(settings: Settings, database_url: str, ledger: Path) -> Left:
    """Read everything; the servers run, and nobody changes anything any more.

    Raises:
        StoreUnavailable, BrokerUnavailable: one of them does not answer.

    """
    engine = connect(database_url)
    try:
        with engine.connect() as connection:
            sagas, journal = list(_sagas(connection)), list(_journal(connection))
    finally:
        engine.dispose()
    reader: Any = load_attribute("SAGA_SANDBOX", f"{settings.sandbox}.ledger:Ledger")
    work = [Work(line.name, line.key, line.reference) for line in reader.read(ledger).applied()]
    named = bootstrap.topic_names(settings)
    codec = bootstrap.make_codec(settings)
    letters = [_letter(message) for message in _messages(settings, [n for n in named if n.endswith(".dlq")])]
    outcomes = [
        replace(_letter(message), residue=_residue(codec.decode(_value(message) or b"")))
        for message in _messages(settings, [topics.OUTCOMES])
    ]
    asked = _messages(settings, [name for name in named if name.endswith(".commands")])
    commands = [header(_headers(message), "ce_id") for message in asked]
    return Left(sagas, journal, work, outcomes, letters, commands, settings.partitions)


_SAGAS = """
SELECT id, definition, version, status, business_key, agent, request, state, revision, wake_at FROM saga ORDER BY id
"""
_JOURNAL = "SELECT saga_id, revision, at, entry, outputs FROM journal ORDER BY saga_id, revision"


def _sagas(connection: Connection) -> Iterator[Saga]:
    for row in connection.exec_driver_sql(_SAGAS):
        yield Saga(row[0], tuple(row[1:]))


def _journal(connection: Connection) -> Iterator[Entry]:
    for row in connection.exec_driver_sql(_JOURNAL):
        yield Entry(row[0], row[1], row[2], row[3], [Output.of(message) for message in unpack(row[4])])


def _messages(settings: Settings, names: Sequence[str]) -> Iterator[KafkaMessage]:
    """Every message of those topics, in the order of each partition."""
    config = {"group.id": "saga-chaos", "enable.auto.commit": False, "enable.partition.eof": False, "log_level": 2}
    consumer = Consumer({**settings.kafka_settings(), **config, "auto.offset.reset": "earliest"})
    try:
        ends = _ends(consumer, names)
        consumer.assign([TopicPartition(name, number, 0) for (name, number), end in ends.items() if end])
        unread = {place for place, end in ends.items() if end}
        while unread:
            for message in _poll(consumer):
                yield message
                place = (message.topic() or "", message.partition() or 0)
                if (message.offset() or 0) >= ends[place] - 1:
                    unread.discard(place)
    finally:
        consumer.close()


def _ends(consumer: Consumer, names: Sequence[str]) -> dict[tuple[str, int], int]:
    found = {}
    known = consumer.list_topics(timeout=_SECONDS).topics
    for name in names:
        for number in known[name].partitions:
            _, end = consumer.get_watermark_offsets(TopicPartition(name, number), timeout=_SECONDS)
            found[name, number] = end
    return found


def _poll(consumer: Consumer) -> list[KafkaMessage]:
    deadline = time.monotonic() + _SILENCE_SECONDS
    while time.monotonic() < deadline:
        first = consumer.poll(1.0)
        if first is not None and first.error() is None:
            rest = consumer.consume(_BATCH, 0)
            return [first, *(message for message in rest if message.error() is None)]
    msg = f"nothing could be read for {_SILENCE_SECONDS:g} s"
    raise BrokerUnavailable(msg)


def _letter(message: KafkaMessage) -> Letter:
    place = message.topic() or "", message.partition() or 0, message.offset() or 0
    key: Any = message.key()
    return Letter(*place, key, _headers(message), digest(_value(message)), [])


def _headers(message: KafkaMessage) -> Headers:
    pairs: Any = message.headers() or ()
    return tuple((name, text) for name, text in pairs)


def _value(message: KafkaMessage) -> bytes | None:
    value: Any = message.value()
    return None if value is None else bytes(value)


def _residue(record: Record) -> list[str]:
    assert isinstance(record, SagaEnded)
    return list(record.residue)
