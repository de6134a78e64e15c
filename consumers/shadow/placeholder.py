"""Made-up outputs: valid for their contract, always the same for one effect, and to be known by people as made up.

Texts begin with `shadow-` where the contract lets them, dates are in 1970, and booleans are False: nothing was there
to be found or undone.
"""

from __future__ import annotations

import enum
import hashlib
import importlib
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

from annotated_types import MaxLen, MinLen
from pydantic import AwareDatetime, ValidationError

from schemas.models import Record

__all__ = ["NoPlaceholder", "placeholder"]

R = TypeVar("R", bound=Record)
_TRIES = 60
_LONGEST_REPEAT = 12
# The parser of the standard library, which has no public name: its trees are those of `re` itself.
_PARSER: Final = importlib.import_module("re._parser")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_. @:/"
_CATEGORIES: Final[Mapping[str, str]] = {
    "CATEGORY_DIGIT": "0123456789",
    "CATEGORY_WORD": _ALPHABET[:62],
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_DIGIT": _ALPHABET[:26],
    "CATEGORY_NOT_WORD": "-",
    "CATEGORY_NOT_SPACE": _ALPHABET[:62],
}


class NoPlaceholder(ValueError):
    """A contract for which nothing can be made up; the message names its fields."""


class _Dice:
    """Numbers that look thrown and follow from a text."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._count = 0

    def below(self, limit: int) -> int:
        """From 0 to below `limit`."""
        self._count += 1
        digest = hashlib.blake2b(f"{self._seed}\x00{self._count}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) % limit


@dataclass(frozen=True, slots=True)
class _Limits:
    """What a contract says of one value."""

    least: int = 0
    most: int | None = None
    pattern: str | None = None
    digits: int | None = None
    places: int | None = None

    @classmethod
    def of(cls, metadata: Sequence[Any]) -> _Limits:
        found: dict[str, Any] = {}
        for item in metadata:
            if isinstance(item, MinLen):
                found["least"] = item.min_length
            elif isinstance(item, MaxLen):
                found["most"] = item.max_length
            for name, field in (("pattern", "pattern"), ("max_digits", "digits"), ("decimal_places", "places")):
                if (value := getattr(item, name, None)) is not None:
                    found[field] = value
        return cls(**found)

    def fits(self, text: str) -> bool:
        """Whether the contract takes it."""
        long_enough = self.least <= len(text) <= (len(text) if self.most is None else self.most)
        return long_enough and (self.pattern is None or re.search(self.pattern, text) is not None)


def placeholder(model: type[R], key: str) -> R:
    """A record of that type for the effect with that idempotency key.

    Raises:
        NoPlaceholder: a field's pattern and lengths are not solved.

    """
    try:
        return model.model_validate(_fields(model, key))
    except ValidationError as exc:
        fields = sorted({".".join(map(str, error["loc"])) for error in exc.errors()})
        msg = f"nothing can be made up for {model.__name__}: {', '.join(fields)}"
        raise NoPlaceholder(msg) from exc


def _fields(model: type[Record], key: str) -> dict[str, Any]:
    return {
        name: _value(info.annotation, _Limits.of(info.metadata), f"{key}/{name}")
        for name, info in model.model_fields.items()
    }


def _value(annotation: Any, limits: _Limits, key: str) -> Any:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        known: list[Any] = []
        for item in arguments[1:]:
            known += getattr(item, "metadata", None) or [item]
        return _value(arguments[0], _Limits.of(known) if known else limits, key)
    if origin in (typing.Union, types.UnionType):
        return _value(next(a for a in arguments if a is not type(None)), limits, key)
    if origin is typing.Literal:
        return arguments[0]
    if origin in (list, tuple):
        return [_value(arguments[0], _Limits(), f"{key}/{n}") for n in range(max(1, limits.least))]
    if origin is dict:
        return {"shadow": _value(arguments[1], _Limits(), f"{key}/shadow")}
    return _plain(annotation, limits, key)


def _plain(kind: Any, limits: _Limits, key: str) -> Any:
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        members = list(kind)
        return members[_Dice(key).below(len(members))]
    if isinstance(kind, type) and issubclass(kind, Record):
        return _fields(kind, key)
    make = _MAKERS.get(kind)
    return None if make is None else make(limits, key)


def _text(limits: _Limits, key: str) -> str:
    mark = hashlib.blake2b(key.encode(), digest_size=6).hexdigest()
    known = f"shadow-{mark}"
    candidates = [
        known.ljust(limits.least, "0"), known.upper(), known.replace("-", ""), f"{known}@shadow.example",
        f"https://shadow.example/{known}", mark[: limits.most],
    ]  # fmt: skip
    if found := next((text for text in candidates if limits.fits(text)), None):
        return found
    if limits.pattern is None:
        return known[: limits.most]
    dice, tree = _Dice(key), _PARSER.parse(limits.pattern)
    for most in range(_TRIES):
        text = _matching(tree, dice, most % _LONGEST_REPEAT)
        if limits.fits(text):
            return text
    return known


def _matching(tree: Any, dice: _Dice, more: int) -> str:
    """A text for a pattern, whose repeats are `more` than they have to be."""
    return "".join(_piece(str(operation), value, dice, more) for operation, value in tree)


def _piece(operation: str, value: Any, dice: _Dice, more: int) -> str:
    match operation:
        case "LITERAL":
            return chr(value)
        case "NOT_LITERAL":
            return next(c for c in _ALPHABET if ord(c) != value)
        case "ANY":
            return _ALPHABET[dice.below(36)]
        case "IN":
            return _one_of(value, dice)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inner = value
            return "".join(_matching(inner, dice, more) for _ in range(min(int(most), int(least) + more)))
        case "SUBPATTERN":
            return _matching(value[-1], dice, more)
        case "BRANCH":
            branches = value[1]
            return _matching(branches[dice.below(len(branches))], dice, more)
        case _:
            return ""  # an anchor, or a look around: whether it holds is tried on the whole


def _one_of(members: Sequence[tuple[Any, Any]], dice: _Dice) -> str:
    negated = str(members[0][0]) == "NEGATE"
    named: list[str] = []
    for operation, value in members[1:] if negated else members:
        match str(operation):
            case "LITERAL":
                named.append(chr(value))
            case "RANGE":
                named += [chr(code) for code in range(value[0], min(value[1], value[0] + 255) + 1)]
            case "CATEGORY":
                named += _CATEGORIES.get(str(value), "")
    if negated:
        named = [c for c in _ALPHABET if c not in named]
    return named[dice.below(len(named))] if named else ""


def _number(key: str) -> int:
    return _Dice(key).below(1_000_000_000) + 1


def _decimal(limits: _Limits, key: str) -> Decimal:
    places = limits.places or 0
    digits = min(limits.digits or 6, 6)
    return Decimal(_Dice(key).below(10**digits)).scaleb(-places)


def _moment(key: str) -> datetime:
    return _EPOCH + timedelta(seconds=_Dice(key).below(365 * 86_400))


_MAKERS: Final[Mapping[Any, Callable[[_Limits, str], Any]]] = {
    str: _text,
    bool: lambda *_: False,
    int: lambda _, key: _number(key),
    float: lambda _, key: float(_number(key)),
    Decimal: _decimal,
    bytes: lambda limits, key: _text(limits, key).encode(),
    UUID: lambda _, key: UUID(bytes=hashlib.blake2b(key.encode(), digest_size=16).digest(), version=4),
    datetime: lambda _, key: _moment(key),
    AwareDatetime: lambda _, key: _moment(key),
    date: lambda _, key: _moment(key).date(),
    time: lambda *_: time(0),
}
