"""Values as fields of a form (`application/x-www-form-urlencoded`), nested ones in brackets as Stripe names them.

{"amount": 5, "metadata": {"saga": "S"}, "items": [{"price": "P"}], "live": True}
amount=5  metadata[saga]=S  items[0][price]=P  live=true
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["flat"]


def flat(fields: Mapping[str, Any]) -> dict[str, str]:
    """The fields of the form. None is left out; an empty text, list or mapping is an empty field, which unsets it.

    Raises:
        ValueError: a name has a bracket: it would be read as another field.

    """
    found: dict[str, str] = {}
    for name, value in fields.items():
        _put(found, _name(name), value)
    return found


def _put(found: dict[str, str], name: str, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, Mapping) and value:
        for inner, one in value.items():
            _put(found, f"{name}[{_name(inner)}]", one)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes) and value:
        for at, one in enumerate(value):
            _put(found, f"{name}[{at}]", one)
    elif isinstance(value, bool):
        found[name] = "true" if value else "false"
    else:
        found[name] = str(value) if value or value == 0 else ""


def _name(name: Any) -> str:
    text = str(name)
    if not text or "[" in text or "]" in text:
        msg = f"{text!r} is no name of a field"
        raise ValueError(msg)
    return text
