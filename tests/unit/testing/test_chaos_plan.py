"""What strikes when follows from the seed alone."""

from __future__ import annotations

import pytest

from orchestrator.testing.chaos.plan import COORDINATOR, SANDBOX, Kind, make_plan

SYSTEMS = ["erp", "mail", "portal", "suppliers"]


def test_the_same_seed_is_the_same_plan_and_another_is_another() -> None:
    assert make_plan(7, 120, SYSTEMS) == make_plan(7, 120, SYSTEMS)
    assert make_plan(7, 120, SYSTEMS).strikes != make_plan(8, 120, SYSTEMS).strikes


@pytest.mark.parametrize("seed", range(50))
def test_in_two_minutes_everything_strikes(seed: int) -> None:
    plan = make_plan(seed, 120, SYSTEMS)
    kills = {f"kill {target}" for target in [*SYSTEMS, COORDINATOR, SANDBOX]}
    others = {kind.value for kind in Kind if kind is not Kind.KILL}
    assert set(plan.names) == kills | others
    assert {s.target for s in plan.strikes if s.kind is Kind.FREEZE} & set(SYSTEMS)
    assert COORDINATOR in {s.target for s in plan.strikes if s.kind is Kind.FREEZE}


@pytest.mark.parametrize("seconds", [20, 60, 120, 600])
def test_at_most_two_strike_at_a_time_and_all_are_over_in_time(seconds: float) -> None:
    for seed in range(20):
        plan = make_plan(seed, seconds, SYSTEMS)
        assert plan.strikes
        assert len({strike.lane for strike in plan.strikes}) <= 2
        for lane in (0, 1):
            mine = [strike for strike in plan.strikes if strike.lane == lane]
            assert all(a.at + a.takes <= b.at for a, b in zip(mine, mine[1:], strict=False))
        assert max(strike.at + strike.takes for strike in plan.strikes) < seconds


def test_in_an_hour_everything_strikes_further_apart() -> None:
    short, long = make_plan(3, 120, SYSTEMS), make_plan(3, 3600, SYSTEMS)
    assert short.names == long.names
    assert len(short.strikes) <= len(long.strikes) < 4 * len(short.strikes)
    assert long.strikes[-1].at > 3000
