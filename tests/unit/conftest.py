"""The loops' ports in memory: a broker, an effect table, a clock. Every test decides itself what is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from consumers.claims import Admitted, Claim, Identity, Settlement
from consumers.runtime import ConsumerLimits, Runtime
from consumers.system import System
from consumers.testing import MemoryEffects
from orchestrator.batch import Catalogue
from orchestrator.coordinator import Coordinator, Limits
from orchestrator.core.definition import Saga
from orchestrator.core.payload import Payload
from orchestrator.core.state import SagaState, state_from_json, state_to_json
from orchestrator.database import BadData, StoreConflict, StoreUnavailable
from orchestrator.messaging.event import Event, read_event
from orchestrator.messaging.message import Incoming, Outgoing, TopicPartition
from orchestrator.messaging.ports import Receipt, Refusal
from orchestrator.messaging.reader import Reader
from orchestrator.messaging.writer import Writer, effect_key
from orchestrator.store.ports import Change, Held, JournalRow, Locked
from schemas.codec import Codec
from schemas.models import Record, Request, SagaControl
from schemas.registry import FixedIds


@dataclass
class Clock:
    """Time that passes only where somebody sleeps. It begins now, because the ids of sagas hold a time."""

    seconds: float = 0.0
    start: datetime = field(default_factory=lambda: datetime.now(UTC))

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds)

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

    logs: dict[TopicPartition, list[Incoming]] = field(default_factory=dict)
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    partitions: frozenset[TopicPartition] = frozenset()

    def put(self, topic: str, value: bytes | None, event: Event | None, partition: int = 0) -> Incoming:
        return self.put_again(Outgoing(topic, b"k", value, event.headers() if event else ()), partition)

    def put_again(self, sent: Outgoing, partition: int = 0) -> Incoming:
        log = self.logs.setdefault((sent.topic, partition), [])
        message = Incoming(sent.topic, partition, len(log), sent.key, sent.value, sent.headers)
        self.partitions |= {message.place}
        log.append(message)
        return message

    async def poll(self, most: int, timeout: float) -> Sequence[Incoming]:
        await asyncio.sleep(0)
        found: list[Incoming] = []
        for place, log in self.logs.items():
            start = self.positions.get(place, 0)
            found.extend(log[start : start + most - len(found)])
            self.positions[place] = start + sum(m.place == place for m in found)
        return found

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.committed.update(offsets)

    async def rewind(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.positions.update(offsets)

    async def idle(self, seconds: float) -> None:
        await asyncio.sleep(0)

    def assigned(self) -> frozenset[TopicPartition]:
        return self.partitions

    def joined(self) -> bool:
        return True

    def heard_until(self, partition: int) -> datetime | None:
        return None

    async def close(self) -> None: ...


@dataclass
class MemoryOutbox:
    """Keeps what was sent; refuses what is over `largest`, and all for the topics in `refuses`, as a broker does."""

    sent: list[Outgoing] = field(default_factory=list)
    largest: int = 1_000_000
    refuses: set[str] = field(default_factory=set)

    async def send(self, messages: Sequence[Outgoing]) -> Receipt:
        refused = [m for m in messages if len(m.value or b"") > self.largest or m.topic in self.refuses]
        self.sent.extend(m for m in messages if m not in refused)
        return Receipt([Refusal(m, "MSG_SIZE_TOO_LARGE") for m in refused])

    async def close(self) -> None: ...


class FlakyEffects(MemoryEffects):
    """The effect table in memory, whose calls a test can take away by name."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock.now)
        self.away: set[str] = set()

    def _there(self, what: str) -> None:
        if what in self.away:
            raise StoreUnavailable(what)

    async def claim(self, claims: Sequence[Claim]) -> Sequence[Admitted]:
        self._there("claim")
        return await super().claim(claims)

    async def renew(self, identity: Identity, owner: UUID, lease: float) -> bool:
        self._there("renew")
        return await super().renew(identity, owner, lease)

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[bool]:
        self._there("settle")
        return await super().settle(settlements)

    async def mark(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        self._there("mark")
        await super().mark(group, offsets)


class Worker:
    """A consumer of one system over all of these."""

    def __init__(
        self, system: System, *, clock: Clock | None = None, effects: FlakyEffects | None = None, **limits: Any
    ) -> None:
        self.clock = clock or Clock()
        self.inbox = MemoryInbox()
        self.outbox = MemoryOutbox()
        self.effects = effects or FlakyEffects(self.clock)
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

    def command(
        self, record: Record, *, step: str = "s", attempt: int = 1, direction: str = "do", **details: Any
    ) -> None:
        """Ask for one attempt of a step."""
        key = effect_key(self.saga_id, step, direction, 1)
        event = Event(
            f"{step}/{direction}/{attempt}",
            "saga-coordinator",
            "t",
            self.clock.now(),
            self.saga_id,
            step,
            direction,
            1,
            attempt,
            idempotency_key=key,
            **details,
        )
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


# -- the coordinator -----------------------------------------------------------------------------------------------


@dataclass
class MemoryStore:
    """The coordinator's tables as dicts. A transaction works on copies and puts them in place at its commit."""

    clock: Clock
    sagas: dict[UUID, SagaState] = field(default_factory=dict)
    journal: dict[tuple[UUID, UUID], JournalRow] = field(default_factory=dict)
    next_offsets: dict[TopicPartition, int] = field(default_factory=dict)
    held: dict[tuple[UUID, UUID], tuple[Held, datetime]] = field(default_factory=dict)
    foreign: dict[tuple[str, str], UUID] = field(default_factory=dict)
    refuses: Callable[[Change], bool] = lambda _: False
    commits_fail: list[Exception] = field(default_factory=list)
    hidden: set[UUID] = field(default_factory=set)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[MemoryTransaction]:
        yield MemoryTransaction(self)

    async def offsets(self, group: str, places: Any) -> Mapping[TopicPartition, int]:
        return dict(self.next_offsets)

    async def announce(self, replica: UUID, definitions: Mapping[str, Mapping[int, str]]) -> Mapping[str, int]:
        return {name: max(versions) for name, versions in definitions.items()}

    async def withdraw(self, replica: UUID) -> None: ...

    async def close(self) -> None: ...


class MemoryTransaction:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._change = Change()
        self._held = dict(store.held)

    async def lock(self, saga_ids: Collection[UUID]) -> Locked:
        sagas = {i: stored(s) for i, s in self._store.sagas.items() if i in set(saga_ids) - self._store.hidden}
        return Locked(self._store.clock.now(), sagas)

    async def applied(self, causes: Collection[tuple[UUID, UUID]]) -> Mapping[tuple[UUID, UUID], Sequence[Outgoing]]:
        return {cause: self._store.journal[cause].outputs for cause in causes if cause in self._store.journal}

    async def adopt(self, source: str, event_id: str, proposed: UUID) -> UUID:
        return self._store.foreign.setdefault((source, event_id), proposed)

    async def request_of(self, saga_id: UUID) -> Outgoing | None:
        return next((r.input.again() for r in self._rows(saga_id)), None)

    async def outputs_of(self, saga_id: UUID) -> Sequence[Outgoing]:
        return [output for row in self._rows(saga_id) for output in row.outputs]

    def _rows(self, saga_id: UUID) -> Sequence[JournalRow]:
        rows = [row for row in self._store.journal.values() if row.saga_id == saga_id]
        return sorted(rows, key=lambda row: row.revision)

    async def hold(self, held: Held, seconds: float) -> bool:
        key, now = (held.saga_id, held.cause_id), self._store.clock.now()
        _, first = self._held.setdefault(key, (held, now))
        return now - first < timedelta(seconds=seconds)

    async def release(self, held: Collection[tuple[UUID, UUID]]) -> None:
        for key in held:
            self._held.pop(key, None)

    async def write(self, change: Change) -> None:
        if self._store.refuses(change):
            raise BadData("refused")
        for saga_id, before, _ in change.sagas:
            there = self._store.sagas.get(saga_id)
            if (there.revision if there else None) != before:
                raise StoreConflict(str(saga_id))
        self._change = change

    async def commit(self) -> None:
        if self._store.commits_fail:
            raise self._store.commits_fail.pop(0)
        self._store.sagas.update({saga_id: state for saga_id, _, state in self._change.sagas})
        self._store.journal.update({(row.saga_id, row.cause_id): row for row in self._change.journal})
        self._store.next_offsets.update(self._change.offsets)
        self._store.held = self._held


def stored(state: SagaState) -> SagaState:
    """As it comes back from its columns."""
    names = ("definition", "version", "status", "business_key", "agent", "revision", "wake_at")
    columns = {name: getattr(state, name) for name in names}
    request = Payload(state.request.name, value=state.request.json)
    return state_from_json(state_to_json(state), {**columns, "request": request})


class Replica:
    """A coordinator over all of these."""

    def __init__(self, *definitions: Saga, **limits: Any) -> None:
        self.clock = Clock()
        self.inbox = MemoryInbox()
        self.outbox = MemoryOutbox()
        self.store = MemoryStore(self.clock)
        self.codec = Codec(FixedIds())
        self.load(*definitions, **limits)

    def load(self, *definitions: Saga, **limits: Any) -> None:
        """Start the process again with these definitions."""
        catalogue = Catalogue(definitions)
        self.coordinator = Coordinator(
            inbox=self.inbox,
            outbox=self.outbox,
            store=self.store,
            reader=Reader(self.codec, catalogue.requests),
            writer=Writer(self.codec, 900_000),
            catalogue=catalogue,
            ids=Ids(),
            clock=self.clock.monotonic,
            group="g",
            limits=Limits(**limits),
        )

    def request(self, request: Request, definition: str | None = None) -> Incoming:
        """An agent's request on its topic."""
        event = Event(str(request.saga_id), "agent/a", "t", self.clock.now(), request.saga_id, agent="a")
        name = definition or request.contract.definition
        return self.inbox.put(f"{name}.requests", self.codec.encode(request), event)

    def answer(self, command: Outgoing, record: Record) -> Incoming:
        """A consumer's answer to a command that was sent."""
        asked = read_event(command.headers)
        event = replace(asked, id=f"{asked.id}/{record.contract.name}", source="saga-consumer/x")
        topic = command.topic.replace(".commands", ".completions")
        return self.inbox.put(topic, self.codec.encode(record), event)

    def control(self, saga_id: UUID, record: SagaControl, event_id: str = "c") -> Incoming:
        event = Event(event_id, "operator/ops", "t", self.clock.now(), saga_id)
        return self.inbox.put("saga.control", self.codec.encode(record), event)

    def sent(self, topic: str) -> list[Outgoing]:
        return [message for message in self.outbox.sent if message.topic == topic]


@pytest.fixture
def make_replica() -> type[Replica]:
    return Replica


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ids() -> Ids:
    return Ids()
