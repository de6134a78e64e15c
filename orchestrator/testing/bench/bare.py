"""The bare loop: the same Kafka and PostgreSQL work as the engine's, and nothing else. What `saga bench` compares with.

Same servers, same client settings, same tables and statements, messages and rows of the same sizes, one process as
coordinator and one for four systems. No schemas, no definitions, no decisions, no retries, no recovery: it says what
the machine can do, and must not be used for anything else.

`python -m orchestrator.testing.bench.bare coordinator|consumer`
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from psycopg.types.json import set_json_loads

from orchestrator.messaging.kafka import consumer_config, producer_config
from orchestrator.settings import load
from orchestrator.store import sql

__all__ = ["COMMANDS", "COMPLETIONS", "OUTCOMES", "REQUESTS", "SYSTEMS"]

SYSTEMS = ("erp", "portal", "mail", "suppliers")
REQUESTS, OUTCOMES = "bare.requests", "bare.outcomes"
COMMANDS = [f"bare-{name}.commands" for name in SYSTEMS]
COMPLETIONS = [f"bare-{name}.completions" for name in SYSTEMS]

_BATCH = 500
_POLL_SECONDS = 0.2
_MARK_SECONDS = 0.5
_GRACE = timedelta(seconds=30)
_Headers = Any  # pairs, as the client takes and gives them
_PACK = msgspec.msgpack.Encoder()
# As large as an encoded answer of a system, and as an encoded outcome.
_ANSWER, _OUTCOME = b"a" * 30, b"o" * 450


def _headers(number: int, saga: bytes, step: str, kind: bytes) -> _Headers:
    """As many as the engine's commands and completions have, of the same lengths, with an id of its own."""
    now = datetime.now(UTC).isoformat().encode()
    name = hashlib.blake2b(b"%s/%s/%d" % (saga, kind + step.encode(), number), digest_size=18).hexdigest().encode()
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", name),
        ("ce_source", b"saga-coordinator"),
        ("ce_type", kind),
        ("ce_time", now),
        ("ce_sagaid", saga),
        ("ce_step", step.encode()),
        ("ce_direction", b"do"),
        ("ce_round", b"1"),
        ("ce_attempt", b"1"),
        ("ce_deadline", now),
        ("ce_causationid", name),
        ("ce_idempotencykey", saga + b":" + step.encode() + b":do:1"),
        ("ce_agent", b"bench"),
        ("content-type", b"application/avro"),
    ]


class _Loop:
    def __init__(self, group: str, topics: Sequence[str]) -> None:
        settings = load()
        kafka = settings.kafka_settings()
        self.group = group
        self.consumer = Consumer({**consumer_config(kafka, group), "auto.offset.reset": "earliest"})
        self.consumer.subscribe(list(topics), on_assign=self._joined)
        self.producer = Producer(producer_config(kafka))
        url = settings.database_url.replace("postgresql+psycopg", "postgresql")
        self.database = psycopg.connect(url, options="-c timezone=UTC")
        self.stopping = False
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def _joined(self, *_: object) -> None:
        sys.stdout.write("ready\n")
        sys.stdout.flush()

    def poll(self) -> list[Message]:
        first = self.consumer.poll(_POLL_SECONDS)
        found = [] if first is None else [first, *self.consumer.consume(_BATCH - 1, 0)]
        return [message for message in found if message.error() is None]

    def send(self, messages: Sequence[tuple[str, bytes, bytes, _Headers]]) -> None:
        for topic, key, value, headers in messages:
            self.producer.produce(topic, value, key, headers=headers, on_delivery=_delivered)
        self.producer.flush()

    def commit(self, offsets: Mapping[Any, int], *, wait: bool = False) -> None:
        if offsets:
            places = [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]
            if wait:
                self.consumer.commit(offsets=places, asynchronous=False)
            else:
                self.consumer.commit(offsets=places, asynchronous=True)

    def close(self, offsets: Mapping[Any, int]) -> None:
        # The next round begins where this one ends, on another database.
        self.commit(offsets, wait=True)
        self.consumer.close()
        self.database.close()


def _delivered(error: object, _: object) -> None:
    if error is not None:
        raise SystemExit(str(error))


# -- coordinator ---------------------------------------------------------------------------------------------------


def _coordinate(steps: int) -> None:
    loop = _Loop("bare-coordinator", [REQUESTS, *COMPLETIONS])
    cursor = loop.database.cursor()
    done: dict[tuple[Any, Any], int] = {}
    while not loop.stopping:
        messages = loop.poll()
        if not messages:
            continue
        keys = [(message.key() or b"").decode() for message in messages]
        sagas = [UUID(key) for key in keys]
        causes = [UUID(bytes=hashlib.blake2b(_id(message), digest_size=16).digest()) for message in messages]
        ids = sorted(set(sagas))
        bounds = {"low": ids[0], "high": ids[-1]}
        rows = cursor.execute(sql.LOCK, {"ids": ids, **bounds}).fetchall()
        now = rows[0][0]
        known = {row[1]: (row[7], row[8], row[9]) for row in rows if row[1] is not None}
        cursor.execute(sql.APPLIED, {"sagas": sagas, "causes": causes, **bounds}).fetchall()
        batch = _Batch(now, known, steps)
        for message, saga, cause in zip(messages, sagas, causes, strict=True):
            batch.take(message, saga, cause)
        offsets = {(m.topic(), m.partition()): (m.offset() or 0) + 1 for m in messages}
        parameters = {
            **batch.parameters(),
            "now": now,
            **bounds,
            "group": loop.group,
            "topics": [topic for topic, _ in offsets],
            "partitions": [partition for _, partition in offsets],
            "nexts": list(offsets.values()),
        }
        cursor.execute(sql.WRITE, parameters).fetchone()
        loop.database.commit()
        loop.send(batch.outputs)
        loop.commit(offsets)
        done |= offsets
    loop.close(done)


class _Batch:
    def __init__(self, now: datetime, known: dict[UUID, tuple[Any, Any, int]], steps: int) -> None:
        self._now = now
        self._known = known
        self._steps = steps
        self._new: list[tuple[Any, ...]] = []
        self._old: list[tuple[Any, ...]] = []
        self._journal: list[tuple[Any, ...]] = []
        self.outputs: list[tuple[str, bytes, bytes, _Headers]] = []

    def take(self, message: Message, saga: UUID, cause: UUID) -> None:
        key, value = message.key() or b"", message.value() or b""
        state, revision = {"steps": dict[str, Any]()}, 0
        if saga in self._known:
            _, state, revision = self._known[saga]
        steps = state["steps"]
        if steps:
            last = steps[f"step-{len(steps)}"]
            last["do"]["status"] = "done"
            last["output"] = {"saga.erp.VendorCreated": {"vendor_id": "vendor_id", "created_at": self._now.isoformat()}}
        ended = len(steps) == self._steps
        if ended:
            output = (OUTCOMES, key, _OUTCOME, _headers(revision, key, "", b"saga.engine.SagaEnded.v1"))
        else:
            name, at = f"step-{len(steps) + 1}", self._now.isoformat()
            due = (self._now + _GRACE).isoformat()
            effect = {"status": "in_flight", "attempt": 1, "started": at, "order": len(steps) + 1, "due": due}
            topic = COMMANDS[len(steps) % len(COMMANDS)]
            steps[name] = {"do": effect}
            output = (topic, key, value[:120], _headers(revision, key, name, b"saga.erp.CreateVendor.v1"))
        self.outputs.append(output)
        text = msgspec.json.encode(state).decode()
        wake = None if ended else self._now + _GRACE
        status = "completed" if ended else "running"
        if revision == 0:
            request = msgspec.json.encode({"saga.vendor.VendorOnboardingRequested": {"text": "x" * 250}}).decode()
            self._new.append((saga, "bare", 1, status, "", "bench", request, text, 1, wake, ended))
        else:
            self._old.append((saga, revision, status, text, revision + 1, wake, ended))
        entry = {"kind": "completion", "step": "step-1", "direction": "do", "round": 1, "attempt": 1, "status": status}
        packed = _PACK.encode([(message.topic(), key, value, message.headers())])
        row = (saga, cause, revision + 1, msgspec.json.encode(entry).decode(), packed, _PACK.encode([output]))
        self._journal.append(row)

    def parameters(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for names, rows in ((_NEW, self._new), (_OLD, self._old), (_ENTRY, self._journal)):
            for place, name in enumerate(names):
                found[name] = [row[place] for row in rows]
        return found


_NEW = (
    "new_ids", "definitions", "versions", "new_statuses", "keys", "agents", "requests", "new_states", "new_revisions",
    "new_wakes", "new_ended",
)  # fmt: skip
_OLD = ("ids", "befores", "statuses", "states", "revisions", "wakes", "ended")
_ENTRY = ("entry_sagas", "causes", "entry_revisions", "entries", "inputs", "outputs")


def _id(message: Message) -> bytes:
    pairs: Any = message.headers() or ()
    return next((value for name, value in pairs if name == "ce_id"), b"")


# -- consumer ------------------------------------------------------------------------------------------------------

_LOCK = """
SELECT 1 FROM effect e
JOIN unnest(%(sagas)b::uuid[], %(steps)b::text[]) AS u(saga_id, step)
  ON e.saga_id = u.saga_id AND e.step = u.step AND e.round = 1
ORDER BY e.saga_id, e.step, e.direction, e.round FOR UPDATE OF e
"""
_READ = """
SELECT clock.now, e.saga_id, e.step, e.direction, e.round, e.status, e.attempt, e.owner, e.lease_until, e.doubtful,
       e.reply
FROM (SELECT effect_now() AS now) AS clock LEFT JOIN (
    SELECT e.* FROM effect e JOIN unnest(%(sagas)b::uuid[], %(steps)b::text[]) AS u(saga_id, step)
      ON e.saga_id = u.saga_id AND e.step = u.step AND e.round = 1
) AS e ON true
"""
_CLAIM = """
INSERT INTO effect (saga_id, step, direction, round, system, status, attempt, owner, lease_until, doubtful)
SELECT saga_id, step, 'do', 1, 'bare', 'claimed', 1, %(owner)s, %(until)s, false
FROM unnest(%(sagas)b::uuid[], %(steps)b::text[]) AS u(saga_id, step)
"""
_SETTLE = """
UPDATE effect e
SET status = 'done', owner = NULL, lease_until = NULL, doubtful = false, reply = u.reply, updated_at = effect_now()
FROM unnest(%(sagas)b::uuid[], %(steps)b::text[], %(replies)b::bytea[]) AS u(saga_id, step, reply)
WHERE e.saga_id = u.saga_id AND e.step = u.step AND e.direction = 'do' AND e.round = 1 AND e.owner = %(owner)s
RETURNING e.saga_id
"""
_MARK = """
INSERT INTO effect_offset (consumer_group, topic, partition, next_offset)
SELECT %(group)s, topic, partition, next_offset
FROM unnest(%(topics)b::text[], %(partitions)b::int[], %(nexts)b::bigint[]) AS u(topic, partition, next_offset)
ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset
"""


def _consume() -> None:
    loop = _Loop("bare-consumer", COMMANDS)
    cursor = loop.database.cursor()
    marked, offsets = time.monotonic(), dict[tuple[Any, Any], int]()
    while not loop.stopping:
        messages = loop.poll()
        if not messages:
            continue
        owner = uuid4()
        pairs: list[Any] = [m.headers() or () for m in messages]
        headers: list[dict[str, bytes]] = [dict(found) for found in pairs]
        keys = {
            "sagas": [UUID((m.key() or b"").decode()) for m in messages],
            "steps": [h["ce_step"].decode() for h in headers],
        }
        cursor.execute(_LOCK, keys)
        now = cursor.execute(_READ, keys).fetchall()[0][0]
        cursor.execute(_CLAIM, {**keys, "owner": owner, "until": now + _GRACE})
        loop.database.commit()
        replies = []
        for message, found in zip(messages, headers, strict=True):
            topic, key = str(message.topic()).replace("commands", "completions"), message.key() or b""
            told = _headers(1, key, found["ce_step"].decode(), b"saga.erp.VendorCreated.v1")
            replies.append((topic, key, _ANSWER, told))
        packed = [_PACK.encode([reply]) for reply in replies]
        cursor.execute(_SETTLE, {**keys, "owner": owner, "replies": packed}).fetchall()
        loop.database.commit()
        loop.send(replies)
        offsets |= {(m.topic(), m.partition()): (m.offset() or 0) + 1 for m in messages}
        if time.monotonic() - marked > _MARK_SECONDS:
            marked = time.monotonic()
            rows = {"topics": [t for t, _ in offsets], "partitions": [p for _, p in offsets]}
            cursor.execute(_MARK, {"group": loop.group, **rows, "nexts": list(offsets.values())})
            loop.database.commit()
            loop.commit(offsets)
    loop.close(offsets)


if __name__ == "__main__":
    set_json_loads(msgspec.json.decode)
    if sys.argv[1] == "coordinator":
        _coordinate(int(os.environ["SAGA_BENCH_STEPS"]))
    else:
        _consume()
