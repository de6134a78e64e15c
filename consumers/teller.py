"""What a worker says of its system on `saga.systems`: coordinators then take the silence of its steps for what it is.

Said again and again while it holds, since silence means that all is well.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from consumers import metrics
from consumers.command import Replies
from consumers.gate import Gate, Line
from consumers.pace import Pace
from orchestrator.messaging.errors import BrokerUnavailable
from orchestrator.messaging.ports import Ids, Outbox
from schemas.errors import RegistryUnavailable

__all__ = ["Teller"]

log = structlog.get_logger(__name__)

# A line this long is told; it counts as short again only well below, or every turn would tell another tale.
_LONG_SECONDS = 3.0
_SHORT_SECONDS = 1.0


class Teller:
    """Tells for one worker. `every` is how often the same is said again, in seconds."""

    def __init__(
        self,
        system: str,
        replies: Replies,
        outbox: Outbox,
        *,
        gate: Gate,
        line: Line,
        pace: Pace,
        ids: Ids,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        every: float,
    ) -> None:
        self._system = system
        self._replies = replies
        self._outbox = outbox
        self._gate = gate
        self._line = line
        self._pace = pace
        self._ids = ids
        self._clock = clock
        self._now = now
        self._every = every
        self._worker = str(ids.token())
        self._reason = ""
        self._since = now()
        self._said_at = clock()

    async def tell(self) -> None:
        """Say that the system is away, or that commands wait for their turn by its limit, and that it is over.

        Not patient: it is said again soon.
        """
        metrics.breaker_open.set(int(self._gate.away()), {"system": self._system})
        oldest = self._line.oldest()
        reason, before = self._why(oldest), self._reason
        # A limit is told of while there is something to show for it.
        telling = bool(reason) or (self._pace.limit is not None and oldest is not None and oldest >= _SHORT_SECONDS)
        if reason == before and (not telling or self._clock() - self._said_at < self._every):
            return
        since = self._since if reason == before else self._now()
        try:
            message = self._replies.state(
                str(self._ids.token()),
                reason=reason,
                since=since,
                worker=self._worker,
                limit=self._pace.limit,
                rate=None if self._pace.limit is None else self._pace.rate(),
                now=self._now(),
            )
            await self._outbox.send([message])
        except (BrokerUnavailable, RegistryUnavailable) as exc:
            log.warning("consumer.not_told", reason=reason, error=f"{type(exc).__name__}: {exc}")
            return
        if reason != before:
            self._log(reason, before)
        self._reason, self._since, self._said_at = reason, since, self._clock()

    def _why(self, oldest: float | None) -> str:
        """Why steps of this system need more time: breaker, pace, or nothing."""
        if self._gate.away():
            return "breaker"
        long = _SHORT_SECONDS if self._reason == "pace" else _LONG_SECONDS
        return "pace" if self._pace.limit is not None and oldest is not None and oldest >= long else ""

    def _log(self, reason: str, before: str) -> None:
        if reason == "breaker":
            log.warning("consumer.system_away", system=self._system)
        elif before == "breaker":
            log.warning("consumer.system_back", system=self._system)
        else:
            log.info("consumer.line_long" if reason else "consumer.line_short", system=self._system)
