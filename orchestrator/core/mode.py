"""How much of a system's work is really done: `live`, `shadow` (only recorded), or `canary N %`. Pure.

A mode is the share of sagas that are live, in per cent, so that of two the most careful one is the lower. Which sagas
those are follows from their ids alone: every step of a saga, in every system, by every worker, falls on the same side.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from uuid import UUID

from msgspec import Struct

__all__ = ["LIVE", "Mode", "careful"]

_CANARY = re.compile(r"canary +(\d{1,3}(?:\.\d{1,2})?) *%?")
_ALL = 100.0
_PLACES = 10_000


class Mode(Struct, frozen=True, order=True):
    """`percent` of the sagas are live: 0 is shadow, 100 is live."""

    percent: float

    @classmethod
    def of(cls, text: str) -> Mode:
        """Read it.

        Raises:
            ValueError: it is none.

        """
        if text == "live":
            return LIVE
        if text == "shadow":
            return cls(0.0)
        found = _CANARY.fullmatch(text)
        percent = float(found[1]) if found else -1.0
        if not 0 < percent < _ALL:
            msg = f"{text!r} is no mode: shadow, canary N % (N over 0 and below 100), or live"
            raise ValueError(msg)
        return cls(percent)

    def __str__(self) -> str:
        if self.percent >= _ALL:
            return "live"
        return "shadow" if self.percent <= 0 else f"canary {self.percent:g} %"

    def shadows(self, saga_id: UUID) -> bool:
        """Whether the effects of that saga are only recorded."""
        return self.percent < _ALL and _place(saga_id) >= self.percent


LIVE = Mode(_ALL)


def careful(modes: Iterable[Mode]) -> Mode:
    """The most careful of them; live where there are none."""
    return min(modes, default=LIVE)


def _place(saga_id: UUID) -> float:
    """Where a saga stands among all, from 0 to below 100: the same everywhere, and even over any stretch of ids."""
    digest = hashlib.blake2b(saga_id.bytes, digest_size=8, person=b"saga-canary").digest()
    return int.from_bytes(digest) % _PLACES * _ALL / _PLACES
