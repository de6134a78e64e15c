"""A replayer that is killed in the middle, again and again."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from orchestrator.core.state import Status
from orchestrator.letters.desk import Desk
from orchestrator.letters.wanted import Filter
from orchestrator.messaging.dead_letter import Grave, bury
from orchestrator.messaging.event import Event
from orchestrator.messaging.message import Outgoing

ROOT = Path(__file__).parents[3]
LETTERS = 300

# Dies in a call of the broker, at one of three moments: nothing sent, half of it, all and nothing written down.
DYING = """
import asyncio, os, sys
from dataclasses import replace
from orchestrator import bootstrap
from orchestrator.letters import replay
from orchestrator.letters.wanted import By, Filter
from orchestrator.settings import load

share, calls, replay._CHUNK = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])

class Dying:
    def __init__(self, outbox):
        self.outbox, self.calls = outbox, 0
    async def send(self, messages):
        self.calls += 1
        if self.calls < calls:
            return await self.outbox.send(messages)
        await self.outbox.send(messages[: int(len(messages) * share)])
        os._exit(9)

with bootstrap.make_desk(load()) as desk:
    desk = replace(desk, outbox=Dying(desk.outbox))
    desk.refresh()
    worker = replay.Replayer(desk, By("ada", "mended"), replay.Options(), sleep=asyncio.sleep)
    asyncio.run(worker.run(desk.store.in_order(Filter())))
"""


async def killed_three_times(*, calls: int, chunk: int) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for share in ("0", "0.5", "1"):
        argv = [sys.executable, "-c", DYING, share, str(calls), str(chunk)]
        died = await asyncio.to_thread(
            subprocess.run, argv, check=False, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        assert died.returncode == 9, died.stderr


@pytest.mark.timeout(280)
async def test_each_letter_is_replayed_exactly_once_by_a_replayer_that_is_killed_three_times(
    engine: Any, saga: Any, compensated: Any, systems: Any, desk: Desk
) -> None:
    engine.start()
    old = await compensated(LETTERS)
    await engine.until(lambda: desk.refresh() >= 0 and desk.store.count(Filter()) == LETTERS)
    await killed_three_times(calls=3, chunk=25)
    left = len(await saga.letters("--limit", "1000"))
    assert left == LETTERS - 3 * 50
    began = time.monotonic()
    rows = await saga.rows("dlq", "replay", "--all", "--reason", "mended", "--yes")
    print(f"{left / (time.monotonic() - began):.0f} letters a second")
    assert [row["result"] for row in rows] == ["sent"] * left
    await engine.until(lambda: sum(s.state.status is Status.COMPLETED for s in engine.sagas()) >= LETTERS)
    assert Counter(s.state.status for s in engine.sagas()) == {
        Status.COMPENSATED: LETTERS,
        Status.COMPLETED: LETTERS,
    }
    # Once refused, once done: no call is made twice.
    assert Counter(systems.calls)["CreatePortalAccount"] == 2 * LETTERS
    assert Counter(systems.calls)["ApproveSupplier"] == LETTERS
    assert desk.store.count(Filter()) == 0
    begun = {
        act.new_saga_id
        for place in desk.store.in_order(Filter(states=()))
        for act in desk.store.acts(desk.letter(place))
    }
    assert len(begun) == LETTERS
    assert begun.isdisjoint(old)


@pytest.mark.timeout(280)
async def test_thousands_of_letters_begin_one_saga_each_though_the_replayer_is_killed_three_times(
    engine: Any, saga: Any, desk: Desk, wire: Any, make_vendor: Any
) -> None:
    now, count = datetime.now(UTC), 5000
    vendor = make_vendor(1)
    value = desk.codec.encode(vendor)
    letters = []
    for _ in range(count):
        old = uuid7()
        event = Event(str(old), "agent/bot", vendor.contract.type, now, saga_id=old, agent="bot")
        request = Outgoing("vendor-onboarding.requests", str(old).encode(), value, event.headers())
        grave = Grave("SANCTIONED", "no", "saga", "g", now, saga_id=old, step="approved-supplier", version=8)
        letters.append(bury(request, grave))
    await desk.outbox.send(letters)
    await killed_three_times(calls=12, chunk=100)
    began = time.monotonic()
    rows = await saga.rows("dlq", "replay", "--all", "--reason", "mended", "--yes")
    print(f"{len(rows) / (time.monotonic() - began):.0f} letters a second")
    assert len(rows) == count - 3 * 1100
    sent = [dict(message.headers())["ce_id"] for message in wire.read("vendor-onboarding.requests")]
    assert len(set(sent)) == count
    assert count < len(sent) <= count + 200, "what nobody knew to be sent was sent again"
    engine.start(consumers=False)
    await engine.until(lambda: engine.queries.counts().get("running", 0) >= count, 120)
    assert engine.queries.counts() == {"running": count}
    assert desk.store.count(Filter()) == 0
