"""`saga bench`: sagas a second, latency and cost of the engine, and in the same run those of a bare loop.

Both are given the same requests on the same servers, one after the other, several times in turn; what else goes on on
the machine is in both, so that their ratio says more than either number.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from orchestrator.dev.errors import ChildFailed
from orchestrator.dev.process import ChildProcess
from orchestrator.messaging import topics
from orchestrator.messaging.event import Event
from orchestrator.messaging.message import Outgoing
from orchestrator.testing.bench import bare
from orchestrator.testing.bench.client import Client, Latency
from orchestrator.testing.bench.definitions import NAME, STEPS_VARIABLE, bench_saga, make_request
from orchestrator.testing.bench.history import fill
from orchestrator.testing.bench.limits import Limits, limits
from orchestrator.testing.bench.servers import Servers, servers
from orchestrator.testing.bench.usage import usage
from schemas.codec import Codec
from schemas.registry import FixedIds

__all__ = ["Load", "Measured", "Report", "measure", "run_engine"]

_SECONDS = 600.0
_WARM_UP = 200


@dataclass(frozen=True, slots=True)
class Load:
    """What is run.

    `compensating` is a share, `rate` the open loop's sagas a second, `history` how many finished
    sagas there are before.
    """

    sagas: int = 20_000
    steps: int = 4
    coordinators: int = 1
    compensating: float = 0.0
    singles: int = 200
    rate: float = 100.0
    open_seconds: float = 10.0
    rounds: int = 2
    bare: bool = True
    history: int = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """One contestant in one round. Usage is of the throughput's part; database figures are a saga's."""

    sagas_per_second: float
    messages_per_second: float
    one_at_a_time: Latency
    open_loop: Latency
    cpu_ms_per_saga: Mapping[str, float]
    rss_mb: Mapping[str, float]
    database: Mapping[str, float]


@dataclass(slots=True)
class Report:
    """All rounds. Ratios are medians over the rounds, each of the engine to the bare loop beside it."""

    load: Load
    limits: Limits
    engine: list[Measured] = field(default_factory=list)
    bare: list[Measured] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def ratio(self, of: Callable[[Measured], float]) -> float | None:
        """Engine to bare loop; None where there was none."""
        pairs = [of(e) / of(b) for e, b in zip(self.engine, self.bare, strict=False)]
        return median(pairs) if pairs else None

    def as_json(self) -> dict[str, Any]:
        """One object. The figures at the top are the engine's, as medians over the rounds."""
        latency = {name: median(getattr(m.one_at_a_time, name) for m in self.engine) for name in ("p50", "p95", "p99")}
        return {
            "sagas_per_second": median(m.sagas_per_second for m in self.engine),
            "ratio_to_bare_loop": self.ratio(lambda m: m.sagas_per_second),
            "latency_ms": latency,
            "latency_ratio_to_bare_loop": self.ratio(lambda m: m.one_at_a_time.p50),
            "load": asdict(self.load),
            "limits": asdict(self.limits),
            "engine": [asdict(m) for m in self.engine],
            "bare_loop": [asdict(m) for m in self.bare],
            "wrong": self.wrong,
        }


def measure(load: Load, folder: Path, say: Callable[[str], None]) -> Report:
    """Run it all.

    Raises:
        DevError: a server or a worker did not start, or sagas did not end.

    """
    systems = sorted(bench_saga(load.steps).systems | set(bare.SYSTEMS))
    names = [*topics.needed([NAME], systems), bare.REQUESTS, bare.OUTCOMES, *bare.COMMANDS, *bare.COMPLETIONS]
    with servers(folder, names, say) as place:
        say("the limits")
        report = Report(load, limits(place))
        contestants = [("engine", run_engine, report.engine)] + (
            [("bare loop", _bare, report.bare)] if load.bare else []
        )
        for number in range(load.rounds):
            # In changing order, so that who is first is not always the same one.
            for name, run, into in contestants if number % 2 == 0 else reversed(contestants):
                with run(place, load, report.wrong) as measured:
                    into.append(measured())
                told = into[-1]
                p50 = told.one_at_a_time.p50
                say(f"round {number + 1}, {name}: {told.sagas_per_second:.0f} sagas/s, one at a time {p50:.1f} ms")
    return report


@contextmanager
def run_engine(place: Servers, load: Load, wrong: list[str]) -> Iterator[Callable[[], Measured]]:
    """The engine's workers; what measures them. What does not add up afterwards is added to `wrong`."""
    systems = sorted(bench_saga(load.steps).systems)
    commands: dict[str, Sequence[str]] = {
        f"coordinator-{number + 1}": ["orchestrator.cli.main", "coordinator"] for number in range(load.coordinators)
    }
    commands["consumer"] = ["orchestrator.cli.main", "consumer", *systems]
    with place.database() as url:
        environment = {
            "SAGA_DATABASE_URL": url,
            "SAGA_CATALOGUE": "orchestrator.testing.bench.definitions:CATALOGUE",
            "SAGA_SYSTEMS": "consumers.nothing:SYSTEMS",
            STEPS_VARIABLE: str(load.steps),
            **{f"SAGA_SYSTEM_URLS__{name.upper()}": "http://nobody" for name in systems},
        }
        with place.running(commands, **environment) as workers:
            requests = _requests(load)
            yield lambda: _measured(place, load, url, workers, requests, topics.OUTCOMES, topics.requests(NAME))
            wrong += _wrong(url, load, len(requests) + load.history)


@contextmanager
def _bare(place: Servers, load: Load, wrong: list[str]) -> Iterator[Callable[[], Measured]]:
    del wrong
    module = "orchestrator.testing.bench.bare"
    commands = {"coordinator-1": [module, "coordinator"], "consumer": [module, "consumer"]}
    with place.database() as url:
        environment = {"SAGA_DATABASE_URL": url, STEPS_VARIABLE: str(load.steps)}
        with place.running(commands, **environment) as workers:
            yield lambda: _measured(place, load, url, workers, _requests(load), bare.OUTCOMES, bare.REQUESTS)


def _requests(load: Load) -> list[Outgoing]:
    """As many as all parts need; spread evenly, so many of a hundred are refused."""
    codec = Codec(FixedIds())
    count = _WARM_UP + load.singles + int(load.rate * load.open_seconds) + load.sagas
    dice = random.Random(7)  # noqa: S311 - a benchmark keeps no secrets
    found = []
    for number in range(count):
        request = make_request(number, refused=dice.random() < load.compensating)
        saga, now = request.saga_id, datetime.now(UTC)
        event = Event(str(saga), "agent/bench", request.contract.type, now, saga_id=saga, agent="bench")
        found.append(Outgoing("", str(saga).encode(), codec.encode(request), event.headers()))
    return found


def _measured(
    place: Servers,
    load: Load,
    url: str,
    workers: Mapping[str, ChildProcess],
    requests: Sequence[Outgoing],
    outcomes: str,
    topic: str,
) -> Measured:
    pids = {**place.pids, **{name: child.pid for name, child in workers.items()}, "bench": os.getpid()}
    client = Client({"bootstrap.servers": place.kafka}, outcomes, lambda: _check(workers))
    left = iter([Outgoing(topic, r.key, r.value, r.headers) for r in requests])

    def next_(count: int) -> list[Outgoing]:
        return [next(left) for _ in range(count)]

    try:
        client.all_at_once(next_(_WARM_UP), _SECONDS)
        if load.history and topic == topics.requests(NAME):
            fill(url, load.history, lambda _: None)
        before, started = _counters(url), usage(pids)
        seconds = client.all_at_once(next_(load.sagas), _SECONDS)
        ended, after = usage(pids), _counters(url)
        # Latency last: until then Kafka's JVM is busy compiling itself.
        single = client.one_by_one(next_(load.singles), _SECONDS)
        open_ = client.at_rate(next_(int(load.rate * load.open_seconds)), load.rate, _SECONDS)
    finally:
        client.close()
    rate = load.sagas / seconds
    # A request, an outcome, and for each step a command and a completion; compensated ones have some more.
    return Measured(
        rate,
        rate * (2 + 2 * load.steps),
        Latency.of(single),
        Latency.of(open_),
        {name: (ended[name].cpu - started[name].cpu) / load.sagas * 1000 for name in ended},
        {name: used.rss for name, used in ended.items()},
        {name: (after[name] - before[name]) / load.sagas for name in after},
    )


def _check(workers: Mapping[str, ChildProcess]) -> None:
    for child in workers.values():
        if not child.running:
            msg = f"{child.command.name} ended with status {child.returncode}; its log ends:\n{child.log_tail()}"
            raise ChildFailed(msg)


def _counters(url: str) -> dict[str, float]:
    """What PostgreSQL has counted for this database."""
    time.sleep(1.2)  # its sessions report what they did once a second
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
        row = connection.execute(_COUNTERS).fetchone()
    assert row is not None
    return dict(zip(("transactions", "rows_written", "bytes"), map(float, row), strict=True))


_COUNTERS = """
SELECT xact_commit, tup_inserted + tup_updated, pg_database_size(datname)
FROM pg_stat_database WHERE datname = current_database()
"""


def _wrong(url: str, load: Load, count: int) -> list[str]:
    """What does not add up, by the engine's tables: each saga ended as it had to, each effect is there once."""
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
        ended: dict[str, int] = dict(connection.execute("SELECT status, count(*) FROM saga GROUP BY status").fetchall())
        done = connection.execute(
            "SELECT count(*) FROM effect WHERE direction = 'do' AND status = 'done' AND attempt = 1"
        ).fetchone()
    refused = ended.get("compensated", 0)
    expected = count * load.steps - refused
    found = []
    if ended.get("completed", 0) + refused != count or bool(refused) != bool(load.compensating):
        found.append(f"{count} sagas ended as {ended}")
    if done is None or done[0] != expected:
        found.append(f"{done and done[0]} effects were done at the first attempt, not {expected}")
    return found
