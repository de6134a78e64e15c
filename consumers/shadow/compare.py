"""What we would have done, beside what the existing process did. Pure.

The two are matched by a key of the business. Several of one key are matched in their order; what has no partner was
done by one side alone. What we did and undid again is as if we had never done it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from uuid import UUID

from consumers.integrations.expressions import compiled, value_of
from consumers.integrations.spec import CompareSpec
from orchestrator.redaction import redacted, redacted_text

__all__ = ["BadComparison", "Finding", "Recorded", "Result", "Rule", "compared", "matched"]


class BadComparison(ValueError):
    """Nothing could be compared: the message says what is missing."""


class Result(StrEnum):
    """How the two sides compare."""

    AGREES = "agrees"
    DIFFERS = "differs"
    ONLY_OURS = "only-ours"
    ONLY_THEIRS = "only-theirs"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A do that was recorded. `undone`: so was its undo."""

    saga_id: UUID
    step: str
    round: int
    command: Mapping[str, Any]
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One comparison. `fields` are those that differ, each with both values, redacted."""

    result: Result
    key: str
    ours: Recorded | None = None
    fields: Mapping[str, Sequence[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """By what things are known, and what of them is compared.

    Attributes:
        key: JMESPath over the command.
        theirs: JMESPath over what the existing process has.
        fields: of the command, each with a JMESPath over theirs; without any, those that both sides have.

    """

    key: str
    theirs: str
    fields: Mapping[str, str]

    @classmethod
    def of(cls, spec: CompareSpec | None, key: str | None = None) -> Rule:
        """That of the integration file; `key` is where a file's rows have theirs.

        Raises:
            BadComparison: neither says a key.

        """
        ours = spec.key if spec else key
        if ours is None:
            msg = "by which key? The action has no `compare` in its file, so say --key FIELD"
            raise BadComparison(msg)
        theirs = key or (spec.theirs if spec and spec.theirs else ours)
        return cls(ours, theirs, dict(spec.fields) if spec else {})

    def key_of(self, command: Mapping[str, Any]) -> str:
        """Of what we would have done."""
        return _text(value_of(compiled(self.key), command))

    def key_of_theirs(self, row: Mapping[str, Any]) -> str:
        """Of what the existing process did; empty where it has none."""
        return _text(value_of(compiled(self.theirs), row))


def compared(rule: Rule, ours: Recorded, theirs: Mapping[str, Any] | None) -> Finding:
    """One of ours and, if there is one, its partner.

    Raises:
        BadComparison: the two have no field in common.
        MappingError: an expression gives no value.

    """
    key = redacted_text(rule.key_of(ours.command))
    if ours.undone or theirs is None:
        agrees = ours.undone and theirs is None
        alone = Result.ONLY_THEIRS if ours.undone else Result.ONLY_OURS
        return Finding(Result.AGREES if agrees else alone, key, ours)
    fields = rule.fields or {name: f'"{name}"' for name in ours.command if name in theirs}
    if not fields:
        msg = f"the command and what the existing process has share no field; its fields are {', '.join(theirs)[:200]}"
        raise BadComparison(msg)
    values = {name: (ours.command.get(name), value_of(compiled(at), theirs)) for name, at in fields.items()}
    wrong = {name: pair for name, pair in values.items() if not _same(*pair)}
    mine, other = (redacted({name: pair[side] for name, pair in wrong.items()}) for side in (0, 1))
    shown = {name: [mine[name], other[name]] for name in wrong}
    return Finding(Result.DIFFERS if wrong else Result.AGREES, key, ours, shown)


def matched(rule: Rule, ours: Iterable[Recorded], rows: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """All of ours and all rows of a file.

    Raises:
        BadComparison: no row has the key, or see `compared`.

    """
    theirs: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    read = 0
    for row in rows:
        read += 1
        if key := rule.key_of_theirs(row):
            theirs[key].append(row)
    if read and not theirs:
        msg = f"none of the {read} rows has a value for {rule.theirs}"
        raise BadComparison(msg)
    found = []
    # What was not undone comes first: a row is the partner of what is still there.
    for recorded in sorted(ours, key=lambda one: one.undone):
        partners = theirs[rule.key_of(recorded.command)]
        found.append(compared(rule, recorded, partners.pop(0) if partners else None))
    left = Counter({key: len(partners) for key, partners in theirs.items() if partners})
    return found + [Finding(Result.ONLY_THEIRS, redacted_text(key)) for key in left.elements()]


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value).strip()


def _same(ours: Any, theirs: Any) -> bool:
    """Whether two values mean the same: a file has nothing but text, and numbers and times have many forms."""
    if isinstance(ours, dict | list) or isinstance(theirs, dict | list):
        return bool(ours == theirs)
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return _text(ours).lower() == _text(theirs).lower()
    one, other = _text(ours), _text(theirs)
    if one == other:
        return True
    number, time = _number(one), _time(one)
    return (number is not None and number == _number(other)) or (time is not None and time == _time(other))


def _number(text: str) -> Decimal | None:
    """None also for what only looks like one: an id keeps its leading zeros."""
    digits = text.removeprefix("-")
    if digits[:1] == "0" and digits[1:2].isdigit():
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
