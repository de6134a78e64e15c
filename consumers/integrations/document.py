"""A YAML file as plain data, with the line of each field.

Less than YAML, so that a file means what it reads as: `no`, `on` and `2024-06-20` are texts (YAML 1.2), a key stands
once, and there are no anchors, aliases, tags or merges.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

__all__ = ["Document", "Place", "Problem", "read_document"]

Place = tuple[str | int, ...]

_LARGEST: Final = 1 << 20
_SCALARS: Final = {"str", "int", "float", "bool", "null"}


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in a file. `line` counts from 1; `field` is empty for the file as a whole."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        """`file:line: field: what is wrong`."""
        where = f"{self.field}: " if self.field else ""
        return f"{self.file}:{self.line}: {where}{self.message}"

    def as_json(self) -> dict[str, Any]:
        """For `-o json`."""
        return {"file": self.file, "line": self.line, "field": self.field, "message": self.message}


@dataclass(slots=True)
class Document:
    """What is in a file. `lines` has the line of each field, by its path from the top."""

    file: str
    data: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def at(self, place: Place, message: str) -> Problem:
        """A mistake at that place, or at the nearest thing above it that is in the file."""
        known = next((place[:n] for n in range(len(place), -1, -1) if place[:n] in self.lines), ())
        return Problem(self.file, self.lines.get(known, 1), ".".join(map(str, place)), message)


class _Loader(yaml.SafeLoader):
    """Knows null, true, false and numbers; everything else without quotes is text."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 - as its base has it


for _tag, _pattern, _first in (
    ("bool", r"^(true|false)$", "tf"),
    ("int", r"^-?(0|[1-9][0-9]*)$", "-0123456789"),
    ("float", r"^-?(0|[1-9][0-9]*)\.[0-9]+$", "-0123456789"),
    ("null", r"^(null|~|)$", ["n", "~", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def read_document(file: str, content: bytes) -> Document:
    """The file's data; mistakes of YAML itself are in `problems`, and `data` is what could be read in spite of them."""
    document = Document(file)
    try:
        if len(content) > _LARGEST:
            msg = f"is larger than {_LARGEST} bytes"
            raise ValueError(msg)
        node = yaml.compose(content.decode(), Loader=_Loader)
        document.data = _Reader(document).read(node, ()) if node is not None else None
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        document.problems.append(Problem(file, line, "", f"is no YAML: {exc.problem or exc.context}"))
    except yaml.YAMLError as exc:
        document.problems.append(Problem(file, 1, "", f"is no YAML: {str(exc).splitlines()[0]}"))
    except UnicodeDecodeError as exc:
        line = content[: exc.start].count(b"\n") + 1
        document.problems.append(Problem(file, line, "", "is no UTF-8"))
    except RecursionError:
        document.problems.append(Problem(file, 1, "", "is nested too deeply"))
    except ValueError as exc:
        document.problems.append(Problem(file, 1, "", str(exc)))
    return document


class _Reader:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._seen: set[int] = set()

    def read(self, node: yaml.Node, place: Place) -> Any:
        self._document.lines.setdefault(place, node.start_mark.line + 1)
        if id(node) in self._seen:
            self._wrong(place, node, "is an alias (*name): write it out")
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(part, (*place, n)) for n, part in enumerate(node.value)]
        return self._scalar(node, place)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._wrong(place, key, "has a key that is no text")
                continue
            at = (*place, key.value)
            if key.value in found:
                self._wrong(at, key, f"stands twice; first in line {self._document.lines[at]}")
                continue
            self._document.lines[at] = key.start_mark.line + 1
            found[key.value] = self.read(value, at)
        return found

    def _scalar(self, node: yaml.Node, place: Place) -> Any:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind not in _SCALARS:
            self._wrong(place, node, f"has a tag, {node.tag}: tags are not used here")
            return None
        text = node.value
        if kind == "bool":
            return text == "true"
        if kind == "int":
            return int(text)
        if kind == "float":
            return float(text)
        return None if kind == "null" else text

    def _wrong(self, place: Place, node: yaml.Node, message: str) -> None:
        field_ = ".".join(map(str, place))
        self._document.problems.append(Problem(self._document.file, node.start_mark.line + 1, field_, message))
