"""`saga bench compare`: the same steps on DBOS and on the engine, on the same PostgreSQL, in turn."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from orchestrator.dev.errors import ChildFailed, MissingTool
from orchestrator.messaging import topics
from orchestrator.testing.bench.definitions import NAME, bench_saga
from orchestrator.testing.bench.servers import Servers, servers
from orchestrator.testing.bench.throughput import Load, Measured, run_engine

__all__ = ["Comparison", "compare"]

_SECONDS = 900


@dataclass(slots=True)
class Comparison:
    """All rounds of both."""

    engine: list[Measured] = field(default_factory=list)
    dbos: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Rates and latencies as medians over the rounds; ratios are medians of those of each round."""
        pairs = list(zip(self.engine, self.dbos, strict=True))
        return {
            "engine": {
                "sagas_per_second": median(m.sagas_per_second for m in self.engine),
                "p50_ms": median(m.one_at_a_time.p50 for m in self.engine),
            },
            "dbos": {
                "sagas_per_second": median(d["sagas_per_second"] for d in self.dbos),
                "p50_ms": median(d["latency_ms"]["p50"] for d in self.dbos),
            },
            "ratio": {
                "sagas_per_second": median(m.sagas_per_second / d["sagas_per_second"] for m, d in pairs),
                "p50": median(m.one_at_a_time.p50 / d["latency_ms"]["p50"] for m, d in pairs),
            },
            "wrong": self.wrong,
        }


def compare(load: Load, peer_sagas: int, folder: Path, say: Callable[[str], None]) -> Comparison:
    """Run the engine with `load`, and so many workflows of as many steps on DBOS, `load.rounds` times in turn.

    Raises:
        MissingTool: DBOS is not installed.
        DevError: a server or a worker did not start.

    """
    found = Comparison()
    with servers(folder, topics.needed([NAME], sorted(bench_saga(load.steps).systems)), say) as place:
        for number in range(load.rounds):
            found.dbos.append(_dbos(place, load, peer_sagas))
            say(f"round {number + 1}, DBOS: {found.dbos[-1]['sagas_per_second']:.0f} sagas/s")
            with run_engine(place, load, found.wrong) as measured:
                found.engine.append(measured())
            say(f"round {number + 1}, engine: {found.engine[-1].sagas_per_second:.0f} sagas/s")
    return found


def _dbos(place: Servers, load: Load, sagas: int) -> dict[str, Any]:
    with place.database(migrated=False) as url:
        plain = url.replace("postgresql+psycopg", "postgresql")
        numbers = map(str, (sagas, load.singles, load.steps))
        argv = [sys.executable, "-m", "orchestrator.testing.bench.peer_dbos", plain, *numbers]
        ran = subprocess.run(  # noqa: S603 - our own module
            argv, env=place.environment(), capture_output=True, text=True, check=False, timeout=_SECONDS
        )
    if "No module named 'dbos'" in ran.stderr:
        msg = "DBOS is not installed: uv sync --group peers"
        raise MissingTool(msg)
    if ran.returncode != 0:
        msg = f"DBOS ended with status {ran.returncode}:\n{ran.stderr[-2000:]}"
        raise ChildFailed(msg)
    result: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return result
