"""What the tests of the dev stack share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]


def _processes() -> dict[int, tuple[int, str]]:
    """Parent and start time of every process: a pid alone may belong to another one a moment later."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            found[int(entry.parent.name)] = (int(fields[1]), fields[19])
    return found


def _below(root: int) -> set[tuple[int, str]]:
    all_of_them = _processes()
    found: set[tuple[int, str]] = set()
    todo = [root]
    while todo:
        parent = todo.pop()
        for pid, (its_parent, started) in all_of_them.items():
            if its_parent == parent:
                found.add((pid, started))
                todo.append(pid)
    return found


@pytest.fixture
def dies_with_its_parent() -> Iterator[Callable[..., int]]:
    """Run a program that starts something and prints a line; SIGKILL it; fail if a process of it is left.

    Gives the number of processes that there were below the program.
    """
    running: list[subprocess.Popen[str]] = []

    def check(program: str, *arguments: str, start: float = 120.0, gone: float = 10.0) -> int:
        argv = [sys.executable, "-c", program, *arguments]
        parent = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=_ROOT, env={**os.environ})
        running.append(parent)
        assert parent.stdout is not None
        deadline = time.monotonic() + start
        while (line := parent.stdout.readline()) != "ready\n":
            assert line, "the program ended before it said that it was ready"
            assert time.monotonic() < deadline
        below = _below(parent.pid)
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + gone
        while left := below & {(pid, started) for pid, (_, started) in _processes().items()}:
            assert time.monotonic() < deadline, f"still there: {left}"
            time.sleep(0.05)
        return len(below)

    yield check
    for parent in running:
        parent.kill()
        parent.communicate()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter; that of pytest is private to root."""
    folder = Path(tempfile.mkdtemp(prefix="saga-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
