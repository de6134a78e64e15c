"""Ready files against sandboxes, with Prism in between: it refuses each request, and each answer of the sandbox, that
the vendor's description does not allow. The descriptions beside this file hold the facts of the vendors' own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from consumers.catalogue import ready
from consumers.integrations.build import Integration
from consumers.integrations.spec import IntegrationSpec
from consumers.system import SystemConfig
from orchestrator.dev.npm import has_npm, node, packages
from orchestrator.dev.process import Command, free_port, port_open, spawn_ready

from .vendor import Bearer, Tried, Vendor

HERE = Path(__file__).parent
PRISM = "5.16.0"
Prism = Callable[[str], tuple[str, int]]
Trying = Callable[..., "asynccontextmanager[Tried]"]


@pytest.fixture(scope="session")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prism]:
    """Prism before the sandbox of a vendor: its URL, and the port where it looks for the sandbox."""
    if not has_npm() and not os.environ.get("CI"):
        pytest.skip("npm is missing: Debian: apt-get install nodejs npm")
    folder = packages(f"prism-{PRISM}", {"@stoplight/prism-cli": PRISM})
    children, known = [], {}

    def start(name: str) -> tuple[str, int]:
        if name not in known:
            port, sandbox = free_port(), free_port()
            program = folder / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
            argv = [str(node(folder)), str(program), "proxy", str(HERE / f"{name}.openapi.yaml")]
            argv += [f"http://127.0.0.1:{sandbox}", "--errors", "-h", "127.0.0.1", "-p", str(port)]
            command = Command(f"prism-{name}", argv, log=tmp_path_factory.mktemp(name) / "prism.log")
            children.append(spawn_ready(command, lambda _: port_open(port), 60))
            known[name] = f"http://127.0.0.1:{port}", sandbox
        return known[name]

    yield start
    for child in children:
        child.stop()


@pytest.fixture
def trying(prism: Prism) -> Callable[..., object]:
    """A ready file, its vendor's sandbox, and Prism between them."""

    @asynccontextmanager
    async def trying(name: str, vendor: Vendor, spec: IntegrationSpec | None = None) -> AsyncIterator[Tried]:
        url, port = prism(name)
        listening = await asyncio.start_server(vendor.serve, "127.0.0.1", port)
        given = spec or ready()[name]
        by_token = given.auth is not None and given.auth.type in ("oauth2_client_credentials", "jwt_bearer")
        made = Integration(given, lambda auth, system: Bearer()) if by_token else Integration(given)
        system = made(SystemConfig(url))
        async with system.lifespan():
            yield Tried.of(system, vendor)
        listening.close()
        await listening.wait_closed()

    return trying
