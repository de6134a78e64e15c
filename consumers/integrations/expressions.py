"""JMESPath in integration files: what names an expression asks for, and its value. Templates of mails and paths too."""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from string import Formatter
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID, uuid5

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature
from jmespath.parser import ParsedResult

from consumers.connectors.paths import within

__all__ = ["MappingError", "PathTemplate", "TextTemplate", "Value", "compiled", "names_of", "value_of"]

_PART: Final = re.compile(r"\{([^{}]*)\}")
# Only what is evaluated on the same value as the whole expression can name its top level.
_SAME: Final = frozenset(
    {
        "comparator", "or_expression", "and_expression", "not_expression", "multi_select_list", "multi_select_dict",
        "key_val_pair", "function_expression",
    }
)  # fmt: skip
_ROOTS: Final = frozenset({"current", "identity"})


class _Functions(Functions):
    """JMESPath's own, and what it has none for: four for texts (the last part of a path, dates without dashes), two
    that make our reference for a system that wants a UUID or has few characters for it, and one that filters by a value
    from outside the list, which a filter of its own cannot name.
    """

    @signature({"types": ["string"]}, {"types": ["string"]})
    def _func_split(self, text: str, separator: str) -> list[str]:
        return text.split(separator)

    @signature({"types": ["string"]}, {"types": ["string"]}, {"types": ["string"]})
    def _func_replace(self, text: str, old: str, new: str) -> str:
        return text.replace(old, new)

    @signature({"types": ["string"]})
    def _func_lower(self, text: str) -> str:
        return text.lower()

    @signature({"types": ["string"]})
    def _func_upper(self, text: str) -> str:
        return text.upper()

    @signature({"types": ["string"]}, {"types": ["string"]})
    def _func_uuid5(self, namespace: str, name: str) -> str:
        return str(uuid5(UUID(namespace), name))

    @signature({"types": ["string"]}, {"types": ["number"]})
    def _func_digest(self, text: str, length: int) -> str:
        # Capitals and digits, as SAP folds what is stored: five bits in each character.
        found = b32encode(sha256(text.encode()).digest()).decode()
        if not 10 <= length <= 50:
            msg = "less than 50 bits are not ours alone, and there are no more than 256"
            raise ValueError(msg)
        return found[: int(length)]

    @signature({"types": ["array"]}, {"types": ["string"]}, {"types": []})
    def _func_where(self, items: list[Any], path: str, value: Any) -> list[Any]:
        return [item for item in items if (found := _inside(item, path)) is not None and found == value]


def _inside(item: Any, path: str) -> Any:
    try:
        return within(item, path)
    except LookupError:
        return None


_OPTIONS: Final = jmespath.Options(custom_functions=_Functions())


class MappingError(ValueError):
    """An expression gave no usable value. The message names the expression and never the values."""


def compiled(text: str) -> ParsedResult:
    """The expression.

    Raises:
        ValueError: it is none, or calls a function that there is not, or with the wrong number of arguments.

    """
    try:
        parsed = jmespath.compile(text)
    except (JMESPathError, RecursionError) as exc:
        msg = f"is no JMESPath expression: {str(exc).strip().splitlines()[0] if str(exc) else 'nested too deeply'}"
        raise ValueError(msg) from exc
    for node in _nodes(parsed.parsed):
        if node["type"] == "function_expression":
            _check_function(node)
    return parsed


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for child in node["children"]:
        if isinstance(child, Mapping):  # those of a slice are numbers
            yield from _nodes(child)


def _check_function(node: Mapping[str, Any]) -> None:
    known = _Functions.FUNCTION_TABLE.get(node["value"])
    if known is None:
        msg = f"there is no function {node['value']}()"
        raise ValueError(msg)
    wanted, given = known["signature"], len(node["children"])
    variadic = bool(wanted) and wanted[-1].get("variadic", False)
    if given < len(wanted) or (given > len(wanted) and not variadic):
        msg = f"{node['value']}() takes {len(wanted)} arguments, not {given}"
        raise ValueError(msg)


def names_of(expression: ParsedResult) -> set[str]:
    """What the expression names at its top level."""
    return set(_names(expression.parsed))


def _names(node: Mapping[str, Any]) -> Iterator[str]:
    kind, children = node["type"], node["children"]
    if kind == "field":
        yield node["value"]
    elif kind in _SAME:
        for child in children:
            yield from _names(child)
    elif children and kind != "expref":
        yield from _names(children[0])
        if kind in {"subexpression", "pipe", "index_expression"} and children[0]["type"] in _ROOTS:
            yield from _names(children[1])


def value_of(expression: ParsedResult, context: Mapping[str, Any]) -> Any:
    """The value; None where what it names is not there.

    Raises:
        MappingError: a function was given something of a wrong type.

    """
    try:
        return expression.search(context, _OPTIONS)
    except (JMESPathError, TypeError, ValueError, KeyError, ArithmeticError, RecursionError) as exc:
        msg = f"{expression.expression}: {type(exc).__name__}"
        raise MappingError(msg) from exc


@dataclass(frozen=True, slots=True)
class Value:
    """A tree of objects and arrays with an expression at each string; other scalars are constants."""

    shape: Any

    @classmethod
    def of(cls, shape: Any) -> Value:
        """Compile every string of it.

        Raises:
            ValueError: as `compiled`.

        """
        return cls(_compile(shape))

    def evaluate(self, context: Mapping[str, Any], *, nulls: bool) -> Any:
        """The tree with its values. Without `nulls`, what is null is left out of objects and arrays.

        Raises:
            MappingError: see `value_of`.

        """
        return _evaluate(self.shape, context, nulls=nulls)


def _compile(shape: Any) -> Any:
    if isinstance(shape, str):
        return compiled(shape)
    if isinstance(shape, Mapping):
        return {name: _compile(part) for name, part in shape.items()}
    if isinstance(shape, list):
        return [_compile(part) for part in shape]
    return shape


def _evaluate(shape: Any, context: Mapping[str, Any], *, nulls: bool) -> Any:
    if isinstance(shape, ParsedResult):
        return value_of(shape, context)
    if isinstance(shape, dict):
        found = {name: _evaluate(part, context, nulls=nulls) for name, part in shape.items()}
        return found if nulls else {name: value for name, value in found.items() if value is not None}
    if isinstance(shape, list):
        return [v for v in (_evaluate(part, context, nulls=nulls) for part in shape) if nulls or v is not None]
    return shape


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A path with {expression} in places of parts."""

    parts: tuple[str | ParsedResult, ...]

    @classmethod
    def of(cls, text: str) -> PathTemplate:
        """Read it.

        Raises:
            ValueError: a brace without a partner, or an expression that is none.

        """
        pieces = _PART.split(text)
        if any("{" in piece or "}" in piece for piece in pieces[::2]):
            msg = "has a brace without a partner, or braces within braces"
            raise ValueError(msg)
        if any(mark in piece for piece in pieces[::2] for mark in "?# "):
            msg = "has a query or a space: use `query`"
            raise ValueError(msg)
        return cls(tuple(compiled(p) if n % 2 else p for n, p in enumerate(pieces)))

    @property
    def expressions(self) -> list[ParsedResult]:
        """Those in it."""
        return [part for part in self.parts if isinstance(part, ParsedResult)]

    def evaluate(self, context: Mapping[str, Any]) -> str:
        """The path, each value percent-encoded.

        Raises:
            MappingError: a value is missing, empty, no scalar, or `.` or `..`: the path would name another thing.

        """
        return "".join(part if isinstance(part, str) else _encoded(part, context) for part in self.parts)


def _encoded(expression: ParsedResult, context: Mapping[str, Any]) -> str:
    value = value_of(expression, context)
    if isinstance(value, bool) or not isinstance(value, str | int):
        msg = f"{expression.expression}: gives no text for the path"
        raise MappingError(msg)
    if str(value) in {"", ".", ".."}:
        msg = f"{expression.expression}: is empty or dots, and the path would name another thing"
        raise MappingError(msg)
    return quote(str(value), safe="")


@dataclass(frozen=True, slots=True)
class TextTemplate:
    """A text with {field}; `{{` and `}}` are braces. A value's own braces mean nothing."""

    parts: tuple[tuple[str, str | None], ...]

    @classmethod
    def of(cls, text: str) -> TextTemplate:
        """Read it.

        Raises:
            ValueError: a brace without a partner, or something in braces that is no name.

        """
        try:
            parsed = list(Formatter().parse(text))
        except ValueError as exc:
            msg = f"is no template: {exc}"
            raise ValueError(msg) from exc
        for _, name, format_, conversion in parsed:
            if name is not None and (format_ or conversion or not re.fullmatch(r"[a-z][a-z0-9_]*", name)):
                msg = f"{{{name}}} is no field: only names stand in braces"
                raise ValueError(msg)
        return cls(tuple((literal, name) for literal, name, _, _ in parsed))

    @property
    def names(self) -> Iterable[str]:
        """The fields in it."""
        return [name for _, name in self.parts if name is not None]

    def evaluate(self, context: Mapping[str, Any]) -> str:
        """The text.

        Raises:
            MappingError: a field is missing.

        """
        return "".join(literal + self._field(name, context) for literal, name in self.parts)

    @staticmethod
    def _field(name: str | None, context: Mapping[str, Any]) -> str:
        if name is None:
            return ""
        value = context.get(name)
        if value is None or isinstance(value, dict | list):
            msg = f"{{{name}}}: gives no text"
            raise MappingError(msg)
        return str(value)
