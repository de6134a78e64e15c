"""How often a system is called: one limit for all its workers, kept by the database that they share.

The generic cell rate algorithm (GCRA, ITU-T I.371): the database holds when the next call may go, and a worker that
takes places moves it on. It takes what comes due within a tenth of a second, so that a long line costs few round trips
and what a worker had taken when it was killed is hardly missed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush

from orchestrator.messaging.ports import Sleep

__all__ = ["BURST_SECONDS", "Meter", "Pace", "Place", "Places", "Reserve", "next_after"]

# What may be made up for after a pause, and what a worker takes at once.
BURST_SECONDS = 0.1
_METER_SECONDS = 5.0
_WAIT_STEP = 0.02

Reserve = Callable[[int], Awaitable[float]]


def next_after(
    before: tuple[datetime, float] | None, now: datetime, calls: int, rate: float
) -> tuple[datetime, datetime]:
    """When the first of so many calls may go, and when the next after them; `before` is that time and its rate.

    Under another rate what is taken already stays as many calls, not as many seconds.
    """
    first = now - timedelta(seconds=BURST_SECONDS)
    if before is not None:
        next_at, rate_before = before
        first = max(first, now + (next_at - now) * (rate_before / rate))
    return first, first + timedelta(seconds=calls / rate)


class Places:
    """The places that a worker has taken and not used, as times of its own clock in seconds. No I/O.

    Args:
        rate: calls a second.

    """

    def __init__(self, rate: float) -> None:
        self._gap = 1 / rate
        self.share = max(1, int(rate * BURST_SECONDS))
        self._times: list[float] = []

    def add(self, first: float, count: int) -> None:
        """So many more, the first of them at that time."""
        for number in range(count):
            heappush(self._times, first + number * self._gap)

    def take(self, now: float) -> float | None:
        """Seconds until the next place, 0 where one that is due was taken; None where there is none.

        Of those that are long due one share is left: what was not called then is not made up for later.
        """
        while len(self._times) > self.share and sorted(self._times)[self.share] <= now:
            heappop(self._times)
        if not self._times:
            return None
        wait = self._times[0] - now
        if wait <= 0:
            heappop(self._times)
            return 0.0
        return wait


class Meter:
    """Counts calls, and says how many a second there were lately."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def count(self, now: float) -> None:
        """One call."""
        self._times.append(now)
        self._forget(now)

    def rate(self, now: float) -> float:
        """Calls a second over the last seconds."""
        self._forget(now)
        return len(self._times) / _METER_SECONDS

    def _forget(self, now: float) -> None:
        while self._times and self._times[0] <= now - _METER_SECONDS:
            self._times.popleft()


@dataclass(slots=True)
class Place:
    """Leave for one call. One that was not `called` goes to the next command of this worker."""

    called: bool = False


class Pace:
    """One worker's share of its system's limit.

    Args:
        rate: calls a second of all workers together; None for no limit.
        reserve: takes so many places in the database; seconds until the first, below 0 where that is past.

    """

    def __init__(self, rate: float | None, reserve: Reserve, *, clock: Callable[[], float], sleep: Sleep) -> None:
        self.limit = rate
        self._reserve = reserve
        self._clock = clock
        self._sleep = sleep
        self._places = None if rate is None else Places(rate)
        self._meter = Meter()
        self._again = asyncio.Lock()

    def rate(self) -> float:
        """Calls a second that this worker made lately."""
        return self._meter.rate(self._clock())

    async def take(self, waiting: Callable[[], int], gave_up: Callable[[], bool]) -> Place | None:
        """Wait for a place, one caller at a time; None where `gave_up` came first. `waiting`: how many want one."""
        while not gave_up():
            if self._places is None:
                return Place()
            if self._again.locked():
                # Who holds a claim comes first.
                await self._sleep(_WAIT_STEP)
            elif await self._taken(self._places, waiting()):
                return Place()
        return None

    def leave(self, place: Place) -> None:
        """The command of that place is dealt with."""
        if self._places is None:
            return
        if place.called:
            self._meter.count(self._clock())
        else:
            self._places.add(self._clock(), 1)

    async def again(self) -> None:
        """Wait for a place for a further call under a claim: a retry in place, or what follows a probe."""
        if self._places is None:
            return
        async with self._again:
            while not await self._taken(self._places, 1):
                pass
        self._meter.count(self._clock())

    async def _taken(self, places: Places, wanted: int) -> bool:
        """Take a place that is due; where there is none, come nearer to one."""
        wait = places.take(self._clock())
        if wait is None:
            count = max(1, min(wanted, places.share))
            first = await self._reserve(count)
            places.add(self._clock() + first, count)
        elif wait > 0:
            # In small steps: one may be given back meanwhile, and a stop is heard.
            await self._sleep(min(wait, _WAIT_STEP))
        return wait == 0
