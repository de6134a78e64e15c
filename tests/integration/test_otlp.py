"""Spans leave the process by OpenTelemetry's own variables, and by nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

PROGRAM = """
from opentelemetry import trace
from orchestrator import telemetry
telemetry.configure("a-service")
print(telemetry.enabled())
with trace.get_tracer("t").start_as_current_span("a span"):
    pass
"""


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """The address of a collector, and what it has been sent."""
    received: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    thread.join()
    server.server_close()


def _run(**variables: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    argv = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(argv, check=True, env={**kept, **variables}, text=True, capture_output=True, timeout=60)
    return done.stdout.strip()


def test_the_standard_variable_turns_it_on(collector: tuple[str, list[tuple[str, bytes]]]) -> None:
    address, received = collector
    assert _run(OTEL_EXPORTER_OTLP_ENDPOINT=address) == "True"
    ((path, body),) = received
    assert path == "/v1/traces"
    assert b"a span" in body
    assert b"a-service" in body


def test_it_is_off_by_default_and_where_the_variable_is_empty(collector: tuple[str, list[tuple[str, bytes]]]) -> None:
    address, received = collector
    assert _run() == "False"
    assert _run(OTEL_EXPORTER_OTLP_ENDPOINT="") == "False"
    assert _run(OTEL_EXPORTER_OTLP_ENDPOINT=address, OTEL_SDK_DISABLED="true") == "False"
    assert received == []
