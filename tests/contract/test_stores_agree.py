"""Random histories of a coordinator and its timers: what PostgreSQL answers, the store in memory answers too."""

from __future__ import annotations

from msgspec.structs import replace

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from orchestrator.core.state import Status
from orchestrator.database import StoreError
from orchestrator.messaging.message import Outgoing
from orchestrator.store.ports import Change, Held

STEPS = 120


@pytest.mark.parametrize("seed", range(6))
async def test_both_stores_answer_alike(seed: int, benches: Any) -> None:
    sagas = [uuid7() for _ in range(3)]
    start = benches[0].clock.now
    histories = [await history(random.Random(seed), bench, sagas, start) for bench in benches]
    for step, (real, memory) in enumerate(zip(*histories, strict=True)):
        assert real == memory, step


async def history(rng: random.Random, bench: Any, sagas: list[UUID], start: Any) -> list[Any]:
    """What the store answers to a history that depends on nothing but the seed."""
    bench.clock.now = start
    bench.clock.advance(0)
    told: list[Any] = []
    moves: list[Callable[[Any, random.Random, list[UUID]], Any]] = [
        transaction,
        transaction,
        transaction,
        timers,
        pass_time,
    ]
    for _ in range(STEPS):
        try:
            told.append(await rng.choice(moves)(bench, rng, sagas))
        except StoreError as exc:
            told.append(type(exc).__name__)
    return told


async def pass_time(bench: Any, rng: random.Random, _: list[UUID]) -> None:
    bench.clock.advance(rng.choice([0.5, 3, 5, 11, 30]))


async def timers(bench: Any, _: random.Random, __: list[UUID]) -> Any:
    # All of them: of several that are due at one time PostgreSQL may give any first.
    due = await bench.store.take_due(99)
    held = await bench.store.take_held(99)
    return sorted(due), sorted(message.value for message in held), dict(await bench.store.progress("g"))


async def transaction(bench: Any, rng: random.Random, sagas: list[UUID]) -> Any:
    chosen = rng.sample(sagas, rng.randint(0, 3))
    causes = [UUID(int=rng.randrange(25)) for _ in chosen]
    # Drawn before anything can fail, so that both stores get the same.
    draws = [rng.random() for _ in range(5)]
    source, proposed = rng.choice("ab"), UUID(int=rng.randrange(4))
    statuses = [rng.choice([Status.RUNNING, Status.RUNNING, Status.REVIEW, Status.COMPLETED]) for _ in chosen]
    wakes = [rng.choice([None, -1, 0, 7, 40]) for _ in chosen]
    offset = rng.randrange(100)
    told: list[Any] = []
    async with bench.store.begin() as opened:
        if draws[0] < 0.2:
            told.append(await opened.adopt(source, "1", proposed))
        locked = await opened.lock(chosen)
        told.append((locked.now, dict(locked.sagas)))
        pairs = list(zip(chosen, causes, strict=True))
        told.append({key: list(outputs) for key, outputs in (await opened.applied(pairs)).items()})
        for saga in chosen:
            told.append((await opened.request_of(saga), list(await opened.outputs_of(saga))))
        if chosen and draws[1] < 0.4:
            held = Held(chosen[0], causes[0], Outgoing("t", None, b"%d" % causes[0].int))
            told.append(await opened.hold(held, 12))
        if draws[2] < 0.3:
            await opened.release(pairs)
        changes, rows = [], []
        for (saga, cause), status, wake in zip(pairs, statuses, wakes, strict=True):
            before = locked.sagas.get(saga)
            revision = before.revision + 1 if before else 1
            at = None if wake is None else locked.now + timedelta(seconds=wake)
            state = replace(before or bench.state(), revision=revision, status=status, wake_at=at)
            changes.append((saga, before.revision if before else None, state))
            rows.append(
                bench.entry(cause.int, revision, [Outgoing("o", b"k", b"%d" % revision)] * (revision % 3), saga)
            )
        if draws[3] < 0.9:
            await opened.write(Change(changes, rows, {("t", offset % 3): offset}))
        if draws[4] < 0.85:
            await opened.commit()
    return told
