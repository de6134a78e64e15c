"""Every planted bug is found: by the simulator within a thousand seeds, or by the test that is named for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from planted import MUTANTS, Mutant  # noqa: E402 - pytest imports by file, so that its folder is not on the path

pytestmark = pytest.mark.timeout(1500)

_ROOT = Path(__file__).parents[2]
_PACKAGES = ("orchestrator", "consumers", "schemas", "sagas", "tests", "pyproject.toml")
_SEEDS = 1000
_SECONDS = 400
_HUNT = f"""
from orchestrator.settings import load, load_attribute
from orchestrator.testing.simulation.plan import Plan
from orchestrator.testing.simulation.runner import undisturbed, play

kit = load_attribute("SAGA_SIMULATION", load().simulation)
with undisturbed():
    for seed in range({_SEEDS}):
        if (found := play(Plan.of(seed), kit)).wrong:
            print("FOUND", seed, found.wrong[0][1])
            break
"""


@dataclass(frozen=True, slots=True)
class Found:
    mutant: Mutant
    by: str | None
    what: str


def _copied(folder: Path) -> dict[str, str]:
    """Copy the sources; the environment in which they are the ones that are run."""
    for name in _PACKAGES:
        source = _ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return {**kept, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}


def _hunt(mutant: Mutant, folder: Path) -> Found:
    environment = _copied(folder)
    file = folder / mutant.file
    text = file.read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1, f"{mutant.name}: what it changes stands {text.count(mutant.old)} times"
    file.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    if mutant.test is None:
        argv = [sys.executable, "-c", _HUNT]
    else:
        argv = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", mutant.test]
    ran = subprocess.run(
        argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    lines = ran.stdout.splitlines()
    if mutant.test is None:
        told = next((line for line in lines if line.startswith("FOUND")), None)
        if told is None:
            return Found(mutant, None, f"{_SEEDS} seeds ended well{ran.stderr[-800:]}")
        _, seed, what = told.split(" ", 2)
        return Found(mutant, f"seed {seed}", what)
    if ran.returncode != 1:
        return Found(mutant, None, f"pytest ended with {ran.returncode}: {''.join(lines[-3:])}")
    failed = next((line for line in lines if line.startswith("FAILED")), "")
    return Found(mutant, mutant.test.rpartition("/")[2], failed.partition(" - ")[2])


def test_the_named_tests_pass_where_nothing_is_planted(tmp_path: Path) -> None:
    named = sorted({mutant.test for mutant in MUTANTS if mutant.test is not None})
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *named]
    ran = subprocess.run(argv, cwd=tmp_path, env=_copied(tmp_path), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-3000:]


def test_every_planted_bug_is_found(tmp_path: Path, tell: Callable[[str], None]) -> None:
    folders = [tmp_path / str(number) for number in range(len(MUTANTS))]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        found = list(pool.map(_hunt, MUTANTS, folders))
    width = max(len(row.mutant.name) for row in found)
    lines = [f"{row.mutant.name:{width}}  {row.by or 'NOBODY':34}  {row.what[:90]}" for row in found]
    tell("\n".join(lines))
    assert len(MUTANTS) >= 20
    assert [row.mutant.name for row in found if row.by is None] == []
