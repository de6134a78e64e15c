"""The circuit breaker: two ratios over a window, one probe at a time. All times are given."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.connectors.breaker import Breaker, BreakerPolicy, BreakerState, Permit

POLICY = BreakerPolicy(
    window=10, minimum=4, failure_ratio=0.5, slow_seconds=2, slow_ratio=0.75, open_seconds=5, probe_seconds=20
)


def play(breaker: Breaker, outcomes: str, *, now: float = 0.0, seconds: float = 0.1) -> None:
    """One call after the other: `.` is well, `x` fails, `s` is well but slow."""
    for outcome in outcomes:
        permit = breaker.admit(now)
        assert permit is not None
        breaker.record(permit, now + (2 if outcome == "s" else seconds), ok=outcome != "x")


def opened(at: float = 0.0) -> Breaker:
    breaker = Breaker(POLICY)
    play(breaker, "xxxx", now=at, seconds=0)
    assert breaker.state(at) is BreakerState.OPEN
    return breaker


def test_too_few_calls_say_nothing() -> None:
    breaker = Breaker(POLICY)
    play(breaker, "xxx")
    assert breaker.state(1) is BreakerState.CLOSED


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ("...x", BreakerState.CLOSED),
        ("..xx", BreakerState.OPEN),
        ("x.x.", BreakerState.OPEN),
        ("xxx.", BreakerState.OPEN),
        ("....", BreakerState.CLOSED),
        ("ss..", BreakerState.CLOSED),
        ("s.ss", BreakerState.OPEN),
        (".....xxxx", BreakerState.CLOSED),
        (".....xxxxx", BreakerState.OPEN),
    ],
)
def test_it_opens_by_the_share_of_failures_or_of_slow_calls(outcomes: str, state: BreakerState) -> None:
    breaker = Breaker(POLICY)
    play(breaker, outcomes)
    assert breaker.state(1) is state


def test_what_is_older_than_the_window_is_forgotten() -> None:
    breaker = Breaker(POLICY)
    play(breaker, "xxx", now=0)
    play(breaker, "x", now=10.2)
    assert breaker.state(10.3) is BreakerState.CLOSED


def test_failures_within_the_window_add_up() -> None:
    breaker = Breaker(POLICY)
    for now in (0.0, 3.0, 6.0, 9.0):
        play(breaker, "x", now=now)
    assert breaker.state(9.2) is BreakerState.OPEN


def test_open_admits_nobody_and_says_when_to_ask_again() -> None:
    breaker = opened()
    assert breaker.admit(4.9) is None
    assert breaker.retry_after(1) == 4
    assert breaker.state(4.9) is BreakerState.OPEN
    assert breaker.retry_after(5) == 0


def test_half_open_admits_one_probe() -> None:
    breaker = opened()
    assert breaker.state(5) is BreakerState.HALF_OPEN
    probe = breaker.admit(5)
    assert probe is not None
    assert probe.probe
    assert breaker.admit(5) is None
    assert breaker.retry_after(5) > 0


def test_a_probe_that_is_well_closes_it_with_a_clean_slate() -> None:
    breaker = opened()
    play(breaker, ".", now=5)
    assert breaker.state(5.1) is BreakerState.CLOSED
    assert breaker.retry_after(5.1) == 0
    play(breaker, "xxx", now=6)
    assert breaker.state(6.1) is BreakerState.CLOSED


@pytest.mark.parametrize("outcome", ["x", "s"])
def test_a_probe_that_fails_or_is_slow_opens_it_again(outcome: str) -> None:
    breaker = opened()
    play(breaker, outcome, now=5)
    assert breaker.state(9) is BreakerState.OPEN
    assert breaker.state(12) is BreakerState.HALF_OPEN


def test_a_lost_probe_is_followed_by_another_and_comes_too_late() -> None:
    breaker = opened()
    lost = breaker.admit(5)
    assert lost is not None
    assert breaker.admit(24.9) is None
    second = breaker.admit(25)
    assert second is not None
    breaker.record(lost, 26, ok=True)
    assert breaker.state(26) is BreakerState.HALF_OPEN
    breaker.forget(lost)
    assert breaker.admit(26) is None
    breaker.record(second, 26, ok=True)
    assert breaker.state(26) is BreakerState.CLOSED


def test_a_probe_that_was_not_made_leaves_room_for_another() -> None:
    breaker = opened()
    probe = breaker.admit(5)
    assert probe is not None
    breaker.forget(probe)
    assert breaker.state(5) is BreakerState.HALF_OPEN
    assert breaker.admit(5) is not None


def test_calls_that_began_before_it_opened_decide_nothing() -> None:
    breaker = Breaker(POLICY)
    early = [permit for _ in range(4) if (permit := breaker.admit(0)) is not None]
    play(breaker, "xxxx", seconds=0)
    for permit in early:
        breaker.record(permit, 1, ok=False)
    probe = breaker.admit(5)
    assert probe is not None
    breaker.record(early[0], 5, ok=True)
    assert breaker.state(5) is BreakerState.HALF_OPEN


def test_a_call_that_was_not_made_does_not_count() -> None:
    breaker = Breaker(POLICY)
    for _ in range(10):
        permit = breaker.admit(0)
        assert permit is not None
        breaker.forget(permit)
    play(breaker, "xxx")
    assert breaker.state(1) is BreakerState.CLOSED


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": 0},
        {"minimum": 0},
        {"failure_ratio": 0},
        {"failure_ratio": 1.1},
        {"slow_ratio": -1},
        {"open_seconds": 0},
        {"slow_seconds": -1},
        {"probe_seconds": 0},
    ],
)
def test_a_policy_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="out of range"):
        BreakerPolicy(**wrong)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 32).map(lambda n: n / 4),
            st.sampled_from(["admit", "ok", "bad", "forget"]),
            st.integers(0, 5),
        )
    )
)
def test_half_open_never_has_two_probes_and_closed_never_refuses(steps: list[tuple[float, str, int]]) -> None:
    breaker, now = Breaker(POLICY), 0.0
    out: list[Permit] = []
    probe: Permit | None = None
    for pause, kind, which in steps:
        now += pause
        if kind == "admit":
            state = breaker.state(now)
            permit = breaker.admit(now)
            if state is BreakerState.CLOSED:
                assert permit is not None
            elif state is BreakerState.OPEN:
                assert permit is None
            elif permit is not None:
                assert permit.probe
                assert probe is None or probe not in out or now >= probe.at + POLICY.probe_seconds
                probe = permit
            assert (permit is not None) or breaker.retry_after(now) > 0
            out += [permit] if permit is not None else []
        elif out:
            permit = out.pop(which % len(out))
            if kind == "forget":
                breaker.forget(permit)
            else:
                breaker.record(permit, now, ok=kind == "ok")
        # Whoever waits as long as he is told is not refused for having come too early.
        again = now + breaker.retry_after(now)
        assert breaker.retry_after(now) >= 0
        assert breaker.state(again) is not BreakerState.OPEN
