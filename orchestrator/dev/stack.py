"""The whole system on one machine: PostgreSQL, Kafka, sandbox, coordinators and consumers, as supervised children.

`saga demo`, `saga dev` and the acceptance tests use this one piece of code. Every child ends with us, however we end.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from orchestrator import bootstrap
from orchestrator.dev.brokers import CrashableBroker, Kind, start_kafka
from orchestrator.dev.errors import ChildFailed
from orchestrator.dev.postgres import EmbeddedPostgres
from orchestrator.dev.process import ChildProcess, Command, free_port, spawn, spawn_ready
from orchestrator.settings import Settings, load

__all__ = ["Stack", "StackOptions"]

_READY_SECONDS = 60.0
_REQUEST_SECONDS = 2.0
# A graceful stop of a worker waits for calls in progress; nobody waits for that long at the end of a demo.
_GRACE_SECONDS = 5.0

# What belongs to the stack that somebody else runs, and must not leak into ours. Where a system is that our sandbox has
# not, is the user's to say.
_OURS = ("SAGA_KAFKA", "SAGA_DATABASE", "SAGA_EFFECTS", "SAGA_SCHEMA", "SAGA_HEALTH", "SAGA_GROUP")


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What to start.

    Attributes:
        kafka: which broker, see `start_kafka`.
        folder: for data, logs and the sandbox's ledger.
        plan: faults and seed data of the sandbox.
        coordinators, consumers: how many processes of each; every consumer process works for one system.
        fsync: False makes commits quicker; data then survives a crash of the server, but not of the machine.
        settings: further `SAGA_` variables of the children.

    """

    kafka: Kind
    folder: Path
    plan: Mapping[str, Any] = field(default_factory=dict)
    coordinators: int = 1
    consumers: int = 1
    fsync: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)


class Stack:
    """The running stack. A context manager; `say` is told what is being started.

    Raises:
        DevError: a part of it did not start.
        BadSettings: the catalogue or the systems cannot be loaded.

    """

    def __init__(self, options: StackOptions, say: Callable[[str], None] = lambda _: None) -> None:
        self.options = options
        self._say = say
        self._folder = options.folder.absolute()
        self.postgres = EmbeddedPostgres(self._folder / "postgres", fsync=options.fsync)
        self.broker: CrashableBroker | None = None
        self.sandbox: ChildProcess | None = None
        self.coordinators: list[ChildProcess] = []
        self.consumers: dict[str, list[ChildProcess]] = {}
        self.urls: Mapping[str, str] = {}
        self._sandbox_ports: dict[str, int] = {}
        self._started = 0

    # -- starting -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start everything and wait until every worker has joined its group."""
        plain = load()
        topics = bootstrap.topic_names(plain)
        systems = sorted(bootstrap.load_systems(plain))
        self._folder.mkdir(parents=True, exist_ok=True)
        self._say(f"PostgreSQL, Kafka ({self.options.kafka}) and the sandbox")
        with ThreadPoolExecutor(max_workers=3) as pool:
            # Each waits for a server most of the time.
            started = [pool.submit(self.postgres.start), pool.submit(self._start_broker, topics)]
            started.append(pool.submit(self.start_sandbox))
            for part in started:
                part.result()
        self._say("tables")
        bootstrap.migrate(self.settings())
        self._say(f"coordinator and consumers of {', '.join(systems)}")
        children = [self.start_coordinator() for _ in range(self.options.coordinators)]
        children += [self.start_consumer(name) for name in systems for _ in range(self.options.consumers)]
        for child in children:
            self.wait_ready(child)

    def _start_broker(self, topics: list[str]) -> None:
        self.broker = start_kafka(self.options.kafka, self._folder / "kafka", topics)

    def start_sandbox(self) -> None:
        """Start the sandbox; again after its end on the same ports, with what its ledger says was done.

        Raises:
            ChildFailed, NotReady: it did not start.

        """
        module = load().sandbox
        folder = self._folder / "sandbox"
        folder.mkdir(parents=True, exist_ok=True)
        plan, output = folder / "plan.json", folder / "urls.json"
        plan.write_text(json.dumps(dict(self.options.plan)), encoding="utf-8")
        argv = [sys.executable, "-m", module, "--folder", str(folder), "--faults", str(plan)]
        if self._sandbox_ports:
            argv += ["--ports", ",".join(f"{name}={port}" for name, port in self._sandbox_ports.items())]
        command = Command("the sandbox", argv, folder / "sandbox.log", output=output, env=_environment({}))
        self.sandbox = spawn_ready(command, lambda _: output.read_text().endswith("\n"), _READY_SECONDS)
        self.urls = json.loads(output.read_text(encoding="utf-8"))
        self._sandbox_ports = {name: int(url.rpartition(":")[2]) for name, url in self.urls.items() if name != "ledger"}

    def start_coordinator(self) -> ChildProcess:
        """Start one more replica; does not wait."""
        child = self._worker("coordinator", ["coordinator"])
        self.coordinators.append(child)
        return child

    def start_consumer(self, system: str) -> ChildProcess:
        """Start one more consumer of a system; does not wait."""
        child = self._worker(f"consumer-{system}", ["consumer", system])
        self.consumers.setdefault(system, []).append(child)
        return child

    def _worker(self, name: str, arguments: list[str]) -> ChildProcess:
        self._started += 1
        address = f"127.0.0.1:{free_port()}"
        argv = [sys.executable, "-m", "orchestrator.cli.main", *arguments]
        env = _environment({**self.environment(), "SAGA_HEALTH_ADDRESS": address})
        return spawn(Command(name, argv, self._folder / "logs" / f"{name}-{self._started}.log", env=env))

    def wait_ready(self, worker: ChildProcess) -> None:
        """Wait until a coordinator or consumer has joined its group.

        Raises:
            ChildFailed, NotReady: it has not; with the end of its log.

        """
        address = (worker.command.env or {})["SAGA_HEALTH_ADDRESS"]
        worker.wait_ready(lambda: _ready(address), _READY_SECONDS)

    def replace(self, worker: ChildProcess) -> ChildProcess:
        """Start a worker like one that has ended, in its place; does not wait."""
        for place, start in (
            (self.coordinators, self.start_coordinator),
            *((found, lambda name=name: self.start_consumer(name)) for name, found in self.consumers.items()),
        ):
            if worker in place:
                place.remove(worker)
                fresh: ChildProcess = start()
                return fresh
        msg = f"{worker.command.name} is no worker of this stack"
        raise ChildFailed(msg)

    # -- what others need to know ---------------------------------------------------------------------------------

    @property
    def ledger(self) -> Path:
        """What the sandbox has written down: one JSON object a line."""
        return Path(self.urls["ledger"])

    @property
    def logs(self) -> Path:
        """Where the workers' logs are."""
        return self._folder / "logs"

    def environment(self) -> dict[str, str]:
        """The `SAGA_` variables by which a program finds this stack."""
        assert self.broker is not None
        found = {
            "SAGA_KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap_servers,
            "SAGA_DATABASE_URL": self.postgres.url,
            **{
                f"SAGA_SYSTEM_URLS__{name.upper().replace('-', '_')}": url
                for name, url in self.urls.items()
                if name not in {"control", "ledger"}
            },
            **self.options.settings,
        }
        if self.broker.client_settings:
            file = self._folder / "kafka.properties"
            file.write_text("".join(f"{n}={v}\n" for n, v in self.broker.client_settings.items()), encoding="utf-8")
            found["SAGA_KAFKA_FILE"] = str(file)
        return found

    def settings(self) -> Settings:
        """The same for this process, whatever its own environment says."""
        given = {name.removeprefix("SAGA_").lower(): value for name, value in self.environment().items()}
        urls = {n.removeprefix("system_urls__"): given.pop(n) for n in list(given) if n.startswith("system_urls__")}
        nothing: dict[str, Any] = {
            "effects_database_url": None,
            "schema_registry_url": None,
            "schema_registry": {},
            "kafka": {},
        }
        return load(**{**nothing, "group_prefix": "", "health_address": None, **given, "system_urls": urls})

    # -- ending ---------------------------------------------------------------------------------------------------

    def workers(self) -> list[ChildProcess]:
        """Coordinators and consumers."""
        return [*self.coordinators, *(child for found in self.consumers.values() for child in found)]

    def check(self) -> None:
        """Whether all that was started still runs.

        Raises:
            ChildFailed: a worker or the sandbox has ended by itself; with the end of its log.

        """
        for child in (*self.workers(), *([self.sandbox] if self.sandbox else [])):
            if not child.running:
                msg = f"{child.command.name} ended with status {child.returncode}; its log ends:\n{child.log_tail()}"
                raise ChildFailed(msg)

    def close(self) -> None:
        """Stop everything: workers first, so that none of them complains that its servers are gone."""
        workers = self.workers()
        if workers:
            with ThreadPoolExecutor(max_workers=len(workers)) as pool:
                list(pool.map(lambda child: child.stop(_GRACE_SECONDS), workers))
        if self.sandbox is not None:
            self.sandbox.stop(_GRACE_SECONDS)
        if self.broker is not None:
            self.broker.close()
        self.postgres.close()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    # A child must find this very package, and what the user's working directory holds, as `-m` does by itself.
    path = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**kept, "PYTHONPATH": path, **ours}


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/ready", timeout=_REQUEST_SECONDS) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
