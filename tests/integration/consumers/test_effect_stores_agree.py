"""Both effect stores under the same random history: the simulator may trust the one in memory."""

from __future__ import annotations

from msgspec.structs import replace

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.claims import Admitted, Claim, Settlement
from consumers.limit import Advice, Limit, Want
from consumers.testing import MemoryEffects
from orchestrator.core.effects import Ask, EffectRow, Perform, RowStatus, settled
from orchestrator.core.messages import Direction, Failure, Outcome, Succeeded
from schemas.models import VendorDeactivated

LEASE = 60.0
DIRECTIONS = st.sampled_from([Direction.DO, Direction.UNDO])
RESULTS = {
    "done": Succeeded(VendorDeactivated(found=True)),
    **{outcome.value: Failure(outcome, "CODE") for outcome in Outcome},
}

STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("claim"),
            DIRECTIONS,
            st.integers(1, 3),
            st.sampled_from(["idempotent", "queryable", "blind"]),
            st.booleans(),
            st.sampled_from([None, "not-done"]),
            st.sampled_from([False, False, True, None]),
        ),
        st.tuples(st.just("claim again"), st.integers(0, 9)),
        st.tuples(st.just("settle"), st.integers(0, 9), st.sampled_from(sorted(RESULTS))),
        st.tuples(st.just("renew"), st.integers(0, 9)),
        st.tuples(
            st.just("reserve"),
            st.integers(0, 20),
            st.sampled_from([0.5, 3.0, 50.0]),
            st.sampled_from([0.2, 7.0]),
            st.sampled_from([None, None, Advice(0.0, 2.0), Advice(0.0, 90.0), Advice(1.0, 50.0), Advice(9.0, 5.0)]),
        ),
        st.tuples(st.just("advance"), st.sampled_from([1.0, 59.0, 60.0])),
    ),
    min_size=5,
    max_size=25,
)


class Both:
    """Does everything twice and compares."""

    def __init__(self, bench: Any) -> None:
        bench.saga = uuid4()
        self.bench = bench
        self.memory = MemoryEffects(bench.clock)
        self.claims: list[Claim] = []

    async def claim(self, claim: Claim) -> Admitted:
        (one,), (other,) = await self.bench.effects.claim([claim]), await self.memory.claim([claim])
        assert one == other
        return one

    async def check(self) -> None:
        for direction in Direction:
            identity = self.bench.identity(direction)
            assert await self.bench.row(direction) == self.memory.rows.get(identity)

    async def reserve(self, calls: int, rate: float, credential: float, told: Advice | None) -> None:
        name = str(self.bench.saga)
        wants = [Want(Limit(name, rate)), Want(Limit(f"key {name}", credential), told)]
        one, other = await self.bench.effects.reserve(wants, calls), await self.memory.reserve(wants, calls)
        assert (one.first, one.gap) == pytest.approx((other.first, other.gap), abs=1e-4)

    async def step(self, kind: str, *details: Any) -> None:
        if kind == "advance":
            self.bench.clock.advance(*details)
        elif kind == "reserve":
            await self.reserve(*details)
        elif kind == "claim":
            direction, attempt, effect, by_operator, resolved, shadow = details
            # Of a do it is known what it is to be.
            shadow = bool(shadow) if direction is Direction.DO else shadow
            ask = Ask(direction, attempt, effect, by_operator=by_operator, resolved=resolved, shadow=shadow)
            claim = Claim(self.bench.identity(direction), "erp", ask, uuid4(), LEASE, b"nobody knows")
            admitted = await self.claim(claim)
            # Only who may act holds on to his claim, as in the runtime.
            self.claims += [claim] if isinstance(admitted.verdict, Perform) else []
        elif self.claims:
            claim = self.claims[-1 - details[0] % len(self.claims)]
            if kind == "claim again":
                await self.claim(claim)
            elif kind == "renew":
                renewed = [await s.renew(claim.identity, claim.owner, LEASE) for s in (self.bench.effects, self.memory)]
                assert renewed[0] == renewed[1]
            else:
                await self.settle(claim, RESULTS[details[1]], details[1].encode())

    async def settle(self, claim: Claim, result: Any, reply: bytes) -> None:
        held = EffectRow(RowStatus.CLAIMED, claim.ask.attempt, claim.owner, self.bench.clock.now)
        row, _ = settled(held, claim.ask.effect, result)
        settlement = Settlement(claim.identity, claim.owner, replace(row, reply=reply))
        one, other = await self.bench.effects.settle([settlement]), await self.memory.settle([settlement])
        assert list(one) == list(other)


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_they_agree_about_every_history(steps: list[Any], postgres_bench: Any, loop: asyncio.Runner) -> None:
    async def play() -> None:
        both = Both(postgres_bench)
        for step in steps:
            await both.step(*step)
            await both.check()
        # What is owned is claimed, and nobody owns what is not.
        for row in both.memory.rows.values():
            assert (row.status is RowStatus.CLAIMED) == isinstance(row.owner, UUID) == (row.lease_until is not None)

    loop.run(play())
