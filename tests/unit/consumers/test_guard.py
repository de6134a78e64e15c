"""What stands around every call: claim, breaker, retries in place, and the memory of a doubt."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from consumers.connectors.breaker import Breaker, BreakerPolicy, BreakerState
from consumers.connectors.guard import CIRCUIT_OPEN, Guard, InPlace, Verdict
from consumers.errors import ClaimLost, Failed, Rejected, Unknown
from consumers.system import Call

DONE = Verdict("answer")
BUSY = Verdict(error=Failed("BUSY"), again=True)
LOST = Verdict(error=Unknown("NO_ANSWER", "cut"), again=True, healthy=False)
LOST_BLIND = Verdict(error=Unknown("NO_ANSWER"), again=False, healthy=False)
REJECTED = Verdict(error=Rejected("DUPLICATE"))
PROVEN = Verdict(error=Rejected("DUPLICATE"), proven=True)
FAILED = Verdict(error=Failed("DOWN"), again=False, healthy=False)


class Sends:
    """What each send comes to, one after the other."""

    def __init__(self, *verdicts: Verdict | BaseException) -> None:
        self.left = list(verdicts)
        self.sent = 0

    async def __call__(self) -> Verdict:
        self.sent += 1
        verdict = self.left.pop(0)
        if isinstance(verdict, BaseException):
            raise verdict
        return verdict


class World:
    """A clock that only sleeping moves."""

    def __init__(self, retries: InPlace | None = None, policy: BreakerPolicy | None = None) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.breaker = Breaker(policy or BreakerPolicy(minimum=4))
        self.guard = Guard(self.breaker, retries or InPlace(), clock=lambda: self.now, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def open(self) -> None:
        for _ in range(self.breaker.policy.minimum):
            permit = self.breaker.admit(self.now)
            assert permit is not None
            self.breaker.record(permit, self.now, ok=False)
        assert self.breaker.state(self.now) is BreakerState.OPEN


@pytest.fixture
def world() -> World:
    return World()


async def test_an_answer_is_returned_and_ends_it(world: World, call: Call, claim: Any) -> None:
    sends = Sends(DONE)
    assert await world.guard.run(call, sends) == "answer"
    assert (sends.sent, claim.renewed, world.slept) == (1, 1, [])


async def test_what_may_help_is_sent_again_in_place_after_a_short_sleep(world: World, call: Call, claim: Any) -> None:
    sends = Sends(BUSY, BUSY, DONE)
    assert await world.guard.run(call, sends) == "answer"
    assert (sends.sent, claim.renewed) == (3, 3)
    assert len(world.slept) == 2
    assert all(0 <= seconds <= 0.25 for seconds in world.slept)


@pytest.mark.parametrize("attempts", [1, 2, 5])
async def test_no_more_sends_than_allowed(attempts: int, call: Call) -> None:
    world = World(InPlace(attempts=attempts, patience=100))
    sends = Sends(*[BUSY] * 10)
    with pytest.raises(Failed, match="BUSY"):
        await world.guard.run(call, sends)
    assert sends.sent == attempts


async def test_no_longer_than_its_patience(call: Call) -> None:
    world = World(InPlace(attempts=1000, first=0.1, maximum=0.2, patience=0.5))
    with pytest.raises(Failed):
        await world.guard.run(call, Sends(*[BUSY] * 1000))
    assert sum(world.slept) <= 0.5


@pytest.mark.parametrize("verdict", [REJECTED, FAILED, LOST_BLIND])
async def test_what_does_not_help_is_not_sent_again(verdict: Verdict, world: World, call: Call) -> None:
    sends = Sends(verdict, DONE)
    assert verdict.error is not None
    with pytest.raises(type(verdict.error)):
        await world.guard.run(call, sends)
    assert sends.sent == 1


async def test_a_short_retry_after_is_waited_for_and_a_long_one_is_left_to_the_coordinator(call: Call) -> None:
    world = World(InPlace(attempts=3, patience=2))
    short = Verdict(error=Failed("RATE_LIMITED", retry_after=1.5), again=True)
    long = Verdict(error=Failed("RATE_LIMITED", retry_after=30), again=True)
    assert await world.guard.run(call, Sends(short, DONE)) == "answer"
    assert 1.5 <= world.slept[0] <= 1.75
    sends = Sends(long, DONE)
    with pytest.raises(Failed) as raised:
        await world.guard.run(call, sends)
    assert (sends.sent, raised.value.retry_after) == (1, 30)


# -- doubt -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", [REJECTED, FAILED])
async def test_after_a_send_that_may_have_been_done_nothing_says_that_it_was_not(
    last: Verdict, world: World, call: Call
) -> None:
    with pytest.raises(Unknown) as raised:
        await world.guard.run(call, Sends(LOST, last))
    assert raised.value.code == "NO_ANSWER"
    assert str(last.error) in raised.value.message


async def test_only_a_proven_rejection_does(world: World, call: Call) -> None:
    with pytest.raises(Rejected, match="DUPLICATE"):
        await world.guard.run(call, Sends(LOST, PROVEN))


async def test_a_success_settles_the_doubt(world: World, call: Call) -> None:
    assert await world.guard.run(call, Sends(LOST, BUSY, DONE)) == "answer"


async def test_a_doubt_is_of_one_run_only(world: World, call: Call) -> None:
    with pytest.raises(Unknown):
        await world.guard.run(call, Sends(*[LOST] * 3))
    with pytest.raises(Rejected):
        await world.guard.run(call, Sends(REJECTED))


# -- breaker ---------------------------------------------------------------------------------------------------------


async def test_an_open_breaker_makes_no_call(world: World, call: Call) -> None:
    world.open()
    sends = Sends(DONE)
    with pytest.raises(Failed) as raised:
        await world.guard.run(call, sends)
    assert (raised.value.code, sends.sent) == (CIRCUIT_OPEN, 0)
    assert raised.value.retry_after == world.breaker.policy.open_seconds


async def test_a_breaker_that_opens_between_two_sends_leaves_the_doubt(call: Call) -> None:
    world = World(policy=BreakerPolicy(minimum=1))
    sends = Sends(LOST, DONE)
    with pytest.raises(Unknown) as raised:
        await world.guard.run(call, sends)
    assert sends.sent == 1
    assert CIRCUIT_OPEN in raised.value.message


@pytest.mark.parametrize(
    ("verdicts", "state"),
    [
        ([FAILED] * 4, BreakerState.OPEN),
        ([REJECTED] * 20, BreakerState.CLOSED),
        ([DONE] * 20, BreakerState.CLOSED),
        ([Verdict(error=Failed("NO_CONNECTION_FREE"), healthy=None)] * 20, BreakerState.CLOSED),
    ],
)
async def test_the_breaker_hears_how_the_system_is_and_not_what_it_said(
    verdicts: Sequence[Verdict], state: BreakerState, world: World, call: Call
) -> None:
    for verdict in verdicts:
        await asyncio.gather(world.guard.run(call, Sends(verdict)), return_exceptions=True)
    assert world.breaker.state(world.now) is state


async def test_a_call_whose_time_is_up_counts_as_a_failure(call: Call) -> None:
    world = World(policy=BreakerPolicy(minimum=1))
    with pytest.raises(asyncio.CancelledError):
        await world.guard.run(call, Sends(asyncio.CancelledError()))
    assert world.breaker.state(0) is BreakerState.OPEN


async def test_a_bug_of_ours_says_nothing_about_the_system(call: Call) -> None:
    world = World(policy=BreakerPolicy(minimum=1, failure_ratio=0.1))
    world.open()
    world.now += world.breaker.policy.open_seconds
    with pytest.raises(ZeroDivisionError):
        await world.guard.run(call, Sends(ZeroDivisionError()))
    # Its permit was the probe; it came back, so the next call is the probe.
    assert await world.guard.run(call, Sends(DONE)) == "answer"
    assert world.breaker.state(world.now) is BreakerState.CLOSED


# -- claim -----------------------------------------------------------------------------------------------------------


async def test_a_claim_that_is_lost_stops_before_the_call(world: World, call: Call, claim: Any) -> None:
    claim.lost_after = 0
    sends = Sends(DONE)
    with pytest.raises(ClaimLost):
        await world.guard.run(call, sends)
    assert sends.sent == 0


async def test_a_claim_that_is_lost_stops_between_two_sends(world: World, call: Call, claim: Any) -> None:
    claim.lost_after = 1
    sends = Sends(LOST, DONE)
    with pytest.raises(ClaimLost):
        await world.guard.run(call, sends)
    assert sends.sent == 1


async def test_a_claim_that_is_lost_takes_no_probe_with_it(world: World, call: Call, claim: Any) -> None:
    world.open()
    world.now += world.breaker.policy.open_seconds
    claim.lost_after = 0
    with pytest.raises(ClaimLost):
        await world.guard.run(call, Sends(DONE))
    claim.lost_after = None
    assert await world.guard.run(call, Sends(DONE)) == "answer"


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"first": 0}, {"first": 1, "maximum": 0.5}, {"patience": -1}])
def test_retries_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="out of range"):
        InPlace(**wrong)
