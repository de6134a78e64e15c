"""The nemeses: one function each, declared once, in the table at the end.

Each returns how often it really struck; 0 means that it did not. None of them leaves anything broken behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from orchestrator.dev.errors import NotReady
from orchestrator.dev.process import ChildProcess
from orchestrator.messaging import topics
from orchestrator.testing.chaos.arena import Arena
from orchestrator.testing.chaos.plan import COORDINATOR, SANDBOX, Kind, Strike
from orchestrator.testing.chaos.proxy import Cut
from orchestrator.testing.chaos.stray import oversized, poison, send_stray

__all__ = ["NEMESES", "Blow", "Nemesis"]

_CHURN_SECONDS = 3.0
_CUT_SHARE, _LEAST_CUTS, _LONGEST_CUT = 0.02, 6, 30.0
_SLOWEST = 0.15
_LOOK_SECONDS = 0.1
_DATABASE_SECONDS = 60.0


@dataclass(slots=True)
class Blow:
    """One strike as it is carried out: `told` goes into the history."""

    arena: Arena
    strike: Strike
    chance: random.Random
    told: dict[str, Any] = field(default_factory=dict)


Nemesis = Callable[[Blow], Awaitable[int]]


# -- processes -----------------------------------------------------------------------------------------------------


async def _kill(blow: Blow) -> int:
    if blow.strike.target == SANDBOX:
        await asyncio.to_thread(_kill_sandbox, blow.arena)
        return 1
    child = await blow.arena.take(blow.strike.target, blow.chance)
    blow.told["pids"] = [child.pid]
    return await asyncio.to_thread(_kill_and_replace, blow.arena, [child])


async def _kill_two(blow: Blow) -> int:
    """Both coordinators, both consumers of a system, or one of each."""
    systems = sorted(blow.arena.stack.consumers)
    system = blow.chance.choice(systems)
    pair = blow.chance.choice([(COORDINATOR, COORDINATOR), (system, system), (COORDINATOR, system)])
    victims = [await blow.arena.take(target, blow.chance) for target in pair]
    blow.told["targets"], blow.told["pids"] = list(pair), [child.pid for child in victims]
    return await asyncio.to_thread(_kill_and_replace, blow.arena, victims)


def _kill_and_replace(arena: Arena, victims: list[ChildProcess]) -> int:
    running = sum(child.running for child in victims)
    for child in victims:
        child.kill()
    for child in victims:
        arena.stack.replace(child)
        arena.leave(child)
    return running


def _kill_sandbox(arena: Arena) -> None:
    assert arena.stack.sandbox is not None
    arena.stack.sandbox.kill()
    arena.stack.start_sandbox()


async def _freeze(blow: Blow) -> int:
    child = await blow.arena.take(blow.strike.target, blow.chance)
    blow.told["pids"] = [child.pid]
    child.pause()
    try:
        await asyncio.sleep(blow.strike.seconds)
    finally:
        child.resume()
        blow.arena.leave(child)
    return int(child.running)


async def _churn(blow: Blow) -> int:
    """Every three seconds one more consumer is started, and leaves as soon as it belongs to the group."""
    system, end = blow.strike.target, blow.arena.history.now + blow.strike.seconds
    async with asyncio.TaskGroup() as group:
        passing = []
        while blow.arena.history.now < end:
            passing.append(group.create_task(asyncio.to_thread(_join_and_leave, blow.arena, system)))
            await asyncio.sleep(_CHURN_SECONDS)
    return sum(task.result() for task in passing)


def _join_and_leave(arena: Arena, system: str) -> bool:
    """Whether it joined: another nemesis may have kept it from that."""
    child = arena.stack.start_consumer(system)
    arena.taken.add(child.pid)
    try:
        arena.stack.wait_ready(child)
    except NotReady:
        return False
    finally:
        arena.stack.consumers[system].remove(child)
        child.stop()
        arena.leave(child)
    return True


# -- servers -------------------------------------------------------------------------------------------------------


async def _broker(blow: Blow) -> int:
    broker = blow.arena.stack.broker
    assert broker is not None
    await asyncio.to_thread(broker.kill)
    await asyncio.sleep(blow.strike.seconds)
    await asyncio.to_thread(broker.start)
    return 1


async def _database(blow: Blow) -> int:
    postgres = blow.arena.stack.postgres
    await asyncio.to_thread(postgres.stop, "immediate")
    await asyncio.sleep(blow.strike.seconds)
    await asyncio.to_thread(postgres.start)
    return 1


_TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND datname = current_database() AND backend_type = 'client backend'
"""


async def _terminate(blow: Blow) -> int:
    url = blow.arena.stack.postgres.url.replace("postgresql+psycopg", "postgresql")
    async with asyncio.timeout(_DATABASE_SECONDS):
        while True:
            with contextlib.suppress(psycopg.OperationalError):  # another nemesis has the server
                if ended := await asyncio.to_thread(_ended_sessions, url):
                    return ended
            await asyncio.sleep(_LOOK_SECONDS)


def _ended_sessions(url: str) -> int:
    with psycopg.connect(url, connect_timeout=5) as connection:
        found = connection.execute(_TERMINATE).fetchone()
    return int(found[0]) if found else 0


async def _cut(blow: Blow) -> int:
    cuts = dict.fromkeys(Cut, 0)

    def struck(way: Cut) -> None:
        cuts[way] += 1

    blow.arena.proxy.cut_some(blow.chance, _CUT_SHARE, struck)
    try:
        await asyncio.sleep(blow.strike.seconds)
        # Another nemesis may keep everybody from committing.
        waited = blow.strike.seconds
        while sum(cuts.values()) < _LEAST_CUTS and waited < _LONGEST_CUT:
            await asyncio.sleep(_LOOK_SECONDS)
            waited += _LOOK_SECONDS
    finally:
        blow.arena.proxy.cut = lambda: None
    blow.told.update({way.value: count for way, count in cuts.items()})
    return sum(cuts.values())


async def _slow(blow: Blow) -> int:
    late = 0

    def delay() -> float:
        nonlocal late
        late += 1
        return blow.chance.uniform(0, _SLOWEST)

    blow.arena.proxy.delay = delay
    try:
        await asyncio.sleep(blow.strike.seconds)
    finally:
        blow.arena.proxy.delay = lambda: 0.0
    return late


# -- records -------------------------------------------------------------------------------------------------------


def _places(blow: Blow) -> list[str]:
    """One topic of each sort."""
    systems = sorted(blow.arena.stack.consumers)
    requests = "vendor-onboarding"
    commands, completions = blow.chance.choice(systems), blow.chance.choice(systems)
    return [topics.requests(requests), topics.commands(commands), topics.completions(completions)]


async def _poison(blow: Blow) -> int:
    strays = [stray for topic in _places(blow) for stray in poison(topic, blow.chance)]
    return await send_stray(blow.arena, strays)


async def _oversized(blow: Blow) -> int:
    strays = [stray for topic in _places(blow) for stray in oversized(topic, blow.chance)]
    return await send_stray(blow.arena, strays)


NEMESES: Mapping[Kind, Nemesis] = {
    Kind.KILL: _kill,
    Kind.KILL_TWO: _kill_two,
    Kind.FREEZE: _freeze,
    Kind.BROKER: _broker,
    Kind.DATABASE: _database,
    Kind.TERMINATE: _terminate,
    Kind.CUT: _cut,
    Kind.SLOW: _slow,
    Kind.CHURN: _churn,
    Kind.POISON: _poison,
    Kind.OVERSIZED: _oversized,
}
