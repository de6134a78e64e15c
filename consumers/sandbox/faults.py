"""Faults on order: rules that make a sandbox system misbehave for the calls they match."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

__all__ = ["BadRule", "Fault", "FaultBook", "FaultRule", "Plan"]


class BadRule(Exception):
    """The fault rules cannot be used; the message says which and why."""


class Fault(StrEnum):
    """What goes wrong.

    error: refused with `status` and, where `code` is given, an error body; nothing is done.
    slow: done, after `seconds`.
    late_answer: done, and answered after `seconds`.
    hang: held for `seconds`, then cut; nothing is done.
    rate_limit: 429 with `retry_after`; nothing is done.
    drop_answer: done, then cut without an answer.
    down: cut at accept; with `action` or `match`, cut when the request has been read. Nothing is done.
    """

    ERROR = "error"
    SLOW = "slow"
    LATE_ANSWER = "late_answer"
    HANG = "hang"
    RATE_LIMIT = "rate_limit"
    DROP_ANSWER = "drop_answer"
    DOWN = "down"


class FaultRule(BaseModel):
    """One rule. Without `action` it holds for all, without `match` for every value; `times` None means for ever.

    `match` compares fields of the body or query, as text. `seconds` are for slow, late_answer and hang; `retry_after`
    is what the header says, seconds or an HTTP date.
    """

    model_config = ConfigDict(extra="forbid")

    system: str
    action: str | None = None
    match: dict[str, str] = Field(default_factory=dict)
    fault: Fault
    code: str | None = None
    status: int | None = Field(default=None, ge=400, le=599)
    seconds: float | None = Field(default=None, ge=0)
    retry_after: float | str | None = None
    times: int | None = Field(default=None, ge=1)

    @property
    def at_accept(self) -> bool:
        """Whether it needs to know nothing of the request."""
        return self.fault is Fault.DOWN and self.action is None and not self.match

    def fits(self, system: str, action: str | None, fields: Mapping[str, Any]) -> bool:
        """Whether it is about this call; `action` is None where it cannot be known yet."""
        return (
            self.system == system
            and (self.action is None or self.action == action)
            and all(name in fields and str(fields[name]) == value for name, value in self.match.items())
        )


class Plan(BaseModel):
    """A file for `--faults`: rules, and what the systems know beforehand, as bodies of their creating requests."""

    model_config = ConfigDict(extra="ignore")

    faults: list[FaultRule] = Field(default_factory=list)
    seed: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a plan; a bare list is its rules.

        Raises:
            BadRule: it cannot be read or is none.

        """
        try:
            data = json.loads(path.read_bytes())
            return cls.model_validate({"faults": data} if isinstance(data, list) else data)
        except (OSError, ValueError) as exc:
            msg = f"{path}: {exc}"
            raise BadRule(msg) from exc


class FaultBook:
    """The rules of one sandbox process. They live in memory: a restart begins with those of `--faults` again."""

    def __init__(self, rules: Sequence[FaultRule] = ()) -> None:
        self._rules: list[FaultRule] = []
        self._left: list[int | None] = []
        self.add(rules)

    def add(self, rules: Sequence[FaultRule]) -> None:
        """Append rules; the first that fits a call is taken."""
        self._rules += rules
        self._left += [rule.times for rule in rules]

    def add_json(self, data: Any) -> int:
        """Append one rule or a list of them as JSON; how many.

        Raises:
            BadRule: one of them is none; nothing was added.

        """
        try:
            rules = [FaultRule.model_validate(rule) for rule in (data if isinstance(data, list) else [data])]
        except ValidationError as exc:
            raise BadRule(str(exc)) from exc
        self.add(rules)
        return len(rules)

    def clear(self, system: str | None = None) -> None:
        """Drop the rules of one system, or all."""
        kept = [
            (rule, left)
            for rule, left in zip(self._rules, self._left, strict=True)
            if system is not None and rule.system != system
        ]
        self._rules = [rule for rule, _ in kept]
        self._left = [left for _, left in kept]

    def show(self) -> list[dict[str, Any]]:
        """The rules with `left`: how often each will still strike, None for ever."""
        return [
            rule.model_dump(mode="json", exclude_none=True) | {"left": left}
            for rule, left in zip(self._rules, self._left, strict=True)
        ]

    def take(
        self, system: str, action: str | None, fields: Mapping[str, Any], *, codes: Collection[str] | None = None
    ) -> FaultRule | None:
        """The fault that strikes this call, if any; it counts as one of its times. `codes` leaves only those errors."""
        for index, rule in enumerate(self._rules):
            if rule.at_accept or (codes is not None and rule.code not in codes):
                continue
            if rule.fits(system, action, fields) and self._strike(index):
                return rule
        return None

    def refuses(self, system: str) -> bool:
        """Whether a new connection is to be cut at once; counts."""
        return any(
            rule.at_accept and rule.system == system and self._strike(index) for index, rule in enumerate(self._rules)
        )

    def _strike(self, index: int) -> bool:
        left = self._left[index]
        if left is None:
            return True
        self._left[index] = max(left - 1, 0)
        return left > 0
