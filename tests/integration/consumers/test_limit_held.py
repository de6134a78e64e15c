"""A backlog behind one limit that four workers share: counted, on a real database."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from consumers.effects import PostgresEffects
from consumers.limit import BURST_SECONDS, Limit
from consumers.pace import Pace
from orchestrator.database import connect
from orchestrator.messaging.kafka import in_thread

WORKERS, CALLS, RATE = 4, 1000, 250.0


async def test_four_workers_hold_a_limit_within_two_percent(migrated_url: str) -> None:
    stores = [PostgresEffects(connect(migrated_url), in_thread()) for _ in range(WORKERS)]
    limits = [Limit("erp", RATE), Limit("api_key env:KEY", 10 * RATE)]
    times: list[float] = []

    async def drain(store: PostgresEffects) -> None:
        pace = Pace("erp", limits, store.reserve, clock=time.monotonic, sleep=asyncio.sleep)
        # One line for all of them, so that none is done while another still has half of its calls before it.
        while len(times) < CALLS:
            place: Any = await pace.take(lambda: CALLS - len(times), lambda: False)
            times.append(time.monotonic())
            place.called = True
            pace.leave(place)

    await asyncio.gather(*map(drain, stores))
    for store in stores:
        await store.close()
    times.sort()
    assert CALLS <= len(times) < CALLS + WORKERS
    # Of any second, and of the whole: what may be made up for after a pause comes on top, once for each worker.
    burst = RATE * BURST_SECONDS * (WORKERS + 1)
    for first in range(0, len(times), 50):
        within = sum(1 for each in times[first:] if each < times[first] + 1)
        assert within <= RATE * 1.02 + burst
    assert len(times) <= RATE * (times[-1] - times[0]) * 1.02 + RATE * BURST_SECONDS + WORKERS
