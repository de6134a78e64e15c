"""The cache of fetched programs, used by several processes at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_FILL = """
import sys, time
from pathlib import Path
from orchestrator.dev.maven import cached

def fill(into):
    with open(sys.argv[1], "a") as file:
        file.write("filled\\n")
    (into / "a").touch()
    time.sleep(0.5)
    (into / "b").touch()

assert sorted(p.name for p in cached("thing-1", fill).iterdir()) == ["a", "b"]
"""


def test_one_fills_it_and_the_others_wait(tmp_path: Path) -> None:
    count = tmp_path / "count"
    argv = [sys.executable, "-c", _FILL, str(count)]
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(Path(__file__).parents[3])}
    running = [subprocess.Popen(argv, env=env) for _ in range(3)]
    assert [p.wait(30) for p in running] == [0, 0, 0]
    assert count.read_text() == "filled\n"
