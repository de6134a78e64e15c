"""Servers of protocols that nobody here wrote, out of npm: each one a child of the tests on a free port."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest

from consumers.connectors.breaker import Breaker, BreakerPolicy
from consumers.connectors.guard import Guard, InPlace
from consumers.connectors.http import HttpClient, Timeouts
from consumers.system import Call
from orchestrator.dev.npm import has_npm, node, packages
from orchestrator.dev.process import Command, free_port, port_open, spawn_ready

SERVERS = Path(__file__).with_name("servers")
# Exact versions, all in one folder: its name goes up with any of them.
WANTED = {
    "@sap/cds": "10.1.1",
    "@cap-js/sqlite": "3.1.1",
    "@cap-js-community/odata-v2-adapter": "1.15.10",
    "@apollo/server": "5.0.0",
    "express": "4.21.2",
    "graphql": "16.11.0",
    "soap": "1.13.0",
    "jose": "5.10.0",
}
_START_SECONDS = 120.0


@pytest.fixture(scope="session")
def npm_folder() -> Path:
    """The packages. A machine without npm skips; CI must have it."""
    if not has_npm() and not os.environ.get("CI"):
        pytest.skip("npm is missing: Debian: apt-get install nodejs npm")
    return packages("protocol-servers-2", WANTED)


@pytest.fixture(scope="session")
def start_server(npm_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Start one of `servers/`; its base URL. The file runs in a folder that sees the packages."""
    children = []

    def start(name: str, *, script: str | None = None, **env: str) -> str:
        folder = tmp_path_factory.mktemp(name)
        source = SERVERS / name
        work = folder / "work"
        if source.is_dir():
            shutil.copytree(source, work)
        else:
            work.mkdir()
            shutil.copy(SERVERS / f"{name}.js", work)
            for beside in SERVERS.glob(f"{name}.*"):
                shutil.copy(beside, work)
        (work / "node_modules").symlink_to(npm_folder / "node_modules")
        port = free_port()
        entry = str(npm_folder / "node_modules" / script) if script else str(work / f"{name}.js")
        command = Command(
            name=name,
            argv=[str(node(npm_folder)), entry, *([] if script else [str(port)])],
            log=folder / "server.log",
            cwd=work,
            env={"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "PORT": str(port), **env},
        )
        children.append(spawn_ready(command, lambda _: port_open(port), _START_SECONDS))
        return f"http://127.0.0.1:{port}"

    yield start
    for child in children:
        child.stop()


@pytest.fixture(scope="session")
def graphql_url(start_server: Callable[..., str]) -> str:
    return start_server("graphql")


@pytest.fixture(scope="session")
def cap_url(start_server: Callable[..., str]) -> str:
    """SAP CAP: v4 at /erp, v2 at /odata/v2/erp, both with CSRF tokens."""
    # By the name that the server has for itself in the links that it gives.
    return start_server("cap", script="@sap/cds/bin/serve.js", CSRF="1").replace("127.0.0.1", "localhost")


@pytest.fixture
def call() -> Call:
    async def renew() -> None:
        """The claim is ours."""

    return Call(UUID(int=1), "erp-vendor", "do", 1, "key-1", renew)


@pytest.fixture
def guard() -> Guard:
    """One send, and a breaker that stays closed."""
    return Guard(Breaker(BreakerPolicy(minimum=1000)), InPlace(attempts=1))


@pytest.fixture
def http() -> Callable[..., HttpClient]:
    def make(url: str, read: float = 30) -> HttpClient:
        return HttpClient(url, timeouts=Timeouts(connect=5, read=read, write=5, pool=5), largest_answer=100_000)

    return make


@dataclass
class Wire:
    """A server that answers with bytes: by path a list of them, of which the last one stays."""

    script: dict[str, list[bytes]] = field(default_factory=dict)
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    url: str = ""

    def say(self, path: str, *answers: bytes) -> None:
        self.script[path] = list(answers)

    def asked(self, path: str) -> list[bytes]:
        return [request for at, request in self.requests if at == path]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            size = next(
                (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
            )
            path = head.split(b" ")[1].decode().partition("?")[0]
            self.requests.append((path, head + await reader.readexactly(size)))
            answers = self.script.get(path) or self.script.get("*") or [http_answer(404)]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            head, endless, chunk = answer.partition(ENDLESS)
            writer.write(head)
            while endless and not reader.at_eof():
                writer.write(chunk)
                await writer.drain()
                await asyncio.sleep(0.01)  # the client has its turn, and is heard when it goes
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


ENDLESS = b"--endless--"


def http_answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    named = {"content-type": "application/json", "content-length": str(len(body))}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in named.items()), "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    made = Wire()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield made
    listening.close()
    await listening.wait_closed()


@pytest.fixture
def answer() -> Callable[..., bytes]:
    return http_answer
