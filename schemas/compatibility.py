"""Checks the contracts against their committed history, offline (design §4).

python -m schemas.compatibility
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from schemas.catalogue import history, load

__all__ = ["Problem", "check", "compatible"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a contract. `version` is the released one it is wrong with, None for none."""

    record: str
    version: int | None
    message: str

    def as_json(self) -> dict[str, Any]:
        """For `-o json`."""
        return asdict(self)


def check(
    current: Mapping[str, Mapping[str, Any]] | None = None,
    released: Mapping[str, Mapping[int, Mapping[str, Any]]] | None = None,
) -> list[Problem]:
    """Every current schema against every released version of itself; the committed ones unless given.

    Requests must read what older agents wrote. Commands and completions must also be readable by older code, since
    sagas outlive deploys.
    """
    current = load() if current is None else current
    released = history() if released is None else released
    problems = [
        Problem(name, None, "was released and is gone; sagas that began with it can no longer be read")
        for name in released
        if name not in current
    ]
    for name, schema in current.items():
        versions = released.get(name, {})
        if not versions or versions[max(versions)] != schema:
            problems.append(Problem(name, None, "differs from its last release: python -m schemas.generate --release"))
        both = schema["kind"] != "request"
        for number, old in versions.items():
            problems += [Problem(name, number, f"cannot read version {number}: {e}") for e in compatible(schema, old)]
            if both:
                found = compatible(old, schema)
                problems += [Problem(name, number, f"version {number} cannot read it: {e}") for e in found]
    return problems


def compatible(reader: Mapping[str, Any], writer: Mapping[str, Any]) -> list[str]:
    """Why `reader` cannot read what `writer` wrote; empty where it can."""
    # Imported here: only this check needs Apache Avro, and nothing that runs sagas does.
    from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType  # noqa: PLC0415
    from avro.schema import parse  # noqa: PLC0415

    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
    result = checker.get_compatibility(parse(json.dumps(reader)), parse(json.dumps(writer)))
    if result.compatibility is SchemaCompatibilityType.compatible:
        return []
    return sorted(result.messages) or ["incompatible"]


if __name__ == "__main__":
    found = check()
    for problem in found:
        print(f"{problem.record}: {problem.message}")
    sys.exit(1 if found else 0)
