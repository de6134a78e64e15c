"""Two thousand simulated runs, through the command: nothing is lost, nothing is done twice, and it proves something."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

pytestmark = pytest.mark.timeout(1200)

SEEDS = 2000


def test_two_thousand_seeds_end_well(tell: Callable[[str], None]) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "orchestrator.cli.main", "simulate", "--seeds", str(SEEDS), "-o", "json"],
        capture_output=True,
        text=True,
        timeout=1100,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    (found,) = json.loads(ran.stdout)
    assert found["seeds"] == SEEDS
    tell(f"{SEEDS} seeds: {json.dumps(found)[:600]}")
