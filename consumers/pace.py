"""How often a system is called: limits for all its workers, kept by the database that they share (`consumers.limit`).

A worker takes what comes due within a tenth of a second, so that a long line costs few round trips and what a worker
had taken when it was killed is hardly missed. What an answer says of the limits goes to the database with the next
places that are taken, so that all workers slow down.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf

from consumers.limit import BURST_SECONDS, Advice, Granted, Limit, Want
from orchestrator.messaging.ports import Sleep

__all__ = ["Meter", "Pace", "Place", "Places", "Reserve"]

_METER_SECONDS = 5.0
_WAIT_STEP = 0.02
# Of a system without a limit of ours, while it says that it has one.
_UNLIMITED = 1e5
# Advice that differs by less from what holds is not worth a write.
_SAME = 0.1

Reserve = Callable[[Sequence[Want], int], Awaitable[Granted]]


class Places:
    """The places that a worker has taken and not used, as times of its own clock in seconds. No I/O.

    `share` is how many it takes at once, by the rate in calls a second.
    """

    def __init__(self) -> None:
        self.share = 1
        self._times: list[float] = []

    def paced(self, rate: float) -> None:
        """That many calls a second are allowed now."""
        self.share = max(1, int(min(rate, _UNLIMITED) * BURST_SECONDS))

    def add(self, first: float, count: int, gap: float) -> None:
        """So many more, the first of them at that time, and so many seconds from one to the next."""
        for number in range(count):
            heappush(self._times, first + number * gap)

    def clear(self) -> None:
        """None of them is good any more."""
        self._times.clear()

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
    """One worker's share of the limits of its system.

    Args:
        system: its name.
        limits: that of the system, then that of its credential, where there are any.
        reserve: takes so many places in the database; with none it only writes down what was told.

    """

    def __init__(
        self, system: str, limits: Sequence[Limit], reserve: Reserve, *, clock: Callable[[], float], sleep: Sleep
    ) -> None:
        self._limits = tuple(limits)
        self._of_the_system = Limit(system, _UNLIMITED)
        self._reserve = reserve
        self._clock = clock
        self._sleep = sleep
        self._places = Places()
        self._meter = Meter()
        self._again = asyncio.Lock()
        self._told = Advice(inf, 0.0)
        self._told_until = -inf
        self._unsaid = False

    @property
    def limit(self) -> float | None:
        """Calls a second that may be made now; None without a limit, 0 in a pause that the system asked for."""
        rates = [limit.rate for limit in self._limits]
        if self._clock() < self._told_until:
            rates.append(self._told.rate)
        return min(rates, default=None)

    def rate(self) -> float:
        """Calls a second that this worker made lately."""
        return self._meter.rate(self._clock())

    def heed(self, advice: Advice) -> None:
        """An answer says that much of the limits. What allows more than ours do changes nothing."""
        if advice.rate >= min((limit.rate for limit in self._limits), default=inf):
            return
        now = self._clock()
        until, told = now + advice.seconds, self._told
        if now < self._told_until:
            if told.rate == 0 and (advice.rate > 0 or until <= self._told_until + _SAME):
                return
            if advice.rate > 0 and abs(advice.rate - told.rate) <= _SAME * told.rate:
                return
        self._told, self._told_until, self._unsaid = advice, until, True
        if advice.rate == 0:
            self._places.clear()

    async def pass_on(self, reserve: Reserve) -> None:
        """Write down what was told and not written yet: the other workers should know it, too."""
        if self._unsaid:
            await self._ask(reserve, 0)

    async def take(self, waiting: Callable[[], int], gave_up: Callable[[], bool]) -> Place | None:
        """Wait for a place, one caller at a time; None where `gave_up` came first. `waiting`: how many want one."""
        while not gave_up():
            if self.limit is None:
                return Place()
            if self._again.locked():
                # Who holds a claim comes first.
                await self._sleep(_WAIT_STEP)
            elif await self._taken(waiting()):
                return Place()
        return None

    def leave(self, place: Place) -> None:
        """The command of that place is dealt with."""
        limit = self.limit
        if limit is None:
            return
        if place.called:
            self._meter.count(self._clock())
        elif limit > 0:
            self._places.add(self._clock(), 1, 0.0)

    async def again(self) -> None:
        """Wait for a place for a further call under a claim: a retry in place, or what follows a probe."""
        if self.limit is None:
            return
        async with self._again:
            while self.limit is not None and not await self._taken(1):
                pass
        self._meter.count(self._clock())

    async def _taken(self, wanted: int) -> bool:
        """Take a place that is due; where there is none, come nearer to one."""
        wait = self._places.take(self._clock())
        if wait is None:
            count = max(1, min(wanted, self._places.share))
            given = await self._ask(self._reserve, count)
            self._places.add(self._clock() + given.first, count, given.gap)
            # Without advice of its own this worker learns here how far apart places are.
            self._places.paced(min(self.limit or 0.0, 1 / given.gap if given.gap > 0 else inf))
        elif wait > 0:
            # In small steps: one may be given back meanwhile, and a stop is heard.
            await self._sleep(min(wait, _WAIT_STEP))
        return wait == 0

    async def _ask(self, reserve: Reserve, calls: int) -> Granted:
        """What a system says is said of the credential by which we called it, where that has a limit."""
        told = None
        if self._unsaid and (left := self._told_until - self._clock()) > 0:
            told = Advice(self._told.rate, left)
        *others, last = self._limits or (self._of_the_system,)
        said, self._unsaid = self._unsaid, False
        try:
            return await reserve([*map(Want, others), Want(last, told)], calls)
        except BaseException:
            self._unsaid = said
            raise
