"""Spans and metrics leave the process by OpenTelemetry's own variables, and by nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

PROGRAM = """
from opentelemetry import metrics, trace
from orchestrator import telemetry
counter = metrics.get_meter("t").create_counter("a.counter")
telemetry.configure("a-service")
print(telemetry.enabled())
with trace.get_tracer("t").start_as_current_span("a span"):
    counter.add(1)
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
    sent = dict(received)
    assert sorted(sent) == ["/v1/metrics", "/v1/traces"]
    assert b"a span" in sent["/v1/traces"]
    assert b"a.counter" in sent["/v1/metrics"]
    assert all(b"a-service" in body for body in sent.values())


@pytest.mark.parametrize(
    ("variable", "off", "path"),
    [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_X", "/v1/traces"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_X", "/v1/metrics"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_METRICS_EXPORTER", "/v1/traces"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_EXPORTER", "/v1/metrics"),
    ],
)
def test_each_signal_has_its_own_switch(
    collector: tuple[str, list[tuple[str, bytes]]], variable: str, off: str, path: str
) -> None:
    address, received = collector
    _run(**{variable: address if variable.endswith("OTLP_ENDPOINT") else address + path, off: "none"})
    assert {sent for sent, _ in received} == {path}


def test_it_is_off_by_default_and_where_the_variable_is_empty(collector: tuple[str, list[tuple[str, bytes]]]) -> None:
    address, received = collector
    assert _run() == "False"
    assert _run(OTEL_EXPORTER_OTLP_ENDPOINT="") == "False"
    assert _run(OTEL_EXPORTER_OTLP_ENDPOINT=address, OTEL_SDK_DISABLED="true") == "False"
    assert received == []


CALLING = """
import asyncio, sys
from uuid import UUID
from consumers.connectors.rest import RestClient, Timeouts
from consumers.errors import Unknown
from consumers.system import Call
from orchestrator import telemetry

async def renew(): ...

async def main():
    telemetry.configure("a-service")
    async with RestClient(sys.argv[1], timeouts=Timeouts(5, 5, 5, 5)) as client:
        try:
            await client.request("POST", "/secret-path", call=Call(UUID(int=1), "s", "do", 1, "k", renew), keyed=False)
        except Unknown as exc:
            print(exc.code)
asyncio.run(main())
"""


def test_a_call_to_a_system_is_timed_by_the_conventions_for_http(
    collector: tuple[str, list[tuple[str, bytes]]],
) -> None:
    address, received = collector
    argv = [sys.executable, "-c", CALLING, address]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    kept["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"] = f"{address}/v1/metrics"
    done = subprocess.run(argv, check=True, env=kept, text=True, capture_output=True, timeout=60)
    assert done.stdout.strip() == "BAD_RESPONSE"  # the collector answers with nothing
    body = dict(received)["/v1/metrics"]
    names = (b"http.client.request.duration", b"http.request.method", b"http.response.status_code", b"BAD_RESPONSE")
    assert all(name in body for name in names)
    assert b"secret-path" not in body
