"""Kafka and PostgreSQL for a measurement: those that the settings name, else some of our own; and workers on them."""

from __future__ import annotations

import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg

from orchestrator import bootstrap
from orchestrator.dev.brokers import find_real_broker
from orchestrator.dev.postgres import EmbeddedPostgres
from orchestrator.dev.process import ChildProcess, Command, free_port, spawn
from orchestrator.settings import load

__all__ = ["Servers", "servers"]

_READY_SECONDS = 60.0
_STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Servers:
    """`pids` are of those that are ours."""

    kafka: str
    url: str
    pids: Mapping[str, int]
    folder: Path

    @contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[str]:
        """The URL of a new database, with all tables unless told otherwise; removed at the end."""
        name = f"saga_bench_{secrets.token_hex(4)}"
        administrator = self.url.replace("postgresql+psycopg", "postgresql")
        with psycopg.connect(administrator, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
            try:
                url = f"{self.url.rpartition('/')[0]}/{name}"
                if migrated:
                    bootstrap.migrate(load(database_url=url))
                yield url
            finally:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def environment(self, **settings: str) -> dict[str, str]:
        """What a worker's environment says of them."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SAGA_")}
        path = os.pathsep.join([str(Path(__file__).parents[3]), *filter(None, [os.environ.get("PYTHONPATH")])])
        return {**kept, "PYTHONPATH": path, "SAGA_KAFKA_BOOTSTRAP_SERVERS": self.kafka, **settings}

    @contextmanager
    def running(self, commands: Mapping[str, Sequence[str]], **settings: str) -> Iterator[Mapping[str, ChildProcess]]:
        """These Python modules with their arguments, each ready; stopped at the end.

        A worker is ready when it says so: by its health address, or by a line of its output.
        """
        with ExitStack() as stack:
            children: dict[str, ChildProcess] = {}
            waits: list[tuple[ChildProcess, Callable[[], bool]]] = []
            for name, arguments in commands.items():
                address = f"127.0.0.1:{free_port()}"
                log, output = self.folder / f"{name}.log", self.folder / f"{name}.out"
                env = self.environment(SAGA_HEALTH_ADDRESS=address, SAGA_LOG_LEVEL="WARNING", **settings)
                child = spawn(Command(name, [sys.executable, "-m", *arguments], log, output=output, env=env))
                stack.callback(child.stop, _STOP_SECONDS)
                children[name] = child
                waits.append((child, partial(_ready, address, output)))
            for child, ready in waits:
                child.wait_ready(ready, _READY_SECONDS)
            time.sleep(1.0)  # the last to join has made the others share anew
            yield children


def _ready(address: str, output: Path) -> bool:
    if "ready" in output.read_text(encoding="utf-8"):
        return True
    try:
        with urllib.request.urlopen(f"http://{address}/ready", timeout=2.0) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def servers(folder: Path, topics: Sequence[str], say: Callable[[str], None]) -> Iterator[Servers]:
    """Servers with these topics, durable as they are by default: every write is synced, every copy acknowledged.

    Raises:
        DevError: they did not start, or those that the settings name do not answer.

    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        say("Kafka and PostgreSQL")
        broker = find_real_broker(folder / "kafka", topics)
        stack.callback(broker.close)
        pids: dict[str, int] = {}
        if (process := getattr(broker, "process", None)) is not None:
            pids["kafka"] = process.pid
        if "SAGA_DATABASE_URL" in os.environ:
            url = load().database_url
        else:
            postgres = stack.enter_context(EmbeddedPostgres(folder / "postgres"))
            url, pids["postgres"] = postgres.url, postgres.process.pid
        yield Servers(broker.bootstrap_servers, url, pids, folder)
