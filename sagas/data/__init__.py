"""What `saga demo` runs on: vendors, how each of them is to end, and what goes wrong on the way."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from schemas.models import VendorOnboardingRequested

__all__ = ["plan", "requests", "scenario"]


def requests() -> list[VendorOnboardingRequested]:
    """The vendors of `vendors.jsonl`, as new requests: each call's have saga ids of their own."""
    text = files(__name__).joinpath("vendors.jsonl").read_text(encoding="utf-8")
    return [VendorOnboardingRequested.model_validate_json(line) for line in text.splitlines()]


def plan() -> dict[str, Any]:
    """`demo.json`: `expected` (business key to status), and `seed` and `faults` for the sandbox."""
    found: dict[str, Any] = json.loads(files(__name__).joinpath("demo.json").read_text(encoding="utf-8"))
    return found


def scenario(name: str) -> dict[str, Any]:
    """`<name>.json`: the acts of `saga demo --scenario <name>`, in the form of `orchestrator.dev.scenario.Scenario`.

    Raises:
        KeyError: there is no such scenario.

    """
    if name not in _SCENARIOS:
        raise KeyError(name)
    found: dict[str, Any] = json.loads(files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return found


_SCENARIOS = ("failures",)
