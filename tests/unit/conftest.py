"""The loops over the ports in memory that ship, with a clock. Every test decides itself what is away."""

from __future__ import annotations

from msgspec.structs import replace

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from consumers.audit.store import AuditStore
from consumers.claims import Admitted, Claim, Identity, Settlement
from consumers.limit import Granted, Want
from consumers.runtime import ConsumerLimits, Runtime
from consumers.shadow.store import MemoryShadows
from consumers.system import System
from consumers.testing import MemoryEffects
from orchestrator.catalogue import Catalogue
from orchestrator.coordinator import Coordinator, Limits
from orchestrator.core.definition import Saga
from orchestrator.core.state import SagaState
from orchestrator.database import BadData, StoreUnavailable
from orchestrator.messaging import topics
from orchestrator.messaging.errors import BrokerUnavailable
from orchestrator.messaging.event import Event, read_event
from orchestrator.messaging.message import Incoming, Outgoing, TopicPartition
from orchestrator.messaging.ports import OnAssign, Receipt, Refusal
from orchestrator.messaging.reader import Reader
from orchestrator.messaging.writer import Writer, effect_key
from orchestrator.store.ports import Change, Locked
from orchestrator.testing.memory_broker import MemoryBroker, MemoryInbox, MemoryOutbox, MemorySystems
from orchestrator.testing.memory_rows import SagaRow
from orchestrator.testing.memory_store import MemoryStore, MemoryTransaction
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


GROUP = "g"


class Post(MemoryInbox):
    """An inbox that has its share with the first poll, and what a test puts into its topics."""

    def __init__(self, broker: MemoryBroker, topics: Sequence[str], on_assign: OnAssign) -> None:
        super().__init__(broker, GROUP, topics, on_assign)
        self._post = broker

    async def poll(self, most: int, timeout: float) -> Sequence[Incoming]:
        found = await super().poll(most, timeout)
        while not self.joined():
            found = await super().poll(most, timeout)
        return found

    def put(self, topic: str, value: bytes | None, event: Event | None) -> Incoming:
        return self.put_again(Outgoing(topic, b"k", value, event.headers() if event else ()))

    def put_again(self, sent: Outgoing) -> Incoming:
        return self._post.append(sent)

    @property
    def committed(self) -> Mapping[TopicPartition, int]:
        return self._post.committed(GROUP)


class FlakyOutbox(MemoryOutbox):
    """Keeps what was sent; refuses what is over `largest`, and all for the topics in `refuses`, as a broker does."""

    def __init__(self, broker: MemoryBroker) -> None:
        super().__init__(broker)
        self.sent: list[Outgoing] = []
        self.largest = 1_000_000
        self.refuses: set[str] = set()
        self.away = False

    async def send(self, messages: Sequence[Outgoing]) -> Receipt:
        if self.away:
            raise BrokerUnavailable("away")
        refused = [m for m in messages if m.size > self.largest or m.topic in self.refuses]
        taken = [m for m in messages if m not in refused]
        receipt = await super().send(taken)
        assert not receipt.refused
        self.sent.extend(taken)
        return Receipt([Refusal(m, "MSG_SIZE_TOO_LARGE") for m in refused], receipt.last)


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

    async def reserve(self, wants: Sequence[Want], calls: int) -> Granted:
        self._there("reserve")
        return await super().reserve(wants, calls)

    async def mark(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        self._there("mark")
        await super().mark(group, offsets)


async def nothing_known(_: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
    return {}


class Worker:
    """A consumer of one system over all of these."""

    def __init__(
        self,
        system: System,
        *,
        clock: Clock | None = None,
        effects: FlakyEffects | None = None,
        audit: AuditStore | None = None,
        shadows: MemoryShadows | None = None,
        **limits: Any,
    ) -> None:
        self.clock = clock or Clock()
        broker = MemoryBroker(self.clock.now)
        commands = topics.commands(system.name)
        for topic in (commands, topics.completions(system.name), topics.dead_letters(commands), topics.SYSTEMS):
            broker.create_topic(topic, 1)
        self.inbox = Post(broker, [commands], nothing_known)
        self.outbox = FlakyOutbox(broker)
        self.effects = effects or FlakyEffects(self.clock)
        self.codec = Codec(FixedIds())
        self.saga_id = uuid7()
        self.shadows = shadows or MemoryShadows()
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
            group=GROUP,
            limits=ConsumerLimits(**limits),
            audit=audit,
            shadows=self.shadows,
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


class FlakyStore(MemoryStore):
    """The coordinator's store in memory, which refuses and hides what a test wants."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock.now, GROUP)
        self.refuses: Callable[[Change], bool] = lambda _: False
        self.hidden: set[UUID] = set()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Any]:
        async with super().begin() as transaction:
            yield FlakyTransaction(self, transaction)

    def plant(self, saga_id: UUID, state: SagaState) -> None:
        """Have that state, however it came about."""
        self.tables.sagas[saga_id] = SagaRow.of(state, self.now())


class FlakyTransaction:
    def __init__(self, store: FlakyStore, transaction: MemoryTransaction) -> None:
        self._store = store
        self._transaction = transaction

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transaction, name)

    async def lock(self, saga_ids: Collection[UUID]) -> Locked:
        return await self._transaction.lock(set(saga_ids) - self._store.hidden)

    async def write(self, change: Change) -> None:
        if self._store.refuses(change):
            raise BadData("refused")
        await self._transaction.write(change)


class Replica:
    """A coordinator over all of these."""

    def __init__(self, *definitions: Saga, **limits: Any) -> None:
        self.clock = Clock()
        self.store = FlakyStore(self.clock)
        self.systems = MemorySystems()
        self.codec = Codec(FixedIds())
        names, systems = [d.name for d in definitions], {system for d in definitions for system in d.systems}
        broker = MemoryBroker(self.clock.now)
        for topic in topics.needed(names, systems):
            broker.create_topic(topic, 1)
        self.inputs = topics.inputs(names, systems)
        self.inbox = Post(broker, self.inputs, lambda places: self.store.offsets(GROUP, places))
        self.outbox = FlakyOutbox(broker)
        self.load(*definitions, **limits)

    def rival(self) -> None:
        """One more member of the group, so that the shares are given out anew."""
        self.inbox.group.join(object(), self.inputs)

    def load(self, *definitions: Saga, **limits: Any) -> None:
        """A coordinator with these definitions."""
        catalogue = Catalogue(definitions)
        self.coordinator = Coordinator(
            inbox=self.inbox,
            outbox=self.outbox,
            store=self.store,
            systems=self.systems,
            reader=Reader(self.codec, catalogue.requests),
            writer=Writer(self.codec, 900_000),
            catalogue=catalogue,
            ids=Ids(),
            clock=self.clock.monotonic,
            group=GROUP,
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
