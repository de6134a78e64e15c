"""Who is next in a line: fresh work goes before what has waited long, and neither waits for ever. No I/O.

What has waited long is a backlog, such as everything after an outage. While fresh work waits, too, the backlog gets no
more than its share of the turns; the rest is kept for fresh work, which then does not have to wait for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeVar

__all__ = ["Turns"]

T = TypeVar("T")

# Of the turns that were kept for fresh work while there was none, so many are still good when it comes.
_KEPT = 2.0


class Turns:
    """One at a time. Within fresh work and within the backlog it is first come, first served.

    Args:
        late: seconds after which work belongs to the backlog.
        share: of the turns for the backlog while fresh work waits, between 0 and 1.
        clock: monotonic seconds.

    """

    def __init__(self, *, late: float, share: float, clock: Callable[[], float]) -> None:
        self._late = late
        self._share = share
        self._clock = clock
        self._fresh: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._backlog: deque[asyncio.Future[None]] = deque()
        self._taken = False
        self._credit = 1.0

    def locked(self) -> bool:
        """Whether somebody has the turn."""
        return self._taken

    async def acquire(self, born: float) -> None:
        """Wait for one's turn. `born`: when the work came to be, by the clock."""
        if not self._taken:
            self._taken = True
            self._spend(fresh=self._clock() - born < self._late)
            return
        turn = asyncio.get_running_loop().create_future()
        if self._clock() - born < self._late:
            self._fresh.append((born, turn))
        else:
            self._backlog.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()  # it was our turn already
            raise

    def release(self) -> None:
        """Give the turn to the next."""
        self._taken = False
        self._grow_old()
        fresh, backlog = _alive(self._fresh, lambda each: each[1]), _alive(self._backlog, lambda each: each)
        if not fresh and not backlog:
            return
        takes_fresh = fresh and (not backlog or self._credit >= 1)
        turn = self._fresh.popleft()[1] if takes_fresh else self._backlog.popleft()
        self._taken = True
        self._spend(fresh=takes_fresh)
        turn.set_result(None)

    def _spend(self, *, fresh: bool) -> None:
        credit = min(self._credit + 1 - self._share, _KEPT)
        self._credit = max(0.0, credit - 1) if fresh else credit

    def _grow_old(self) -> None:
        """What has waited for long enough joins the backlog, ahead of nobody."""
        now = self._clock()
        while self._fresh and now - self._fresh[0][0] >= self._late:
            self._backlog.append(self._fresh.popleft()[1])


def _alive(line: deque[T], turn: Callable[[T], asyncio.Future[None]]) -> bool:
    """Whether anybody in it still waits; those who gave up are let go."""
    while line and turn(line[0]).done():
        line.popleft()
    return bool(line)
