"""Real parts for the tests: one PostgreSQL and one Kafka for the session, databases and topics of each test's own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import settings as hypothesis_settings

from consumers.sandbox.ledger import Ledger
from orchestrator import Agent, bootstrap, redaction
from orchestrator.core.state import TERMINAL, Status
from orchestrator.database import connect
from orchestrator.dev.brokers import find_real_broker, real_kind
from orchestrator.dev.postgres import EmbeddedPostgres
from orchestrator.dev.process import ChildProcess
from orchestrator.dev.registry import NativeRegistry
from orchestrator.dev.stack import Stack, StackOptions
from orchestrator.messaging.admin import create_topics
from orchestrator.settings import Settings
from orchestrator.store.queries import Queries, SagaRow
from orchestrator.testing.audit import audit
from schemas.models import Request, VendorOnboardingRequested


# What a command prints is piped here, and has no width, whatever whoever runs the tests has set.
os.environ.pop("COLUMNS", None)


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Say something that stands at the end of the run's output, whichever process the test ran in."""
    return lambda text: record_property(_TOLD, text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [r for outcome in ("passed", "failed") for r in terminalreporter.stats.get(outcome, [])]
    told = [(report.nodeid, text) for report in reports for name, text in report.user_properties if name == _TOLD]
    for name, text in told:
        terminalreporter.write_sep("-", name)
        terminalreporter.write_line(str(text))


_TOLD = "told"

# How long an example takes says something of the machine and nothing of the code.
hypothesis_settings.register_profile("no-deadline", deadline=None)
hypothesis_settings.load_profile("no-deadline")


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


# -- the whole system as processes ------------------------------------------------------------------------------------

ROOT = Path(__file__).parents[1]

# The shortest that Kafka allows: after a kill the group waits that long for the dead member.
QUICK = {"SAGA_KAFKA__SESSION__TIMEOUT__MS": "6000", "SAGA_KAFKA__HEARTBEAT__INTERVAL__MS": "1000"}


@dataclass
class World:
    """A running stack with the questions that tests ask of it."""

    stack: Stack

    def __post_init__(self) -> None:
        self.settings = self.stack.settings()
        self.engine = connect(self.settings.database_url)
        self.queries = Queries(self.engine)

    async def publish(self, requests: Sequence[Request]) -> list[UUID]:
        async with Agent("acceptance", self.settings) as agent:
            return await agent.publish_all(requests)

    def ledger(self) -> Ledger:
        return Ledger.read(self.stack.ledger)

    def rows(self, ids: Sequence[UUID]) -> Mapping[UUID, SagaRow]:
        return {row.id: row for row in self.queries.some(ids)}

    async def at_rest(
        self, ids: Sequence[UUID], seconds: float = 120, *, final: bool = False
    ) -> Mapping[UUID, SagaRow]:
        """Wait until every one of these sagas has ended or, unless `final`, waits for a person."""
        deadline = time.monotonic() + seconds
        while True:
            rows = self.rows(ids)
            rest = TERMINAL if final else TERMINAL | {Status.REVIEW}
            busy = [row for row in rows.values() if row.state.status not in rest]
            if len(rows) == len(ids) and not busy:
                return rows
            assert time.monotonic() < deadline, f"{len(ids)} requested, {len(rows)} known, still busy: {busy[:3]}"
            await asyncio.sleep(0.2)

    def saga(self, *arguments: str, code: int | None = 0, stdin: str | None = None) -> str:
        """Run a command as an operator does; its standard output."""
        kept = {n: v for n, v in os.environ.items() if not n.startswith("SAGA_")}
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        env = {**kept, **self.stack.environment(), "PYTHONPATH": path}
        argv = [sys.executable, "-m", "orchestrator.cli.main", *arguments]
        done = subprocess.run(argv, check=False, env=env, text=True, capture_output=True, input=stdin, timeout=200)
        assert code in (None, done.returncode), done.stdout + done.stderr
        return done.stdout

    def order_faults(self, *rules: dict[str, Any]) -> None:
        """Replace the sandbox's faults."""
        url = f"{self.stack.urls['control']}/_sandbox/faults"
        urllib.request.urlopen(urllib.request.Request(url, method="DELETE")).close()
        if rules:
            urllib.request.urlopen(urllib.request.Request(url, json.dumps(rules).encode(), method="POST")).close()

    async def running(self, worker: ChildProcess) -> None:
        await asyncio.to_thread(self.stack.wait_ready, worker)

    def check_against_the_ledger(self, rows: Mapping[UUID, SagaRow], *, alone: bool = True) -> None:
        """Each effect at most once, exactly once where reported, undone in reverse order.

        Where these sagas are not `alone`, what was done for others is left out.
        """
        catalogue = bootstrap.load_catalogue(self.settings)
        known: dict[UUID, tuple[Any, Any]] = {
            row.id: (catalogue.get(row.state.definition, row.state.version), row.state) for row in rows.values()
        }
        ledger = self.ledger()
        ours = [line for line in ledger.applied() if alone or line.reference in set(map(str, rows))]
        assert audit(known, ours) == []
        assert not alone or ledger.doubled() == {}


@contextmanager
def _worlds(folder: Path) -> Iterator[Callable[..., World]]:
    running: list[tuple[Stack, World | None]] = []

    def make(plan: Mapping[str, Any] | None = None, **options: Any) -> World:
        settings = {**QUICK, **options.pop("settings", {})}
        found = StackOptions(real_kind(), folder, plan or {}, fsync=False, settings=settings, **options)
        stack = Stack(found)
        running.append((stack, None))
        stack.start()
        world = World(stack)
        running[-1] = (stack, world)
        return world

    yield make
    for stack, world in running:
        if world is not None:
            world.engine.dispose()
        stack.close()


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Start a stack with a plan of faults; it is stopped at the end of the test."""
    with _worlds(tmp_path) as make:
        yield make


@pytest.fixture(scope="module")
def make_shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., World]]:
    """The same for all tests of a file, which have to leave each other's sagas alone."""
    with _worlds(tmp_path_factory.mktemp("world")) as make:
        yield make


@pytest.fixture
def make_vendors() -> Callable[..., list[VendorOnboardingRequested]]:
    """So many vendors, numbered from `first` on; every seventh is under sanctions, every eleventh has terms that the ERP refuses."""

    def make(count: int, first: int = 1) -> list[VendorOnboardingRequested]:
        return [
            VendorOnboardingRequested.model_validate(
                {
                    "vendor_name": f"Vendor {number}",
                    "vendor_type": "CONTRACTOR" if number % 11 == 0 else "SUPPLIER",
                    "tax_id": f"{'XX' if number % 7 == 0 else 'DE'}{number:08d}",
                    "payment_terms": "NET_60" if number % 11 == 0 else "NET_30",
                    "primary_contact_name": f"Ada {number}",
                    "primary_contact_email": f"ada{number}@vendors.example",
                    "category": "bearings",
                }
            )
            for number in range(first, first + count)
        ]

    return make


@pytest.fixture(autouse=True)
def _only_forms_are_redacted() -> Iterator[None]:
    """What one test has installed, as a process does once, is not there for the next."""
    yield
    redaction.install(redaction.Rules())
