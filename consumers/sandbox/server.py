"""Hosts the systems of one sandbox process, each on a port of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from consumers.sandbox import mail
from consumers.sandbox.business import BUSINESSES
from consumers.sandbox.faults import FaultBook, Plan
from consumers.sandbox.http import HttpSystem, control_app
from consumers.sandbox.ledger import Ledger, LedgerWriter

__all__ = ["CONTROL", "SYSTEMS", "SandboxOptions", "serve"]

CONTROL = "control"
SYSTEMS = (*BUSINESSES, mail.NAME)
# Longer than a client keeps an idle connection, so that it is never we who close one just as a request comes.
_KEEPALIVE_SECONDS = 60
_GRACE_SECONDS = 1


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """What to host. A port that is not in `ports` is chosen by the operating system."""

    systems: Sequence[str]
    folder: Path
    host: str = "127.0.0.1"
    ports: Mapping[str, int] = field(default_factory=dict)
    plan: Plan = field(default_factory=Plan)


async def serve(options: SandboxOptions, stopping: asyncio.Event, ready: Callable[[dict[str, str]], None]) -> None:
    """Host the systems until `stopping` is set; `ready` gets the URL of each, of `control`, and the ledger's path.

    Raises:
        OSError: a port is taken, or the ledger cannot be written.

    """
    path = options.folder / "ledger.jsonl"
    faults = FaultBook(options.plan.faults)
    with contextlib.ExitStack() as stack:
        ledger = stack.enter_context(LedgerWriter(path))
        known = Ledger.read(path)
        names = [*options.systems, CONTROL]
        sockets = {name: stack.enter_context(_bind(options.host, options.ports.get(name, 0))) for name in names}
        servers: dict[str, _Server] = {}
        for name in names:
            if name in BUSINESSES:
                system = HttpSystem(BUSINESSES[name], ledger, faults, stopping)
                system.replay(known)
                system.seed(options.plan.seed.get(name, []))
                servers[name] = _Server(_config(name, system.app(), faults))
            elif name == CONTROL:
                servers[name] = _Server(_config(name, control_app(faults), faults))
        smtp = None
        if mail.NAME in sockets:
            protocol = mail.mail_protocol(ledger, faults, stopping)
            smtp = await asyncio.get_running_loop().create_server(protocol, sock=sockets[mail.NAME])
        urls = {name: _url(name, options.host, sockets[name]) for name in names}
        await _run(servers, sockets, stopping, lambda: ready({**urls, "ledger": str(path)}))
        if smtp is not None:
            smtp.close()


async def _run(
    servers: Mapping[str, _Server],
    sockets: Mapping[str, socket.socket],
    stopping: asyncio.Event,
    ready: Callable[[], None],
) -> None:
    tasks = [asyncio.create_task(server.serve([sockets[name]])) for name, server in servers.items()]
    stop = asyncio.create_task(stopping.wait())
    try:
        while not all(server.started for server in servers.values()):
            if any(task.done() for task in tasks):
                break
            await asyncio.sleep(0.005)
        else:
            ready()
        await asyncio.wait([stop, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.cancel()
        for server in servers.values():
            server.should_exit = True
        await asyncio.gather(*tasks)


class _Server(uvicorn.Server):
    """uvicorn takes the signals for itself; several servers in one process must leave them to us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(name: str, app: Starlette, faults: FaultBook) -> uvicorn.Config:
    class Protocol(H11Protocol):
        """Lets the application cut its connection, and cuts it here where the system is to be down."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as there
            self.app_state = {**self.app_state, "transport": transport}
            super().connection_made(transport)
            if faults.refuses(name):
                transport.abort()

    return uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=_KEEPALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as exc:
        listener.close()
        msg = f"{host}:{port}: {exc.strerror}"
        raise OSError(exc.errno, msg) from exc
    return listener


def _url(name: str, host: str, listener: socket.socket) -> str:
    address: Any = listener.getsockname()
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"{'smtp' if name == mail.NAME else 'http'}://{shown}:{address[1]}"
