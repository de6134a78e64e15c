"""Where commands wait, unclaimed: while their system is away, and for their place among its calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType

from consumers import metrics
from consumers.pace import Pace, Place
from consumers.system import System
from consumers.turns import Turns
from orchestrator.messaging.ports import Sleep

__all__ = ["Gate", "Line"]

_WAIT_STEP = 0.25


class Gate:
    """One worker's gate to its system."""

    def __init__(self, system: System, *, sleep: Sleep, draining: Callable[[], bool]) -> None:
        self._system = system
        self._sleep = sleep
        self._draining = draining
        self._probe = asyncio.Lock()

    def away(self) -> bool:
        """Whether the system is taken for away."""
        return self._system.gate() is not None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        """Free while the system is called. While it is away commands wait here, unclaimed, and burn no attempt.

        One at a time, the oldest first, finds out whether it is back; it is told so by True.
        """
        while self.away() and not self._draining():
            async with self._probe:
                while (wait := self._system.gate()) is not None and wait > 0 and not self._draining():
                    await self._sleep(min(wait, _WAIT_STEP))
                if wait is not None and not self._draining():
                    yield True
                    return
        yield False


class _Turn:
    """A turn at a system. Nearly always there is nobody in line and it costs next to nothing."""

    __slots__ = ("_line", "_queued", "_waited")

    def __init__(self, line: Line, waited: float) -> None:
        self._line = line
        self._waited = waited
        self._queued: AbstractAsyncContextManager[Place] | None = None

    async def __aenter__(self) -> Place:
        place = await self._line.enter()
        if place is None:
            self._queued = self._line.queue(self._waited)
            place = await self._queued.__aenter__()
        return place

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if self._queued is not None:
            return await self._queued.__aexit__(kind, exc, trace)
        self._line.leave()
        return None


class Line:
    """The line before a system: past its gate, to one of its places at once, at its pace.

    Oldest first, but fresh work is not held up by a backlog; see `Turns` for `late` and `share`.
    """

    def __init__(
        self,
        system: System,
        gate: Gate,
        pace: Pace,
        *,
        clock: Callable[[], float],
        draining: Callable[[], bool],
        late: float,
        share: float,
    ) -> None:
        self._facts = {"system": system.name}
        self._gate = gate
        self._pace = pace
        self._clock = clock
        self._draining = draining
        self._room = asyncio.Semaphore(system.concurrency)
        self._head = Turns(late=late, share=share, clock=clock)
        self._since: dict[object, float] = {}

    def oldest(self) -> float | None:
        """How long the oldest has waited, in seconds; None where nobody waits."""
        since = next(iter(self._since.values()), None)
        return None if since is None else self._clock() - since

    def turn(self, waited: float) -> _Turn:
        """Wait for one's turn. A stop ends the wait, so look whether it came.

        `waited`: how old the work is that waits, in seconds.
        """
        return _Turn(self, waited)

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[Place]:
        """Beside the line, for what calls no system."""
        yield Place()

    async def enter(self) -> Place | None:
        """Take a place at once; None where somebody waits or has to."""
        if self._head.locked() or self._room.locked() or self._pace.limit is not None or self._gate.away():
            return None
        await self._room.acquire()
        return Place()

    def leave(self) -> None:
        """Give back what `enter` took."""
        self._room.release()

    @asynccontextmanager
    async def queue(self, waited: float) -> AsyncIterator[Place]:
        """Stand in line."""
        me = object()
        self._since[me] = self._clock()
        born = self._since[me] - waited
        try:
            while True:
                async with self._gate.turn() as tries:
                    place = await self._place(born, self._draining if tries else self._stop_or_away)
                    if place is None and not self._draining():
                        continue  # back to the gate, which has closed meanwhile
                    since = self._since.pop(me)
                    metrics.rate_wait.record(self._clock() - since, self._facts)
                    try:
                        yield place or Place()
                    finally:
                        if place is not None:
                            self._room.release()
                            self._pace.leave(place)
                    return
        finally:
            self._since.pop(me, None)

    async def _place(self, born: float, gave_up: Callable[[], bool]) -> Place | None:
        """Hold one of the system's places at once, at its pace; None, and nothing held, where `gave_up` came first."""
        await self._head.acquire(born)
        try:
            await self._room.acquire()
            place = None
            try:
                place = await self._pace.take(self._waiting, gave_up)
            finally:
                if place is None:
                    self._room.release()
            return place
        finally:
            self._head.release()

    def _waiting(self) -> int:
        return len(self._since)

    def _stop_or_away(self) -> bool:
        return self._draining() or self._gate.away()
