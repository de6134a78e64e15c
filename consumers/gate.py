"""What a worker does while its system is away: commands wait, one tries whether it is back, and others are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import structlog

from consumers.command import Replies
from consumers.system import System
from orchestrator.messaging.errors import BrokerUnavailable
from orchestrator.messaging.ports import Ids, Outbox, Sleep
from schemas.errors import RegistryUnavailable

__all__ = ["Gate"]

log = structlog.get_logger(__name__)

_WAIT_STEP = 0.25


class Gate:
    """One worker's gate to its system. `tell` is how often an outage is said again, in seconds."""

    def __init__(
        self,
        system: System,
        replies: Replies,
        outbox: Outbox,
        *,
        ids: Ids,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        sleep: Sleep,
        draining: Callable[[], bool],
        tell: float,
    ) -> None:
        self._system = system
        self._replies = replies
        self._outbox = outbox
        self._ids = ids
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._draining = draining
        self._tell = tell
        self._worker = str(ids.token())
        self._probe = asyncio.Lock()
        self._away: datetime | None = None
        self._said_at = clock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Free while the system is called. While it is away commands wait here, unclaimed, and burn no attempt.

        One at a time, the oldest first, finds out whether it is back.
        """
        while self._system.gate() is not None and not self._draining():
            async with self._probe:
                while (wait := self._system.gate()) is not None and wait > 0 and not self._draining():
                    await self._sleep(min(wait, _WAIT_STEP))
                if wait is not None and not self._draining():
                    yield
                    return
        yield

    async def tell(self) -> None:
        """Say on `saga.systems` that the system is away, again and again while it is, and that it is back.

        The coordinators then take the silence of its steps for what it is. Not patient: it is said again soon.
        """
        away, before = self._system.gate() is not None, self._away is not None
        if away == before and (not away or self._clock() - self._said_at < self._tell):
            return
        since, event_id = self._away or self._now(), str(self._ids.token())
        try:
            message = self._replies.state(event_id, away=away, since=since, worker=self._worker, now=self._now())
            await self._outbox.send([message])
        except (BrokerUnavailable, RegistryUnavailable) as exc:
            log.warning("consumer.not_told", away=away, error=f"{type(exc).__name__}: {exc}")
            return
        if away != before:
            log.warning("consumer.system_away" if away else "consumer.system_back", system=self._system.name)
        self._away, self._said_at = since if away else None, self._clock()
