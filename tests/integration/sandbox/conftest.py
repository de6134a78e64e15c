"""The sandbox as a process of its own, and calls as handlers get them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from consumers.sandbox.ledger import Ledger
from consumers.system import Call
from orchestrator.dev.process import ChildProcess, Command, spawn_ready


class Sandbox:
    """One sandbox process. Starting it again on the same folder is a restart."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self._arguments = arguments
        self._output = folder / "urls.json"
        self.start()

    def start(self) -> None:
        argv = [sys.executable, "-m", "consumers.sandbox", "--folder", str(self.folder), *self._arguments]
        command = Command("the sandbox", argv, log=self.folder / "sandbox.log", output=self._output)
        self.child: ChildProcess = spawn_ready(command, lambda _: self._output.read_bytes().endswith(b"\n"), 60)
        self.urls: Mapping[str, str] = json.loads(self._output.read_text())

    def fault(self, system: str, fault: str, **rule: Any) -> None:
        """From now on."""
        added = httpx2.post(f"{self.urls['control']}/_sandbox/faults", json={"system": system, "fault": fault, **rule})
        assert added.status_code == 201, added.text

    def heal(self) -> None:
        """No fault any more."""
        assert httpx2.delete(f"{self.urls['control']}/_sandbox/faults").status_code == 204

    def faults(self) -> Any:
        return httpx2.get(f"{self.urls['control']}/_sandbox/faults").json()

    def ledger(self) -> Ledger:
        return Ledger.read(self.folder / "ledger.jsonl")

    def lines(self, key: str) -> list[str]:
        """`call` or `applied` for each line of that key."""
        return [line.kind for line in self.ledger().select(key=key)]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path_factory.mktemp("sandbox"))
    yield made
    made.child.stop()


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    """All systems, without faults. Its state is the module's: use names of your own."""
    running.heal()
    return running


@pytest.fixture
def start_sandbox(tmp_path: Path) -> Iterator[Callable[..., Sandbox]]:
    """A sandbox of the test's own, which it may kill."""
    made: list[Sandbox] = []

    def start(*arguments: str) -> Sandbox:
        made.append(Sandbox(tmp_path, *arguments))
        return made[-1]

    yield start
    for sandbox in made:
        sandbox.child.stop()


async def _renewed() -> None:
    """The claim is ours."""


@pytest.fixture
def make_call() -> Callable[..., Call]:
    """A call of a saga of its own, with a key of its own."""

    def make(saga: UUID | None = None, key: str | None = None, direction: str = "do") -> Call:
        saga = saga or uuid4()
        return Call(saga, "step", direction, 1, key or f"{saga}/{direction}/{uuid4()}", _renewed)

    return make


@pytest.fixture
def call(make_call: Callable[..., Call]) -> Call:
    return make_call()


@pytest.fixture
def vendor() -> dict[str, Any]:
    """What creates a vendor that nobody else has."""
    number = uuid4().int % 10**9
    return {
        "vendor_name": "Müller",
        "vendor_type": "SUPPLIER",
        "tax_id": f"DE{number:09d}",
        "payment_terms": "NET_30",
        "primary_contact_email": f"ada{number}@example.com",
    }
