"""The engine in the test's own event loop, on a real broker and a real database."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from consumers.bootstrap import make_runtime
from consumers.nothing import SYSTEMS
from consumers.system import SystemFactory
from orchestrator import Agent, bootstrap
from orchestrator.ids import RealIds
from orchestrator.dev.cluster import create_topics
from orchestrator.dev.errors import FetchFailed, MissingTool
from orchestrator.dev.maven import cached, copy_dependencies, java
from orchestrator.dev.process import Command, free_port, port_open, spawn_ready
from orchestrator.messaging.admin import partition_counts
from orchestrator.messaging.kafka import in_thread
from orchestrator.settings import Settings
from orchestrator.store.queries import Filter, Queries
from orchestrator.database import connect
from schemas.models import VendorOnboardingRequested

MOCK_OAUTH2 = ("no.nav.security", "mock-oauth2-server", "2.1.10")


@pytest.fixture(scope="session")
def token_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of mock-oauth2-server; the first part of a path is an issuer of its own."""
    folder, port = tmp_path_factory.mktemp("mock-oauth2-server"), free_port()
    try:
        jars = cached(f"mock-oauth2-server-{MOCK_OAUTH2[2]}", lambda into: copy_dependencies([MOCK_OAUTH2], into))
        argv = [java(), "-cp", f"{jars}/*", "no.nav.security.mock.oauth2.StandaloneMockOAuth2ServerKt"]
    except (MissingTool, FetchFailed) as exc:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(exc))
    env = {**os.environ, "SERVER_PORT": str(port), "SERVER_HOSTNAME": "127.0.0.1"}
    command = Command("mock-oauth2-server", argv, folder / "server.log", env=env, orphan_signal=signal.SIGTERM)
    server = spawn_ready(command, lambda _: port_open(port), 60)
    yield f"http://127.0.0.1:{port}"
    server.stop()


# OpenTelemetry's provider is set once a process; so is what keeps its spans, for whichever test asks first.
_SPANS = InMemorySpanExporter()


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """The spans that this test makes in its own process."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(_SPANS))
        trace.set_tracer_provider(provider)
    _SPANS.clear()
    yield _SPANS
    _SPANS.clear()


@pytest.fixture
def settings(kafka: str, migrated_url: str) -> Settings:
    """Settings of this test: empty topics, an empty database, groups of its own."""
    made = Settings(
        kafka_bootstrap_servers=kafka,
        database_url=migrated_url,
        systems="consumers.nothing:SYSTEMS",
        system_urls=dict.fromkeys(SYSTEMS, "http://nowhere"),
        group_prefix=f"{uuid.uuid4().hex[:8]}-",
        timer_seconds=0.05,
        kafka={"fetch": {"wait": {"max": {"ms": 20}}}},
    )
    _empty_topics(made)
    return made


def _empty_topics(settings: Settings) -> None:
    client = {"bootstrap.servers": settings.kafka_bootstrap_servers}
    admin = AdminClient(client)
    old = [name for name in partition_counts(client) if not name.startswith("_")]
    if old:
        for future in admin.delete_topics(old, operation_timeout=20).values():
            future.result()
    deadline = time.monotonic() + 20
    while set(partition_counts(client)) & set(old) and time.monotonic() < deadline:
        time.sleep(0.05)
    # This one waits until every partition has its leader.
    create_topics(settings.kafka_bootstrap_servers, bootstrap.topic_names(settings), partitions=settings.partitions)


@dataclass
class Engine:
    """One coordinator with its timers and a consumer of each system, as tasks."""

    settings: Settings
    factories: dict[str, SystemFactory] = field(default_factory=lambda: dict(SYSTEMS))
    stopping: bool = False
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)

    def start(self, *, coordinators: int = 1, consumers: bool = True) -> None:
        for _ in range(coordinators):
            coordinator = bootstrap.make_coordinator(self.settings, in_thread())
            self.tasks.append(asyncio.create_task(coordinator.run(lambda: self.stopping)))
        timers = bootstrap.make_timers(self.settings, in_thread())
        self.tasks.append(asyncio.create_task(timers.run(lambda: self.stopping)))
        for name in sorted(self.factories) if consumers else ():
            self.start_consumer(name)

    def start_consumer(self, name: str) -> None:
        codec = bootstrap.make_codec(self.settings)
        ids = RealIds()
        runtime = make_runtime(self.settings, name, self.factories[name], codec, ids, lambda: datetime.now(UTC))
        self.tasks.append(asyncio.create_task(runtime.run(lambda: self.stopping)))

    async def stop(self) -> None:
        self.stopping = True
        await asyncio.gather(*self.tasks)
        self.tasks.clear()
        self.stopping = False

    def __post_init__(self) -> None:
        self.database = connect(self.settings.database_url)
        self.queries = Queries(self.database)

    def sagas(self) -> list[Any]:
        return self.queries.list(Filter(limit=100_000))

    async def until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            for task in self.tasks:
                if task.done() and task.exception() is not None:
                    raise task.exception()  # type: ignore[misc]
            assert time.monotonic() < deadline, "it did not happen"
            await asyncio.sleep(0.05)

    def sql(self, statement: str, **parameters: object) -> list[Any]:
        with self.database.begin() as connection:
            result = connection.exec_driver_sql(statement, parameters)
            return list(result) if result.returns_rows else []


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[Engine]:
    made = Engine(settings)
    yield made
    await made.stop()
    made.database.dispose()


@pytest.fixture
async def agent(settings: Settings) -> AsyncIterator[Agent]:
    async with Agent("tester", settings) as made:
        yield made


@dataclass(frozen=True)
class Wire:
    """The broker as an outsider sees it."""

    bootstrap: str

    def send(self, topic: str, value: bytes | None, headers: list[tuple[str, bytes]], key: bytes = b"k") -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap, "message.max.bytes": 10_000_000})
        failed: list[Any] = []
        producer.produce(
            topic, value=value, key=key, headers=headers, on_delivery=lambda error, _: error and failed.append(error)
        )
        assert producer.flush(20) == 0
        assert not failed, failed

    def read(self, topic: str) -> list[Any]:
        """Everything that is in a topic now."""
        consumer = Consumer(
            {"bootstrap.servers": self.bootstrap, "group.id": "reader", "auto.offset.reset": "earliest"}
        )
        try:
            found = []
            partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
            for partition in partitions:
                low, high = _watermarks(consumer, TopicPartition(topic, partition))
                if high > low:
                    consumer.assign([TopicPartition(topic, partition, low)])
                    while not found or found[-1].partition() != partition or found[-1].offset() < high - 1:
                        message = consumer.poll(5)
                        assert message is not None, "the broker gave nothing"
                        assert message.error() is None
                        found.append(message)
            return found
        finally:
            consumer.close()


def _watermarks(consumer: Consumer, place: TopicPartition) -> tuple[int, int]:
    """A topic that has just been made may not have found its leader yet."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return consumer.get_watermark_offsets(place, timeout=10)  # type: ignore[no-any-return]
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.fixture
def wire(kafka: str) -> Wire:
    return Wire(kafka)


@pytest.fixture
def make_vendor() -> Callable[[int], VendorOnboardingRequested]:
    def make(number: int) -> VendorOnboardingRequested:
        return VendorOnboardingRequested.model_validate(
            {
                "vendor_name": f"Vendor {number}",
                "vendor_type": "SUPPLIER",
                "tax_id": f"DE{number:08d}",
                "payment_terms": "NET_30",
                "primary_contact_name": "Ada",
                "primary_contact_email": f"ada{number}@example.com",
                "category": "bearings",
            }
        )

    return make
