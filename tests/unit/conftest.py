"""The loops' ports in memory: a broker, an effect table, a clock. Every test decides itself what is away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from consumers.effects import Admitted, Claim, Identity, Settlement, _judge, _Writes
from consumers.runtime import ConsumerLimits, Runtime
from consumers.system import System
from orchestrator.core.effects import EffectRow
from orchestrator.database import StoreUnavailable
from orchestrator.messaging.event import Event, read_event
from orchestrator.messaging.message import Incoming, Outgoing, TopicPartition
from orchestrator.messaging.ports import Receipt, Refusal
from orchestrator.messaging.writer import effect_key
from schemas.codec import Codec
from schemas.models import Record
from schemas.registry import FixedIds


@dataclass
class Clock:
    """Time that passes only where somebody sleeps."""

    seconds: float = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


class Ids:
    def saga_id(self) -> UUID:
        return uuid7()

    def token(self) -> UUID:
        return uuid4()


@dataclass
class MemoryInbox:
    """Gives what was put in; remembers what was committed."""

    waiting: list[Incoming] = field(default_factory=list)
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    partitions: frozenset[TopicPartition] = frozenset()

    def put(self, topic: str, value: bytes | None, event: Event | None, partition: int = 0) -> Incoming:
        offset = len([m for m in self.waiting if m.place == (topic, partition)])
        message = Incoming(topic, partition, offset, b"k", value, event.headers() if event else ())
        self.partitions |= {message.place}
        self.waiting.append(message)
        return message

    async def poll(self, most: int, timeout: float) -> Sequence[Incoming]:
        await asyncio.sleep(0)
        found, self.waiting = self.waiting[:most], self.waiting[most:]
        return found

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.committed.update(offsets)

    async def rewind(self, offsets: Mapping[TopicPartition, int]) -> None: ...

    async def idle(self, seconds: float) -> None:
        await asyncio.sleep(0)

    def assigned(self) -> frozenset[TopicPartition]:
        return self.partitions

    async def close(self) -> None: ...


@dataclass
class MemoryOutbox:
    """Keeps what was sent; refuses what is over `largest`, as a broker does."""

    sent: list[Outgoing] = field(default_factory=list)
    largest: int = 1_000_000

    async def send(self, messages: Sequence[Outgoing]) -> Receipt:
        refused = [m for m in messages if len(m.value or b"") > self.largest]
        self.sent.extend(m for m in messages if m not in refused)
        return Receipt([Refusal(m, "MSG_SIZE_TOO_LARGE") for m in refused])

    async def close(self) -> None: ...


@dataclass
class MemoryEffects:
    """The effect table as a dict; the rules are the real ones."""

    clock: Clock
    rows: dict[Identity, EffectRow] = field(default_factory=dict)
    marks: dict[TopicPartition, int] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)

    def _there(self, what: str) -> None:
        if what in self.away:
            raise StoreUnavailable(what)

    async def claim(self, claims: Sequence[Claim]) -> Sequence[Admitted]:
        self._there("claim")
        writes = _Writes()
        found = [_judge(claim, self.rows, self.clock.now(), writes) for claim in claims]
        self.rows.update({identity: row for identity, _, row in writes.new})
        self.rows.update(dict(writes.changed))
        return found

    async def renew(self, identity: Identity, owner: UUID, lease: float) -> bool:
        self._there("renew")
        return self.rows[identity].owner == owner

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[bool]:
        self._there("settle")
        ours = [self.rows[s.identity].owner == s.owner for s in settlements]
        self.rows.update({s.identity: s.row for s, mine in zip(settlements, ours, strict=True) if mine})
        return ours

    async def watermarks(self, group: str) -> Mapping[TopicPartition, int]:
        return dict(self.marks)

    async def mark(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        self._there("mark")
        self.marks.update(offsets)

    async def close(self) -> None: ...


class Worker:
    """A consumer of one system over all of these."""

    def __init__(self, system: System, **limits: Any) -> None:
        self.clock = Clock()
        self.inbox = MemoryInbox()
        self.outbox = MemoryOutbox()
        self.effects = MemoryEffects(self.clock)
        self.codec = Codec(FixedIds())
        self.saga_id = uuid7()
        self.runtime = Runtime(
            system=system,
            inbox=self.inbox,
            outbox=self.outbox,
            effects=self.effects,
            codec=self.codec,
            ids=Ids(),
            clock=self.clock.monotonic,
            now=self.clock.now,
            sleep=self.clock.sleep,
            group="g",
            limits=ConsumerLimits(**limits),
        )
        self.system = system

    def command(self, record: Record, *, attempt: int = 1, direction: str = "do", **details: Any) -> None:
        """Ask for one attempt of the step `s`."""
        key = effect_key(self.saga_id, "s", direction, 1)
        event = Event(
            f"{direction}/{attempt}", "saga-coordinator", "t", self.clock.now(), self.saga_id, "s", direction, 1, attempt,
            idempotency_key=key, **details,
        )  # fmt: skip
        self.inbox.put(f"{self.system.name}.commands", self.codec.encode(record), event)

    async def work(self, turns: int = 20) -> None:
        """Turn the loop until everything that can be done is done."""
        for _ in range(turns):
            await self.runtime.step()
            for _ in range(20):
                await asyncio.sleep(0)
            if self.runtime._failure is not None:
                raise self.runtime._failure
        await self.runtime._commit()

    @property
    def answers(self) -> list[tuple[Record, int | None]]:
        """The completions sent, each with its attempt."""
        found = [m for m in self.outbox.sent if m.topic.endswith(".completions")]
        return [(self.codec.decode(m.value or b""), read_event(m.headers).attempt) for m in found]


@pytest.fixture
def make_worker() -> type[Worker]:
    return Worker
