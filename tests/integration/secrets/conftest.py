"""Stores of secrets that nobody here wrote, each as its registry has it."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.dev.maven import cached
from orchestrator.dev.process import Command, free_port, port_open, spawn_ready

HERE = Path(__file__).parent
# Built from its source on first use: that takes some minutes.
BUILD_SECONDS = 1500


@dataclass(frozen=True)
class VaultServer:
    url: str
    token: str


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of moto's server."""
    port = free_port()
    argv = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    command = Command("moto", argv, tmp_path_factory.mktemp("moto") / "moto.log", orphan_signal=signal.SIGTERM)
    server = spawn_ready(command, lambda _: port_open(port), 60)
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(scope="session")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultServer]:
    """Vault 1.14 (the last under the MPL), its core and key-value engine, in memory, with `kv` mounted."""
    if os.environ.get("SAGA_TEST_VAULT") != "1":
        pytest.skip("Vault is built from source, which takes minutes: SAGA_TEST_VAULT=1")
    go = shutil.which("go")
    if go is None:
        pytest.fail("Go is missing, and Vault is built with it")
    source = b"".join((HERE / "vaultd" / name).read_bytes() for name in ("go.mod", "go.sum", "main.go"))
    name = f"vault-1.14.0-{hashlib.sha256(source).hexdigest()[:12]}"
    binary = cached(name, lambda into: build(go, into)) / "vaultd"
    folder, port = tmp_path_factory.mktemp("vault"), free_port()
    token = folder / "token"
    command = Command("vault", [str(binary), f"127.0.0.1:{port}", str(token)], folder / "vault.log")
    server = spawn_ready(command, lambda _: token.exists() and port_open(port), 60)
    made = VaultServer(f"http://127.0.0.1:{port}", token.read_text())
    ask = urllib.request.Request(
        f"{made.url}/v1/sys/mounts/kv",
        data=b'{"type": "kv", "options": {"version": "2"}}',
        headers={"x-vault-token": made.token},
    )
    try:
        urllib.request.urlopen(ask, timeout=30).close()
        yield made
    finally:
        server.stop()


def build(go: str, into: Path) -> None:
    source = into / "source"
    shutil.copytree(HERE / "vaultd", source)
    env = {**os.environ, "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}
    argv = [go, "build", "-trimpath", "-o", str(into / "vaultd"), "."]
    subprocess.run(argv, cwd=source, env=env, check=True, timeout=BUILD_SECONDS)
