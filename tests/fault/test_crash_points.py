"""The process dies at exactly the points where work could be lost or done twice."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.state import Status
from orchestrator.dev.process import Command, spawn
from schemas.models import VendorOnboardingRequested

Make = Callable[[int], list[VendorOnboardingRequested]]

pytestmark = [pytest.mark.native, pytest.mark.timeout(400)]

DIED = 9

# A worker as `saga coordinator` and `saga consumer` run it, but for one method, which ends the process at its nth call
# as SIGKILL would: before the real work of the method, or after it.
PROGRAM = f"""
import importlib, os, sys, threading
from orchestrator import bootstrap
from orchestrator.settings import load

target, when, nth, *system = sys.argv[1:]
module, name, method = target.split(":")
kind = getattr(importlib.import_module(module), name)
real, calls = getattr(kind, method), 0

async def dying(self, *arguments):
    global calls
    # The timer loop has a thread and parts of its own; and to send nothing is no sending.
    counts = threading.current_thread() is threading.main_thread() and (not arguments or len(arguments[0]) > 0)
    calls += counts
    if counts and calls >= int(nth) and when == "before":
        os._exit({DIED})
    result = await real(self, *arguments)
    if counts and calls >= int(nth):
        os._exit({DIED})
    return result

setattr(kind, method, dying)
settings = load()
bootstrap.configure_logs(settings)
if system:
    bootstrap.run_consumers(settings, system)
else:
    bootstrap.run_coordinator(settings)
"""

STORE, EFFECTS = "orchestrator.store.postgres", "consumers.effects"
INBOX, OUTBOX = "orchestrator.messaging.kafka_inbox", "orchestrator.messaging.kafka_outbox"
COORDINATOR = [
    (f"{STORE}:PostgresTransaction:commit", "before"),
    (f"{STORE}:PostgresTransaction:commit", "after"),  # nobody learns that it succeeded
    (f"{OUTBOX}:KafkaOutbox:send", "before"),  # between commit and produce
    (f"{OUTBOX}:KafkaOutbox:send", "after"),  # between produce and offset commit
    (f"{INBOX}:KafkaInbox:commit", "after"),
]
CONSUMER = [
    (f"{EFFECTS}:PostgresEffects:claim", "before"),
    (f"{EFFECTS}:PostgresEffects:claim", "after"),  # claimed, not called
    (f"{EFFECTS}:PostgresEffects:settle", "before"),  # called, not recorded
    (f"{EFFECTS}:PostgresEffects:settle", "after"),  # recorded, not answered
    (f"{OUTBOX}:KafkaOutbox:send", "after"),  # answered, offset not committed
    (f"{INBOX}:KafkaInbox:commit", "before"),
    (f"{INBOX}:KafkaInbox:commit", "after"),
]


async def _dies(world: Any, folder: Path, target: str, when: str, nth: int, *system: str) -> None:
    log = folder / "dying.log"
    env = {**os.environ, **world.stack.environment(), "PYTHONPATH": str(Path(__file__).parents[2])}
    child = spawn(
        Command("a dying worker", [sys.executable, "-c", PROGRAM, target, when, str(nth), *system], log, env=env)
    )
    ended = await asyncio.to_thread(child.wait, 60)
    assert ended, f"{target} was not reached: {child.log_tail()}"
    assert child.returncode == DIED, child.log_tail()


async def test_the_coordinator_dies_at_every_point_of_its_batch(
    make_world: Any, make_vendors: Make, tmp_path: Path
) -> None:
    world = make_world(coordinators=0)
    vendors = make_vendors(60)
    for turn, (target, when) in enumerate(COORDINATOR * 2):
        await world.publish(vendors[turn * 6 : turn * 6 + 6])
        await _dies(world, tmp_path, target, when, 1 + turn % 3)
    await world.running(world.stack.start_coordinator())
    # A mail whose command was late may be in review until its completion comes, and no longer.
    rows = await world.at_rest([vendor.saga_id for vendor in vendors], final=True)
    world.check_against_the_ledger(rows)
    assert {row.state.status for row in rows.values()} == {Status.COMPLETED, Status.COMPENSATED}


async def test_a_consumer_dies_at_every_point_of_a_command(make_world: Any, make_vendors: Make, tmp_path: Path) -> None:
    world = make_world(consumers=0)
    systems = ("erp", "mail")
    for name in sorted({"portal", "suppliers"}):
        await world.running(world.stack.start_consumer(name))
    vendors, start = make_vendors(600), 10

    async def die(system: str) -> None:
        for target, when in CONSUMER:
            await _dies(world, tmp_path / system, target, when, 1, system)

    await world.publish(vendors[:10])
    dying = asyncio.gather(*(die(system) for system in systems))
    while not dying.done() and start < len(vendors):
        await asyncio.sleep(2)  # so that there is work at every point; the order of things does not depend on it
        await world.publish(vendors[start : start + 4])
        start += 4
    await dying
    for system in systems:
        await world.running(world.stack.start_consumer(system))
    rows = await world.at_rest([vendor.saga_id for vendor in vendors[:start]], 200)
    world.check_against_the_ledger(rows)
    review = [row.state for row in rows.values() if row.state.status is Status.REVIEW]
    assert {(park.step, park.code) for state in review for park in state.parks} == {
        ("welcome-email", "OUTCOME_UNKNOWN")
    }
