"""Loading the pure half loads no driver (design §3): asked of a fresh interpreter, since this one has loaded them all."""

from __future__ import annotations

import subprocess
import sys

import pytest

DRIVERS = ("confluent_kafka", "psycopg", "sqlalchemy", "httpx2", "fastavro", "structlog")
PROGRAM = """
import importlib, sys
importlib.import_module(sys.argv[1])
print(*sorted({name.partition(".")[0] for name in sys.modules} & set(sys.argv[2:])))
"""


def loaded_by(module: str) -> list[str]:
    ran = subprocess.run([sys.executable, "-c", PROGRAM, module, *DRIVERS], capture_output=True, text=True, check=True)
    return ran.stdout.split()


@pytest.mark.parametrize(
    "module",
    [
        "orchestrator",
        "orchestrator.core.decide",
        "orchestrator.core.effects",
        "orchestrator.core.definition",
        "schemas",
        "schemas.models",
        "sagas.catalogue",
    ],
)
def test_loading_the_pure_half_loads_no_driver(module: str) -> None:
    assert loaded_by(module) == []


def test_a_module_that_needs_a_driver_shows_that_the_question_is_answered() -> None:
    assert "fastavro" in loaded_by("schemas.codec")
