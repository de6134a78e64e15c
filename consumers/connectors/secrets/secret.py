"""A secret value that shows itself to nobody who does not ask by name."""

from __future__ import annotations

import hmac
from typing import Any, NoReturn, final

__all__ = ["Secret"]


@final
class Secret:
    """A value, and the version of it that its store names. Only `reveal` gives the value.

    Text, repr, formatting and logs show the version alone; it cannot be pickled or turned into JSON.
    """

    __slots__ = ("_value", "version")

    def __init__(self, value: str, version: str) -> None:
        self._value = value
        self.version = version

    def reveal(self) -> str:
        """The value, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret(version={self.version!r})"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return self.version == other.version and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self.version)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        msg = "a secret is not written anywhere"
        raise TypeError(msg)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self
