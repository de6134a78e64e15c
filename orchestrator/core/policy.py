"""Retry policy: when an attempt that was not done goes out again. Pure; jitter comes from a hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.core.errors import DefinitionError

__all__ = ["LONGEST_SECONDS", "Retry"]

# A year; a time that cannot be added to a date would fail each decision of the saga.
LONGEST_SECONDS = 366 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential backoff between attempts of one effect.

    `attempts` counts the first one; `initial` and `maximum` are seconds; `jitter` is the share of the delay that may
    be taken off. Bounded by default: a policy without an end hides a saga that never finishes.
    """

    attempts: int = 5
    initial: float = 0.5
    factor: float = 2.0
    maximum: float = 60.0
    jitter: float = 0.25

    def __post_init__(self) -> None:
        # Written so that NaN fails, too.
        times = 0 <= self.initial <= LONGEST_SECONDS and 0 <= self.maximum <= LONGEST_SECONDS
        if self.attempts < 1 or not times or not self.factor >= 1 or not 0 <= self.jitter <= 1:
            msg = f"retry policy out of range: {self}"
            raise DefinitionError(msg)

    def delay(self, attempt: int, seed: str) -> timedelta:
        """Time between attempt number `attempt` (from 1) and the next.

        The jitter is a hash of `seed`, so that a transition decided twice is the same transition. Same delay for
        the same effect, spread over many effects: what jitter is for.
        """
        # The exponent is bounded: 2.0 ** 5000 overflows, and no cap is that far away.
        full = min(self.maximum, self.initial * self.factor ** min(attempt - 1, 64))
        digest = hashlib.blake2b(f"{seed}/{attempt}".encode(), digest_size=4).digest()
        share = int.from_bytes(digest, "big") / 0xFFFFFFFF
        return timedelta(seconds=full * (1 - self.jitter * share))
