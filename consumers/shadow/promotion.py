"""Whether what was recorded agrees well enough with what the existing process did. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Promotion", "weighed"]


@dataclass(frozen=True, slots=True)
class Promotion:
    """What is to become `to`. It may where nothing is `missing`; then `change` says what to write where."""

    system: str
    action: str | None
    to: str
    missing: Sequence[str]
    change: str
    figures: Sequence[Mapping[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """For `-o json`."""
        return {
            "system": self.system,
            "action": self.action,
            "to": self.to,
            "allowed": not self.missing,
            "missing": list(self.missing),
            "change": None if self.missing else self.change,
        }


def weighed(
    actions: Sequence[str], report: Mapping[str, Mapping[str, Any]], *, threshold: float, minimum: int
) -> list[str]:
    """What is missing, a line each; nothing where every action has been compared often enough and agrees."""
    missing = [] if actions else ["nothing was recorded"]
    for action in actions:
        row = report.get(action)
        if row is None or not row["recorded"]:
            missing.append(f"{action}: nothing was recorded")
            continue
        if row["compared"] < minimum:
            missing.append(f"{action}: {row['compared']} compared, {minimum} are needed")
        agreement = row["agreement"]
        if agreement is not None and agreement < threshold:
            fields = ", ".join(f"{name} {times} times" for name, times in list(row["fields"].items())[:3])
            alone = f"only ours {row['only_ours']} times, only theirs {row['only_theirs']} times"
            missing.append(
                f"{action}: {agreement:.2%} agree, {threshold:.2%} are needed; {alone}"
                + (f"; they differ in {fields}" if fields else "")
            )
    return missing
