"""`saga` and `saga demo` as a user gets them: from the built wheel, in an environment of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def saga(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed console script."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(["uv", "build", "--wheel", "--quiet", "--out-dir", folder, ROOT], check=True)
    (wheel,) = folder.glob("*.whl")
    locked = folder / "requirements.txt"
    export = ["uv", "export", "--locked", "--no-dev", "--no-emit-project", "--no-hashes", "--quiet", "-o", locked]
    subprocess.run(export, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    install = ["uv", "pip", "install", "--quiet", "--python", python, "-r", locked, wheel]
    subprocess.run(install, check=True)
    return folder / "venv" / "bin" / "saga"


@pytest.fixture
def run(saga: Path, tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes of this test, ended should one be left."""
    running: list[subprocess.Popen[str]] = []
    yield running
    for process in running:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


def _start(saga: Path, folder: Path, running: list[subprocess.Popen[str]], *arguments: str) -> subprocess.Popen[str]:
    # Nothing of this checkout: another working directory, and a temporary folder whose content can be counted.
    scratch = folder / "scratch"
    scratch.mkdir()
    env = {n: v for n, v in os.environ.items() if not n.startswith(("SAGA_", "PYTHON"))} | {"TMPDIR": str(scratch)}
    process = subprocess.Popen(
        [saga, *arguments], cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    running.append(process)
    return process


def _left(folder: Path) -> list[str]:
    """Command lines of processes that mention the folder: the stack's data, logs and settings lie in it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if str(folder / "scratch").encode() in line and int(entry.name) != os.getpid():
            found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def _nothing_left(folder: Path) -> None:
    deadline = time.monotonic() + 10  # the guards are the last to go
    while (left := _left(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []
    assert [entry.name for entry in (folder / "scratch").iterdir()] == []


def test_the_demo_ends_well_and_leaves_nothing(saga: Path, run: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    process = _start(saga, tmp_path, run, "demo", "--json")
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    sagas = [json.loads(line) for line in out.splitlines()]
    counts = Counter(saga["status"] for saga in sagas)
    assert len(sagas) >= 50
    assert counts["completed"] >= 30
    assert counts["compensated"] >= 15
    assert counts["review"] == 2
    names = ["erp-vendor", "portal-account", "welcome-email", "approved-supplier"]
    for found in sagas:
        assert [step["name"] for step in found["steps"]] == names
        done = [step["name"] for step in found["steps"] if step["status"] == "done"]
        if found["status"] == "completed":
            assert (done, found["compensations"]) == (names, [])
        elif found["status"] == "compensated":
            assert found["compensations"] == list(reversed(done))
    assert max(len(found["compensations"]) for found in sagas) == 3
    assert max(step["attempts"] for found in sagas for step in found["steps"]) >= 2
    assert "ledger agrees" in err
    _nothing_left(tmp_path)


def test_the_demo_shows_a_completed_and_a_compensated_saga(
    saga: Path, run: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = _start(saga, tmp_path, run, "demo")
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert "vendor-onboarding v1  completed" in out
    assert "vendor-onboarding v1  compensated" in out
    assert "undo erp-vendor: DeactivateVendor to erp.commands" in out
    assert "dead letter in vendor-onboarding.requests.dlq" in out


def test_the_failures_end_as_they_should(saga: Path, run: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    process = _start(saga, tmp_path, run, "demo", "--scenario", "failures", "--json")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    acts = {act["act"]: act for act in map(json.loads, out.splitlines())}
    assert list(acts) == [
        "a compensation", "a compensation that fails", "an outcome that nobody knows", "an outage", "a dead letter",
    ]  # fmt: skip
    assert all(act["well"] and not act["wrong"] for act in acts.values())
    assert acts["an outcome that nobody knows"]["called"] == ["approve", "find_approval"]
    assert len(acts["an outage"]["sagas"]) == 100
    assert len(acts["a dead letter"]["sagas"]) == 2, "a new one, linked to the old"
    assert "the systems' own ledger agrees with every claim" in err
    _nothing_left(tmp_path)


def test_there_is_no_such_scenario(saga: Path, run: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    process = _start(saga, tmp_path, run, "demo", "--scenario", "nonsense")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2, err
    assert "no scenario 'nonsense'" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_interrupted_leaves_nothing(
    saga: Path, run: list[subprocess.Popen[str]], tmp_path: Path, number: signal.Signals
) -> None:
    process = _start(saga, tmp_path, run, "demo")
    assert process.stderr is not None
    for line in process.stderr:
        if "coordinator and consumers" in line:
            break
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode not in (0, None)
    _nothing_left(tmp_path)


def test_a_demo_that_is_killed_leaves_no_process(saga: Path, run: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    process = _start(saga, tmp_path, run, "demo")
    assert process.stderr is not None
    for line in process.stderr:
        if "publishing" in line:
            break
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20
    while (left := _left(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


def test_help_names_every_command(saga: Path, run: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    out, _ = _start(saga, tmp_path, run, "--help").communicate(timeout=60)
    for name in (
        "demo",
        "dev",
        "coordinator",
        "consumer",
        "db",
        "topics",
        "schemas",
        "publish",
        "list",
        "show",
        "doctor",
    ):
        assert f" {name} " in out
