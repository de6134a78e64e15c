"""The shape of answers: paths and JSON types, and never a value. No I/O.

A path names fields from the outside in, with `[]` for the members of a list, which are taken together: `items[]/id`.
Names that look like data (of a map by e-mail address or number, or one of very many) are one path, `*`. A null says as
little as an absence: both are optional.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

__all__ = ["ENOUGH", "Change", "Learned", "Shape", "shape_of"]

# Path and type; a path may have several.
Shape = frozenset[tuple[str, str]]
# A field that was added to an answer, that is missing, or that has another type: `appeared GET/items[]/id`.
Change = str

# So many good answers are learned from before one can differ.
ENOUGH = 20
_DEEPEST = 8
_MOST_NAMES = 60
_MOST_PATHS = 1000
_MOST_MEMBERS = 50
_NAME = re.compile(r"[@$#]?[A-Za-z_][A-Za-z_.:$-]*[0-9]{0,3}[A-Za-z_.:-]*\Z")
_LONGEST_NAME = 64
_TYPES: Mapping[type, str] = {
    dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number", Decimal: "number",
}  # fmt: skip


def shape_of(root: str, value: Any) -> Shape:
    """Of one answer. `root` is what the answer as a whole is called."""
    found: set[tuple[str, str]] = set()
    _walk(root, value, 0, found)
    return frozenset(found)


def _walk(path: str, value: Any, depth: int, found: set[tuple[str, str]]) -> None:
    if value is None or len(found) >= _MOST_PATHS:
        return
    found.add((path, _TYPES.get(type(value), "other")))
    if depth >= _DEEPEST:
        return
    if isinstance(value, dict):
        many = len(value) > _MOST_NAMES
        for name, inner in value.items():
            _walk(f"{path}/{'*' if many else _told(name)}", inner, depth + 1, found)
    elif isinstance(value, list):
        for inner in value[:_MOST_MEMBERS]:
            _walk(f"{path}[]", inner, depth + 1, found)


@lru_cache(maxsize=10_000)
def _told(name: object) -> str:
    """The name, where it is one that a programmer would give a field."""
    return name if isinstance(name, str) and len(name) <= _LONGEST_NAME and _NAME.match(name) else "*"


@dataclass(slots=True)
class Learned:
    """What answers of one action look like: how often each path was there, and with which types.

    Learned by several workers at once: counts add up and types are joined, in whatever order.
    """

    samples: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    types: dict[str, set[str]] = field(default_factory=dict)

    @property
    def enough(self) -> bool:
        """Whether an answer can differ from it."""
        return self.samples >= ENOUGH

    def learn(self, shape: Shape) -> None:
        """One more good answer."""
        self.samples += 1
        for path in {path for path, _ in shape}:
            self.seen[path] = self.seen.get(path, 0) + 1
        for path, kind in shape:
            self.types.setdefault(path, set()).add(kind)

    def join(self, other: Learned) -> Learned:
        """What both know."""
        joined = Learned(self.samples + other.samples, dict(self.seen), {p: set(k) for p, k in self.types.items()})
        for path, count in other.seen.items():
            joined.seen[path] = joined.seen.get(path, 0) + count
        for path, kinds in other.types.items():
            joined.types.setdefault(path, set()).update(kinds)
        return joined

    def changes(self, shape: Shape) -> list[Change]:
        """How an answer differs, the outermost fields only: what is inside a new field is new, too."""
        return sorted(self._changes(shape))

    def _changes(self, shape: Shape) -> Iterator[Change]:
        paths = {path for path, _ in shape}
        for path in paths - self.seen.keys():
            if _parent(path) in self.seen:
                yield f"appeared {path}"
        for path in {path for path, kind in shape if path in self.types and kind not in self.types[path]}:
            yield f"changed type {path}"
        for path, count in self.seen.items():
            # Required is what was there whenever its parent was.
            parent = _parent(path)
            if path not in paths and parent in paths and count == self.seen.get(parent):
                yield f"vanished {path}"

    def as_json(self) -> dict[str, Any]:
        """For the database."""
        return {
            "samples": self.samples,
            "fields": {path: [count, *sorted(self.types[path])] for path, count in self.seen.items()},
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Learned:
        """From the database."""
        fields = data["fields"]
        seen, types = {p: each[0] for p, each in fields.items()}, {p: set(each[1:]) for p, each in fields.items()}
        return cls(data["samples"], seen, types)


def _parent(path: str) -> str:
    return path[:-2] if path.endswith("[]") else path.rpartition("/")[0]
