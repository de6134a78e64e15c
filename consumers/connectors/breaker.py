"""Circuit breaker: stops calling a system that mostly fails, or mostly answers late. Pure: the time is passed in.

    closed ──ratio of failures or slow calls too high──▶ open ──`open_seconds`──▶ half open
      ▲                                                   ▲                          │
      └──────────────the one probe is well────────────────┼──────────────────────────┘
                                                          └──the probe fails or is slow

All times are monotonic seconds. Two ratios, after resilience4j: counting failures in a row misses a system that fails
every other call, and counting failures alone misses one that answers everything after half a minute.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Breaker", "BreakerPolicy", "BreakerState", "Permit"]

_BUCKETS = 10


class BreakerState(StrEnum):
    """closed: calls pass. open: none does. half open: one does, to find out."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When to open, and for how long. Times are seconds, ratios between 0 and 1.

    `minimum` calls must have ended within `window` before a ratio means anything. A call of `slow_seconds` or more is
    slow, however it ended. A probe without a result after `probe_seconds` counts as lost and another one may go.
    """

    window: float = 30.0
    minimum: int = 20
    failure_ratio: float = 0.5
    slow_seconds: float = 5.0
    slow_ratio: float = 0.8
    open_seconds: float = 5.0
    probe_seconds: float = 30.0

    def __post_init__(self) -> None:
        times = (self.window, self.slow_seconds, self.open_seconds, self.probe_seconds)
        ratios = (self.failure_ratio, self.slow_ratio)
        if min(times) <= 0 or self.minimum < 1 or not all(0 < ratio <= 1 for ratio in ratios):
            msg = f"breaker policy out of range: {self}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make one call; give it back with `record` or `forget`."""

    at: float
    generation: int
    probe: bool = False


@dataclass(slots=True)
class _Bucket:
    start: float
    calls: int = 0
    failures: int = 0
    slow: int = 0


class Breaker:
    """One system's breaker. Not thread-safe: it belongs to one event loop."""

    def __init__(self, policy: BreakerPolicy | None = None) -> None:
        self.policy = policy or BreakerPolicy()
        self._buckets: deque[_Bucket] = deque()
        self._opened: float | None = None
        self._probe: Permit | None = None
        # Rises whenever what was measured so far stops to count: results of older permits are ignored.
        self._generation = 0

    def state(self, now: float) -> BreakerState:
        """Where it stands; asking changes nothing."""
        if self._opened is None:
            return BreakerState.CLOSED
        if now < self._opened + self.policy.open_seconds:
            return BreakerState.OPEN
        return BreakerState.HALF_OPEN

    def admit(self, now: float) -> Permit | None:
        """Leave to call, or None. A permit that was given must come back by `record` or `forget`."""
        state = self.state(now)
        if state is BreakerState.CLOSED:
            return Permit(now, self._generation)
        if state is BreakerState.OPEN or self._probing(now):
            return None
        self._generation += 1  # a lost probe that answers after all is too late to decide
        self._probe = Permit(now, self._generation, probe=True)
        return self._probe

    def record(self, permit: Permit, now: float, *, ok: bool) -> None:
        """How the call ended. `ok` says that the system is well, not that it did what was asked."""
        if permit.generation != self._generation:
            return
        slow = now - permit.at >= self.policy.slow_seconds
        if permit.probe:
            self._probe = None
            if ok and not slow:
                self._close()
            else:
                self._open(now)
            return
        bucket = self._bucket(now)
        bucket.calls += 1
        bucket.failures += not ok
        bucket.slow += slow
        if self._too_bad():
            self._open(now)

    def forget(self, permit: Permit) -> None:
        """The call was not made, or says nothing about the system."""
        if permit.probe and permit.generation == self._generation:
            self._probe = None

    def retry_after(self, now: float) -> float:
        """Seconds until it is worth asking again; 0 where a call would be admitted now."""
        state = self.state(now)
        if state is BreakerState.CLOSED:
            return 0.0
        if state is BreakerState.OPEN:
            assert self._opened is not None
            return self._opened + self.policy.open_seconds - now
        if self._probe is None or not self._probing(now):
            return 0.0
        # The probe will usually be back long before it counts as lost.
        return min(self._probe.at + self.policy.probe_seconds - now, self.policy.open_seconds)

    def _probing(self, now: float) -> bool:
        return self._probe is not None and now < self._probe.at + self.policy.probe_seconds

    def _bucket(self, now: float) -> _Bucket:
        while self._buckets and self._buckets[0].start <= now - self.policy.window:
            self._buckets.popleft()
        if not self._buckets or now >= self._buckets[-1].start + self.policy.window / _BUCKETS:
            self._buckets.append(_Bucket(now))
        return self._buckets[-1]

    def _too_bad(self) -> bool:
        calls = sum(bucket.calls for bucket in self._buckets)
        if calls < self.policy.minimum:
            return False
        failures = sum(bucket.failures for bucket in self._buckets)
        slow = sum(bucket.slow for bucket in self._buckets)
        return failures >= self.policy.failure_ratio * calls or slow >= self.policy.slow_ratio * calls

    def _open(self, now: float) -> None:
        self._opened = now
        self._generation += 1
        self._buckets.clear()

    def _close(self) -> None:
        self._opened = None
        self._generation += 1
