"""Real parts for the tests: one PostgreSQL and one Kafka for the session, databases and topics of each test's own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator import bootstrap
from orchestrator.dev.brokers import find_real_broker
from orchestrator.dev.postgres import EmbeddedPostgres
from orchestrator.dev.registry import NativeRegistry
from orchestrator.messaging.admin import create_topics
from orchestrator.settings import Settings


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server of ours, without fsync: no test here cuts the power."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), fsync=False)
    server.start()
    yield server
    server.close()


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """An empty database of the test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield postgres.create_database(name)
    postgres.drop_database(name)


@pytest.fixture
def migrated_url(database_url: str) -> str:
    """A database with all tables."""
    bootstrap.migrate(Settings(database_url=database_url, systems="consumers.nothing:SYSTEMS"))
    return database_url


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of a real broker. Without one the tests that need it fail; they never skip."""
    broker = find_real_broker(tmp_path_factory.mktemp("kafka"))
    yield broker.bootstrap_servers
    broker.stop()


@pytest.fixture(scope="session")
def registry_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real schema registry that speaks Confluent's API."""
    registry = NativeRegistry(tmp_path_factory.mktemp("registry"))
    registry.start()
    yield registry.url
    registry.stop()


@pytest.fixture
def make_topics(kafka: str) -> Callable[[list[str]], None]:
    """Make topics on the real broker."""

    def make(names: list[str]) -> None:
        create_topics({"bootstrap.servers": kafka}, names, 4, 1)

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for what a test leaves behind."""
    return tmp_path
