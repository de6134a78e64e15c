"""Where something stands in plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["within"]


def within(value: Any, path: str) -> Any:
    """What stands at a path of names and indexes, `a.b.0`.

    Raises:
        LookupError: nothing does. A null on the way is an answer: None.

    """
    for name in path.split("."):
        if value is None:
            return None
        if isinstance(value, Sequence) and not isinstance(value, str) and name.isdigit():
            value = value[int(name)] if int(name) < len(value) else None
        elif isinstance(value, Mapping):
            value = value[name]
        else:
            raise LookupError(path)
    return value
