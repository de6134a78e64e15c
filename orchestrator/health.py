"""Is this process alive, and can it work now: two HTTP addresses for whoever supervises it.

GET /live     200 while the process answers at all
GET /ready    200 when every part of it can work; 503 with the reasons when one cannot
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from orchestrator.settings import BadSettings

__all__ = ["Probe", "serving"]

Probe = Callable[[], str | None]
"""Why a part cannot work now; None where it can."""


@contextmanager
def serving(address: str | None, probes: Mapping[str, Probe]) -> Iterator[None]:
    """Answer on `host:port` inside the block; do nothing where there is no address.

    Raises:
        BadSettings: the address cannot be listened on.

    """
    if address is None:
        yield
        return
    host, _, port = address.rpartition(":")
    try:
        server = ThreadingHTTPServer((host.strip("[]"), int(port)), _handler(probes))
    except OSError as exc:
        msg = f"SAGA_HEALTH_ADDRESS: {address}: {exc.strerror or exc}"
        raise BadSettings(msg) from exc
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(probes: Mapping[str, Probe]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/live":
                self._answer(200, {"status": "alive"})
            elif self.path == "/ready":
                reasons = {name: why for name, probe in probes.items() if (why := probe()) is not None}
                status = "not ready" if reasons else "ready"
                self._answer(503 if reasons else 200, {"status": status, "reasons": reasons})
            else:
                self._answer(404, {"status": "no such address", "have": ["/live", "/ready"]})

        def _answer(self, status: int, body: Mapping[str, object]) -> None:
            data = json.dumps(body).encode() + b"\n"
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing: a probe every few seconds is no news."""

    return Handler
