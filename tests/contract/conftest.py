"""Each port twice: in memory, and on the real thing. What holds for one holds for the other."""

from __future__ import annotations

from msgspec.structs import replace

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition as KafkaPlace
from confluent_kafka.admin import AdminClient, NewTopic
from uuid_utils.compat import uuid7

from orchestrator import bootstrap
from orchestrator.core.messages import Entry
from orchestrator.core.payload import Payload
from orchestrator.core.sample import sample
from orchestrator.core.state import SagaState, Status
from orchestrator.database import connect
from orchestrator.dev.postgres import EmbeddedPostgres
from orchestrator.messaging.kafka import consumer_config, in_thread, producer_config
from orchestrator.messaging.kafka_inbox import KafkaInbox
from orchestrator.messaging.kafka_outbox import KafkaOutbox
from orchestrator.messaging.message import Headers, Incoming, Outgoing, TopicPartition
from orchestrator.messaging.ports import Inbox, Outbox
from orchestrator.settings import Settings
from orchestrator.store.ports import Change, JournalRow
from orchestrator.store.postgres import PostgresStore
from orchestrator.store.queries import Queries
from orchestrator.testing.memory_broker import MemoryBroker, MemoryInbox, MemoryOutbox
from orchestrator.testing.memory_store import MemoryStore
from schemas.models import VendorOnboardingRequested

PARTITIONS = 4
NOWHERE = "127.0.0.1:9"


# -- the store -------------------------------------------------------------------------------------------------------


@dataclass
class Clock:
    """The store's time, which only the test moves. `told` passes it on to a database."""

    told: Callable[[datetime], None] = lambda _: None
    # Near the real time, for which the migration makes its partitions.
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.told(self.now)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class StoreBench:
    """A store with its clock, and short words for what a coordinator does with it."""

    store: Any
    clock: Clock
    beside: Callable[[Callable[[], Coroutine[Any, Any, Any]]], asyncio.Task[Any]]
    waiting: Callable[[], int]
    times: Callable[[UUID], tuple[datetime, datetime, datetime | None]]
    saga: UUID = field(default_factory=uuid7)

    def state(self, revision: int = 1, **fields: Any) -> SagaState:
        request = Payload.of(sample(VendorOnboardingRequested, full=True))
        made = SagaState("vendor-onboarding", 1, request, Status.RUNNING, "DE1", "agent", revision)
        return replace(made, **fields)

    def entry(
        self, cause: int = 1, revision: int = 1, outputs: Sequence[Outgoing] = (), saga: UUID | None = None
    ) -> JournalRow:
        incoming = Incoming("vendor-onboarding.requests", 0, cause, b"k", b"v", (("ce_id", b"%d" % cause),))
        noted = Entry("requested", {"agent": "a"}, ("a note",))
        return JournalRow(saga or self.saga, UUID(int=cause), revision, noted, incoming, outputs)

    async def write(self, change: Change, lock: Sequence[UUID] = ()) -> None:
        """One whole transaction."""
        async with self.store.begin() as transaction:
            await transaction.lock(lock or [saga_id for saga_id, _, _ in change.sagas])
            await transaction.write(change)
            await transaction.commit()

    async def put(self, state: SagaState | None = None, saga: UUID | None = None, before: int | None = None) -> None:
        await self.write(Change([(saga or self.saga, before, state or self.state())]))

    async def get(self, saga: UUID | None = None) -> SagaState | None:
        async with self.store.begin() as transaction:
            return (await transaction.lock([saga or self.saga])).sagas.get(saga or self.saga)

    async def applied(self, *causes: int) -> Mapping[int, Sequence[Outgoing]]:
        async with self.store.begin() as transaction:
            found = await transaction.applied([(self.saga, UUID(int=cause)) for cause in causes])
        return {cause.int: outputs for (_, cause), outputs in found.items()}

    async def blocked(self, count: int = 1) -> None:
        """Wait until so many transactions wait for others."""
        async with asyncio.timeout(10):
            while self.waiting() < count:  # noqa: ASYNC110 - a database says nothing by itself
                await asyncio.sleep(0.01)


_EPOCH = datetime.fromtimestamp(0, UTC)
_TABLES = "saga, journal, input_offset, foreign_event, held_message, definition, replica"

# A sequence is outside of all transactions: like a clock, it moves on for a statement that waits.
_SHIFTED_CLOCK = [
    "CREATE SEQUENCE IF NOT EXISTS clock",
    """
    CREATE OR REPLACE FUNCTION saga_now() RETURNS timestamptz LANGUAGE sql STABLE AS
    $$ SELECT timestamptz 'epoch' + last_value * interval '1 microsecond' FROM clock $$
    """,
]


@contextmanager
def on_postgres(url: str) -> Iterator[StoreBench]:
    """Its calls block, so whatever goes on beside the test has a thread and an event loop of its own."""
    control, engine = connect(url), connect(url, pool_size=4)

    with control.begin() as connection:
        for statement in (f"TRUNCATE {_TABLES}", *_SHIFTED_CLOCK):
            connection.exec_driver_sql(statement)

    def tell(now: datetime) -> None:
        with control.begin() as connection:
            microseconds = (now - _EPOCH) // timedelta(microseconds=1)
            connection.exec_driver_sql("SELECT setval('clock', %(now)s)", {"now": microseconds})

    def waiting() -> int:
        with control.begin() as connection:
            found = connection.exec_driver_sql("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
            return int(found.scalar_one())

    def times(saga: UUID) -> tuple[datetime, datetime, datetime | None]:
        row = Queries(control).one(saga)
        assert row is not None
        return row.created_at, row.updated_at, row.ended_at

    def beside(make: Callable[[], Coroutine[Any, Any, Any]]) -> asyncio.Task[Any]:
        return asyncio.ensure_future(asyncio.to_thread(lambda: asyncio.run(make())))  # type: ignore[return-value]

    clock = Clock(tell)
    clock.advance(0)
    yield StoreBench(PostgresStore(engine, "g"), clock, beside, waiting, times)
    for each in (engine, control):
        each.dispose()


def in_memory() -> StoreBench:
    clock = Clock()
    store = MemoryStore(clock, "g")

    def times(saga: UUID) -> tuple[datetime, datetime, datetime | None]:
        row = store.row(saga)
        assert row is not None
        return row.created_at, row.updated_at, row.ended_at

    return StoreBench(
        store,
        clock,
        lambda make: asyncio.ensure_future(make()),
        lambda: store.locks.waiting,
        times,  # type: ignore[arg-type,return-value]
    )


@pytest.fixture(scope="session")
def contract_url(postgres: EmbeddedPostgres) -> str:
    """One database for all tests of the store: emptied in between, since making one takes longer than most of them."""
    url = postgres.create_database("contract")
    bootstrap.migrate(Settings(database_url=url, systems="consumers.nothing:SYSTEMS"))
    return url


@pytest.fixture(params=["memory", "real"])
def bench(request: pytest.FixtureRequest) -> Iterator[StoreBench]:
    if request.param == "memory":
        yield in_memory()
        return
    with on_postgres(request.getfixturevalue("contract_url")) as made:
        yield made


@pytest.fixture
def benches(contract_url: str) -> Iterator[tuple[StoreBench, StoreBench]]:
    """The real store and the one in memory."""
    with on_postgres(contract_url) as real:
        yield real, in_memory()


# -- the broker ------------------------------------------------------------------------------------------------------


@dataclass
class BrokerBench:
    """A broker as its administrator and outsiders see it, and the two ends that the loops hold."""

    group: str = field(default_factory=lambda: f"g-{uuid.uuid4().hex[:8]}")
    inboxes: list[Any] = field(default_factory=list)
    outboxes: list[Any] = field(default_factory=list)

    async def inbox(
        self, *topics: str, known: Mapping[TopicPartition, int] | None = None, on_assign: Any = None
    ) -> Inbox:
        async def knows(_: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
            return known or {}

        made = self.make_inbox(topics, on_assign or knows)
        self.inboxes.append(made)
        return made

    async def outbox(self) -> Outbox:
        made = self.make_outbox()
        self.outboxes.append(made)
        return made

    async def close(self) -> None:
        for each in (*self.inboxes, *self.outboxes):
            await each.close()

    def make_inbox(self, topics: Sequence[str], on_assign: Any) -> Inbox:
        raise NotImplementedError

    def make_outbox(self) -> Outbox:
        raise NotImplementedError

    def topic(self, **settings: Any) -> str:
        """A new topic. `largest` is the largest message; `compacted` keeps only the last of each key."""
        raise NotImplementedError

    def publish(
        self, topic: str, *values: bytes | None, partition: int = 0, key: bytes | None = None, headers: Headers = ()
    ) -> None:
        raise NotImplementedError

    def trim(self, place: TopicPartition, before: int) -> None:
        raise NotImplementedError

    def committed(self, *places: TopicPartition) -> Mapping[TopicPartition, int]:
        raise NotImplementedError

    async def everything(self, topic: str) -> list[Incoming]:
        """What is in a topic, partition by partition."""
        raise NotImplementedError


class MemoryBench(BrokerBench):
    def __init__(self) -> None:
        super().__init__()
        self.broker = MemoryBroker(lambda: datetime.now(UTC))

    def make_inbox(self, topics: Sequence[str], on_assign: Any) -> Inbox:
        return MemoryInbox(self.broker, self.group, topics, on_assign)

    def make_outbox(self) -> Outbox:
        return MemoryOutbox(self.broker)

    def topic(self, **settings: Any) -> str:
        name = f"t-{uuid.uuid4().hex[:8]}"
        self.broker.create_topic(name, PARTITIONS, **settings)
        return name

    def publish(
        self, topic: str, *values: bytes | None, partition: int = 0, key: bytes | None = None, headers: Headers = ()
    ) -> None:
        for value in values:
            self.broker.append(Outgoing(topic, key, value, headers), partition)

    def trim(self, place: TopicPartition, before: int) -> None:
        self.broker.trim(place, before)

    def committed(self, *places: TopicPartition) -> Mapping[TopicPartition, int]:
        return {place: offset for place, offset in self.broker.committed(self.group).items() if place in places}

    async def everything(self, topic: str) -> list[Incoming]:
        return list(self.broker.messages(topic))


class KafkaBench(BrokerBench):
    def __init__(self, bootstrap: str) -> None:
        super().__init__()
        self.client: dict[str, Any] = {"bootstrap.servers": bootstrap, "log_level": 2}
        self.admin = AdminClient(dict(self.client))
        self.producer = Producer({**self.client, "linger.ms": 0})

    async def close(self) -> None:
        await super().close()
        del self.producer, self.admin  # they would complain of the broker when it stops

    def make_inbox(self, topics: Sequence[str], on_assign: Any) -> Inbox:
        # A heartbeat tells of a rebalance.
        config = consumer_config({**self.client, "fetch.wait.max.ms": 20, "heartbeat.interval.ms": 100}, self.group)
        return KafkaInbox(config, topics, run=in_thread(), on_assign=on_assign)

    def make_outbox(self) -> Outbox:
        # What is not there is waited for for half a minute else.
        impatient = {"topic.metadata.propagation.max.ms": 300}
        if self.client["bootstrap.servers"] == NOWHERE:
            impatient["delivery.timeout.ms"] = 500
        config = producer_config({**self.client, **impatient})
        return KafkaOutbox(config, run=in_thread())

    def topic(self, **settings: Any) -> str:
        name = f"t-{uuid.uuid4().hex[:8]}"
        config = {"max.message.bytes": str(settings["largest"])} if "largest" in settings else {}
        if settings.get("compacted"):
            config["cleanup.policy"] = "compact"
        new = NewTopic(name, num_partitions=PARTITIONS, replication_factor=1, config=config)
        self.admin.create_topics([new])[name].result()
        _led(self.client, name)
        return name

    def publish(
        self, topic: str, *values: bytes | None, partition: int = 0, key: bytes | None = None, headers: Headers = ()
    ) -> None:
        for value in values:
            self.producer.produce(topic, value, key, partition, headers=list(headers))
        assert self.producer.flush(20) == 0

    def trim(self, place: TopicPartition, before: int) -> None:
        for future in self.admin.delete_records([KafkaPlace(*place, before)]).values():
            future.result()

    def committed(self, *places: TopicPartition) -> Mapping[TopicPartition, int]:
        consumer = Consumer({**self.client, "group.id": self.group})
        try:
            found = consumer.committed([KafkaPlace(*place) for place in places], timeout=10)
            return {(each.topic, each.partition): each.offset for each in found if each.offset >= 0}
        finally:
            consumer.close()

    async def everything(self, topic: str) -> list[Incoming]:
        reader = KafkaBench(self.client["bootstrap.servers"])
        inbox = await reader.inbox(topic)
        found: list[Incoming] = []
        try:
            async with asyncio.timeout(20):
                while not inbox.joined() or any(inbox.heard_until(p) is not None for p in range(PARTITIONS)):
                    found.extend(await inbox.poll(1000, 0.1))
        finally:
            await reader.close()
        return sorted(found, key=lambda message: (message.partition, message.offset))


def _led(client: Mapping[str, Any], topic: str) -> None:
    """Wait until every partition of a new topic has its leader."""
    consumer = Consumer({**client, "group.id": "nobody"})
    deadline = time.monotonic() + 20
    try:
        while True:
            found = consumer.list_topics(topic, timeout=10).topics[topic]
            if found.error is None and len(found.partitions) == PARTITIONS:
                if all(each.leader >= 0 for each in found.partitions.values()):
                    return
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        consumer.close()


@pytest.fixture(params=["memory", "real"])
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[BrokerBench]:
    made = MemoryBench() if request.param == "memory" else KafkaBench(request.getfixturevalue("kafka"))
    yield made
    await made.close()


@pytest.fixture(params=["memory", "real"])
async def no_broker(request: pytest.FixtureRequest) -> AsyncIterator[BrokerBench]:
    """Nobody answers."""
    made: BrokerBench
    if request.param == "memory":
        made = MemoryBench()
        made.broker.away = True
    else:
        made = KafkaBench(NOWHERE)
    yield made
    await made.close()


Poll = Callable[[Inbox, int], Awaitable[list[Incoming]]]


@pytest.fixture
def read() -> Poll:
    async def read(inbox: Inbox, count: int) -> list[Incoming]:
        """Poll until so many messages have come."""
        found: list[Incoming] = []
        async with asyncio.timeout(30):
            while len(found) < count:
                found.extend(await inbox.poll(count - len(found), 0.1))
        return found

    return read
