"""A replayer that is killed in the middle, again and again."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.state import Status
from orchestrator.letters.desk import Desk
from orchestrator.letters.wanted import Filter

ROOT = Path(__file__).parents[3]
LETTERS = 300

# Dies in its third call of the broker, at one of three moments: nothing sent, half of it, all and nothing written down.
DYING = """
import asyncio, os, sys
from dataclasses import replace
from orchestrator import bootstrap
from orchestrator.letters import replay
from orchestrator.letters.wanted import By, Filter
from orchestrator.settings import load

replay._CHUNK = 25

class Dying:
    def __init__(self, outbox, share):
        self.outbox, self.share, self.calls = outbox, share, 0
    async def send(self, messages):
        self.calls += 1
        if self.calls < 3:
            return await self.outbox.send(messages)
        await self.outbox.send(messages[: int(len(messages) * self.share)])
        os._exit(9)

with bootstrap.make_desk(load()) as desk:
    desk = replace(desk, outbox=Dying(desk.outbox, float(sys.argv[1])))
    desk.refresh()
    worker = replay.Replayer(desk, By("ada", "mended"), replay.Options(), sleep=asyncio.sleep)
    asyncio.run(worker.run(desk.store.in_order(Filter())))
"""


@pytest.mark.timeout(280)
async def test_each_letter_is_replayed_exactly_once_by_a_replayer_that_is_killed_three_times(
    engine: Any, saga: Any, compensated: Any, systems: Any, desk: Desk, record_property: Any
) -> None:
    engine.start()
    old = await compensated(LETTERS)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for share in ("0", "0.5", "1"):
        argv = [sys.executable, "-c", DYING, share]
        died = await asyncio.to_thread(
            subprocess.run, argv, check=False, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        assert died.returncode == 9, died.stderr
    left = len(await saga.letters("--limit", "1000"))
    assert left == LETTERS - 3 * 50
    began = time.monotonic()
    rows = await saga.rows("dlq", "replay", "--all", "--reason", "mended", "--yes")
    record_property("letters_per_second", left / (time.monotonic() - began))
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
