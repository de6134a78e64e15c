"""The same four steps that do nothing, as a DBOS workflow: `saga bench compare` runs it (`uv sync --group peers`).

`python -m orchestrator.testing.bench.peer_dbos URL SAGAS SINGLES STEPS` prints one JSON object. DBOS runs as its own
documentation sets it up: workflows and steps by decorator, a thread pool, each step's result kept in PostgreSQL.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import Any

from dbos import DBOS, DBOSConfig

from orchestrator.testing.bench.client import Latency

__all__: list[str] = []


@DBOS.step()
def _step(number: int) -> int:
    return number


@DBOS.workflow()
def _saga(steps: int) -> int:
    done = 0
    for number in range(steps):
        done += _step(number)
    return done


def _main(url: str, sagas: int, singles: int, steps: int) -> dict[str, Any]:
    DBOS(config=DBOSConfig(name="saga-bench", system_database_url=url, log_level="ERROR"))
    DBOS.launch()
    try:
        for handle in [DBOS.start_workflow(_saga, steps) for _ in range(50)]:
            handle.get_result()
        took = []
        for _ in range(singles):
            began = time.perf_counter()
            DBOS.start_workflow(_saga, steps).get_result()
            took.append(time.perf_counter() - began)
        began = time.perf_counter()
        for handle in [DBOS.start_workflow(_saga, steps) for _ in range(sagas)]:
            handle.get_result()
        rate = sagas / (time.perf_counter() - began)
    finally:
        DBOS.destroy()
    return {"sagas_per_second": rate, "latency_ms": asdict(Latency.of(took))}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_main(sys.argv[1], *map(int, sys.argv[2:5]))) + "\n")
