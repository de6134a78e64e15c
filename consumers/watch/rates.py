"""How often an action fails lately, against how often it usually does. No I/O; times are seconds of one clock."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

__all__ = ["Baseline", "ErrorRate"]

_WINDOW_SECONDS = 60.0
_BUCKET_SECONDS = 5.0
# Fewer calls say nothing of a rate, lately and usually.
_FEWEST = 20
_FEWEST_BEFORE = 50
# How much more than usual is too much: so much of all calls, and so many standard deviations.
_LEAST_MORE = 0.1
_DEVIATIONS = 4.0
_LOWEST_RATE = 0.01
# What is usual is forgotten over so many calls.
_MEMORY = 5000.0


@dataclass(slots=True)
class Baseline:
    """What is usual: so many calls and errors, the older of them counted for less."""

    calls: float = 0.0
    errors: float = 0.0

    @property
    def rate(self) -> float:
        """Errors of all calls, between 0 and 1."""
        return self.errors / self.calls if self.calls else 0.0

    def add(self, calls: float, errors: float) -> None:
        """So many more."""
        self.calls += calls
        self.errors += errors
        if self.calls > _MEMORY:
            self.errors *= _MEMORY / self.calls
            self.calls = _MEMORY


@dataclass(slots=True)
class _Bucket:
    start: float
    calls: int = 0
    errors: int = 0


class ErrorRate:
    """Of one action. What leaves the window becomes part of the baseline, unless it was too much."""

    def __init__(self, baseline: Baseline | None = None) -> None:
        self.baseline = baseline or Baseline()
        self.fresh = Baseline()
        self.elevated = False
        self._buckets: deque[_Bucket] = deque()

    def count(self, now: float, *, ok: bool) -> None:
        """One call ended."""
        if not self._buckets or now >= self._buckets[-1].start + _BUCKET_SECONDS:
            self._buckets.append(_Bucket(now))
        self._buckets[-1].calls += 1
        self._buckets[-1].errors += not ok

    @property
    def rate(self) -> float:
        """Lately."""
        calls = sum(bucket.calls for bucket in self._buckets)
        return sum(bucket.errors for bucket in self._buckets) / calls if calls else 0.0

    @property
    def calls(self) -> int:
        """Lately."""
        return sum(bucket.calls for bucket in self._buckets)

    def judge(self, now: float) -> bool:
        """Whether it fails more than usual. It stops to do so well below where it began."""
        while self._buckets and self._buckets[0].start <= now - _WINDOW_SECONDS:
            gone = self._buckets.popleft()
            if not self.elevated:
                self.baseline.add(gone.calls, gone.errors)
                self.fresh.add(gone.calls, gone.errors)
        if self.calls < _FEWEST or self.baseline.calls < _FEWEST_BEFORE:
            self.elevated = self.elevated and self.calls > 0 and self.rate > self.baseline.rate + _LEAST_MORE / 2
            return self.elevated
        usual = max(self.baseline.rate, _LOWEST_RATE)
        more = max(_LEAST_MORE, _DEVIATIONS * math.sqrt(usual * (1 - usual) / self.calls))
        self.elevated = self.rate > self.baseline.rate + (more / 2 if self.elevated else more)
        return self.elevated
