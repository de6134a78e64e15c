"""What happened in a run, in order: as a hash that must be the same twice, and as a story for people."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Line", "Trace"]


@dataclass(frozen=True, slots=True)
class Line:
    """One event: when, in seconds of the run, of which saga, and what."""

    at: float
    saga: str
    text: str


class Trace:
    """Collects events; keeps the words only where somebody wants to read them."""

    def __init__(self, *, keep: bool) -> None:
        self._hash = hashlib.blake2b(digest_size=8)
        self._keep = keep
        self._lines: list[Line] = []

    def tell(self, at: float, saga: str, text: str) -> None:
        """Something happened."""
        self._hash.update(f"{at:.6f} {saga} {text}\n".encode())
        if self._keep:
            self._lines.append(Line(at, saga, text))

    def digest(self) -> str:
        """The hash of everything so far."""
        return self._hash.hexdigest()

    def story(self, sagas: Sequence[str]) -> list[str]:
        """What happened to those sagas, and to everybody, in words."""
        return [
            f"{line.at:9.3f} s  {line.saga[-8:]:8}  {line.text}"
            for line in self._lines
            if not line.saga or not sagas or line.saga in sagas
        ]
