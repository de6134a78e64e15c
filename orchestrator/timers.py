"""The timer loop: changes no saga, it publishes `wake` messages for those whose deadline has passed (design §5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from orchestrator.database import StoreConflict, StoreUnavailable
from orchestrator.messaging.errors import BrokerUnavailable
from orchestrator.messaging.message import TopicPartition
from orchestrator.messaging.ports import Ids, Outbox, Sleep
from orchestrator.messaging.topics import CONTROL
from orchestrator.messaging.writer import Writer
from orchestrator.store.ports import TimerStore
from schemas.errors import RegistryUnavailable

__all__ = ["Timers"]

log = structlog.get_logger(__name__)

_MOST = 1000
_LONGEST_BACKOFF = 5.0
_MAINTAIN_SECONDS = 3600.0
_MAINTAIN_AGAIN_SECONDS = 60.0


class Timers:
    """One timer loop. Several may run: due rows are taken with SKIP LOCKED, and a second wake does no harm."""

    def __init__(
        self,
        *,
        store: TimerStore,
        outbox: Outbox,
        writer: Writer,
        ids: Ids,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        sleep: Sleep,
        group: str,
        interval: float,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._writer = writer
        self._ids = ids
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._group = group
        self._interval = interval
        self._unread: Mapping[TopicPartition, int] = {}
        self._maintain_at = clock()

    async def run(self, stopping: Callable[[], bool]) -> None:
        """Tick until told to stop. While the database or the broker is away, wait.

        Raises:
            BrokerFatal, StoreError: what no waiting would mend.

        """
        failures = 0
        try:
            while not stopping():
                try:
                    await self.tick()
                    failures = 0
                    await self._sleep(self._interval)
                except (StoreUnavailable, StoreConflict, BrokerUnavailable, RegistryUnavailable) as exc:
                    failures += 1
                    log.warning("timers.waiting", error=f"{type(exc).__name__}: {exc}", failures=failures)
                    await self._sleep(min(_LONGEST_BACKOFF, 0.1 * 2 ** min(failures, 10)))
        finally:
            await self._outbox.close()
            await self._store.close()

    async def tick(self) -> int:
        """Publish what is due; returns how many messages. Skipped while the last wakes are unread."""
        await self._maintain()
        if await self._behind():
            return 0
        due = await self._store.take_due(_MOST)
        now = self._now()
        messages = [self._writer.wake(saga_id, str(self._ids.token()), now) for saga_id in due]
        messages.extend(await self._store.take_held(_MOST))
        receipt = await self._outbox.send(messages)
        if receipt.refused:
            raise BrokerUnavailable(receipt.refused[0].code)
        # Wakes only: a held message may be for a topic that nobody reads any more.
        self._unread = {place: offset for place, offset in receipt.last.items() if place[0] == CONTROL}
        return len(messages)

    async def _behind(self) -> bool:
        if not self._unread:
            return False
        read = await self._store.progress(self._group)
        self._unread = {place: offset for place, offset in self._unread.items() if read.get(place, 0) <= offset}
        return bool(self._unread)

    async def _maintain(self) -> None:
        """Months ahead of the need, so a failure is told and tried again soon; sagas are woken all the same."""
        at = self._clock()
        if at < self._maintain_at:
            return
        try:
            await self._store.maintain()
            self._maintain_at = at + _MAINTAIN_SECONDS
        except (StoreUnavailable, StoreConflict) as exc:
            log.error("timers.maintain_failed", error=f"{type(exc).__name__}: {exc}")
            self._maintain_at = at + _MAINTAIN_AGAIN_SECONDS
