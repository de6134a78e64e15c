"""Servers for the measurement of calls, which the consumers make: `SAGA_CONSUMERS` names who measures."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from orchestrator import bootstrap
from orchestrator.dev.postgres import EmbeddedPostgres
from orchestrator.dev.process import Command, free_port, port_open, spawn_ready
from orchestrator.settings import Settings, load, load_attribute

__all__ = ["calls"]

_READY_SECONDS = 30.0


def calls(
    settings: Settings, count: int, rate: float, workers: int, folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Measure them; see `measure` of the consumers' bench.

    Raises:
        DevError: a server did not start.

    """
    server, run = load_attribute("SAGA_CONSUMERS", f"{settings.consumers}:bench_calls")()
    with ExitStack() as stack:
        say("PostgreSQL, and a bare HTTP server")
        postgres = stack.enter_context(EmbeddedPostgres(folder / "postgres"))
        bootstrap.migrate(load(database_url=postgres.url))
        port = free_port()
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = Command("the bare server", [sys.executable, "-m", server, str(port)], folder / "server.log", env=env)
        child = spawn_ready(command, lambda _: port_open(port), _READY_SECONDS)
        stack.callback(child.stop)
        found: dict[str, Any] = asyncio.run(
            run(f"http://127.0.0.1:{port}", postgres.url, calls=count, rate=rate, workers=workers, say=say)
        )
    return found
