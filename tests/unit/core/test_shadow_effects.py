"""What an effect was begun as holds for as long as its row does, and its undo goes by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from orchestrator.core.effects import (
    Ask,
    EffectRow,
    Perform,
    Refuse,
    Repeat,
    RowStatus,
    StayUnknown,
    Wait,
    admit,
    begun_in,
    settled,
)
from orchestrator.core.messages import Direction, Failure, Outcome

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(seconds=9), NOW - timedelta(seconds=9)
OWNER = UUID(int=1)
ENDED = [RowStatus.DONE, RowStatus.REJECTED, RowStatus.FAILED, RowStatus.UNKNOWN]


def ask(
    attempt: int = 1, *, undo: bool = False, shadow: bool | None = False, effect: Any = "blind", **more: Any
) -> Ask:
    return Ask(Direction.UNDO if undo else Direction.DO, attempt, effect, shadow=shadow, **more)


@pytest.mark.parametrize("shadow", [True, False])
def test_a_do_begins_in_the_mode_of_now_and_keeps_it(*, shadow: bool) -> None:
    assert begun_in(ask(shadow=shadow), None, None) is shadow
    for status in (*ENDED, RowStatus.CLAIMED):
        row = EffectRow(status, 1, shadow=shadow)
        assert begun_in(ask(2, shadow=not shadow), row, None) is shadow
        assert begun_in(ask(2, shadow=not shadow, resolved="not-done"), row, None) is shadow


@pytest.mark.parametrize("shadow", [True, False])
@pytest.mark.parametrize("now", [True, False, None])
def test_an_undo_goes_by_its_do_whatever_the_mode_has_become(shadow: bool, now: bool | None) -> None:  # noqa: FBT001 - parameters
    for status in ENDED:
        do = EffectRow(status, 1, shadow=shadow)
        assert begun_in(ask(undo=True, shadow=now), do, None) is shadow
        assert begun_in(ask(2, undo=True, shadow=now), do, EffectRow(RowStatus.FAILED, 1, shadow=shadow)) is shadow


def test_a_worker_that_died_over_a_shadow_has_done_nothing() -> None:
    died = EffectRow(RowStatus.CLAIMED, 1, OWNER, EARLIER, shadow=True)
    assert admit(ask(shadow=False), died, None, NOW) == Perform()
    assert admit(ask(2, undo=True, shadow=None), EffectRow(RowStatus.DONE, 1, shadow=True), died, NOW) == Perform()
    alive = EffectRow(RowStatus.CLAIMED, 1, OWNER, LATER, shadow=True)
    assert admit(ask(shadow=False), alive, None, NOW) == Wait(LATER)


def test_a_worker_that_died_over_a_live_call_leaves_a_doubt_although_the_system_is_in_shadow_now() -> None:
    died = EffectRow(RowStatus.CLAIMED, 1, OWNER, EARLIER, shadow=False)
    assert admit(ask(shadow=True), died, None, NOW) == StayUnknown()
    assert admit(ask(shadow=True, effect="queryable"), died, None, NOW) == Perform(probe=True, doubtful=True)


@pytest.mark.parametrize("effect", ["idempotent", "queryable", "blind"])
def test_without_a_row_that_should_be_there_nobody_says_that_it_was_a_shadow(effect: str) -> None:
    for lost in (ask(2, shadow=True, effect=effect), ask(seen_before=True, shadow=True, effect=effect)):
        assert begun_in(lost, None, None) is None
        assert admit(lost, None, None, NOW) == StayUnknown()
    # It stays open, attempt after attempt, until a person has looked.
    row = EffectRow(RowStatus.UNKNOWN, 2, doubtful=True, shadow=None)
    assert admit(ask(3, shadow=True, effect=effect), row, None, NOW) == StayUnknown()
    looked = ask(4, shadow=True, effect=effect, resolved="not-done", by_operator=True)
    assert (begun_in(looked, row, None), admit(looked, row, None, NOW)) == (True, Perform())
    # And so does its undo: something real may be there, or something that only the existing process did.
    assert admit(ask(undo=True, shadow=None, effect=effect), row, None, NOW) == StayUnknown()


def test_an_undo_without_a_row_of_its_do_asks_what_the_coordinator_has_heard() -> None:
    assert begun_in(ask(undo=True, shadow=True), None, None) is True
    assert admit(ask(undo=True, shadow=True), None, None, NOW) == Perform()
    assert admit(ask(undo=True, shadow=None), None, None, NOW) == StayUnknown()
    assert admit(ask(undo=True, shadow=False), None, None, NOW) == Perform()


def test_the_rest_is_as_ever() -> None:
    done = EffectRow(RowStatus.DONE, 1, shadow=True)
    assert admit(ask(1, shadow=True), done, None, NOW) == Repeat()
    assert admit(ask(1, shadow=True), None, EffectRow(RowStatus.DONE, 1, shadow=True), NOW) == Refuse()
    assert admit(ask(2, shadow=True), EffectRow(RowStatus.FAILED, 1, shadow=True), None, NOW) == Perform()


def test_of_a_shadow_nothing_is_unknown() -> None:
    row = EffectRow(RowStatus.CLAIMED, 1, OWNER, LATER, shadow=True)
    after, said = settled(row, "blind", Failure(Outcome.UNKNOWN, "TIMEOUT"))
    assert (after.status, after.doubtful, after.shadow) == (RowStatus.FAILED, False, True)
    assert said == Failure(Outcome.FAILED, "TIMEOUT")
