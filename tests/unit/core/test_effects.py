"""When a consumer may call (design §7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
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
    settled,
)
from orchestrator.core.messages import Direction, Failure, Outcome

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(seconds=5), NOW - timedelta(seconds=5)
OWNER = UUID(int=1)


def ask(attempt: int = 1, effect: str = "idempotent", direction: Direction = Direction.DO, **details: object) -> Ask:
    return Ask(direction, attempt, effect, **details)  # type: ignore[arg-type]


def claimed(until: datetime) -> EffectRow:
    return EffectRow(RowStatus.CLAIMED, 1, OWNER, until)


def test_a_first_command_is_performed() -> None:
    assert admit(ask(), None, None, NOW) == Perform()


@pytest.mark.parametrize("status", [RowStatus.DONE, RowStatus.REJECTED, RowStatus.FAILED, RowStatus.UNKNOWN])
def test_the_same_attempt_gets_the_stored_reply(status: RowStatus) -> None:
    assert admit(ask(1), EffectRow(status, 1), None, NOW) == Repeat()
    assert admit(ask(1), EffectRow(status, 3), None, NOW) == Repeat()


def test_done_is_never_done_again() -> None:
    assert admit(ask(9, by_operator=True), EffectRow(RowStatus.DONE, 1), None, NOW) == Repeat()


def test_a_higher_attempt_may_call_after_failed() -> None:
    assert admit(ask(2), EffectRow(RowStatus.FAILED, 1), None, NOW) == Perform()


def test_after_rejected_only_an_operator_may_call() -> None:
    row = EffectRow(RowStatus.REJECTED, 1)
    assert admit(ask(2), row, None, NOW) == Repeat()
    assert admit(ask(2, by_operator=True), row, None, NOW) == Perform()


@pytest.mark.parametrize(
    ("effect", "verdict"),
    [
        ("idempotent", Perform(doubtful=True)),
        ("queryable", Perform(probe=True, doubtful=True)),
        ("blind", StayUnknown()),
    ],
)
def test_an_unknown_is_resolved_by_the_systems_class(effect: str, verdict: object) -> None:
    assert admit(ask(2, effect), EffectRow(RowStatus.UNKNOWN, 1, doubtful=True), None, NOW) == verdict
    assert admit(ask(1, effect), claimed(EARLIER), None, NOW) == verdict
    assert admit(ask(2, effect), None, None, NOW) == verdict
    assert admit(ask(1, effect, seen_before=True), None, None, NOW) == verdict


def test_a_person_resolves_a_blind_unknown() -> None:
    row = EffectRow(RowStatus.UNKNOWN, 1, doubtful=True)
    assert admit(ask(2, "blind", by_operator=True, resolved="not-done"), row, None, NOW) == Perform()


def test_a_person_spoke_of_the_attempts_before_and_not_of_the_one_that_died() -> None:
    again = ask(2, "blind", by_operator=True, resolved="not-done")
    died = EffectRow(RowStatus.CLAIMED, 2, OWNER, EARLIER)
    assert admit(again, died, None, NOW) == StayUnknown()
    assert admit(again, EffectRow(RowStatus.CLAIMED, 1, OWNER, EARLIER), None, NOW) == Perform()
    # Below the committed offset without a row: it was dealt with once, so the person spoke before that, too.
    lost = ask(2, "blind", by_operator=True, resolved="not-done", seen_before=True)
    assert admit(lost, None, None, NOW) == StayUnknown()


def test_a_claim_of_a_live_worker_is_waited_for() -> None:
    assert admit(ask(), claimed(LATER), None, NOW) == Wait(LATER)


def test_an_undo_cannot_overtake_a_slow_do() -> None:
    assert admit(ask(direction=Direction.UNDO), claimed(LATER), None, NOW) == Wait(LATER)
    assert admit(ask(direction=Direction.UNDO), claimed(EARLIER), None, NOW) == Perform()


@pytest.mark.parametrize("undo", [RowStatus.DONE, RowStatus.FAILED, RowStatus.UNKNOWN])
def test_a_do_whose_undo_has_a_row_is_refused_and_never_told_of_its_success(undo: RowStatus) -> None:
    assert admit(ask(2), EffectRow(RowStatus.DONE, 1), EffectRow(undo, 1), NOW) == Refuse()
    assert admit(ask(1), None, EffectRow(undo, 1), NOW) == Refuse()


def test_a_tombstone_refuses_a_late_do() -> None:
    assert admit(ask(3), EffectRow(RowStatus.TOMBSTONE, 1), None, NOW) == Refuse()


def test_an_undo_without_its_do_still_calls() -> None:
    assert admit(ask(direction=Direction.UNDO), None, None, NOW) == Perform()


@pytest.mark.parametrize(
    ("effect", "outcome"),
    [("idempotent", Outcome.REJECTED), ("queryable", Outcome.UNKNOWN), ("blind", Outcome.UNKNOWN)],
)
def test_rejected_after_doubt_proves_nothing_unless_bound_to_the_key(effect: str, outcome: Outcome) -> None:
    row = EffectRow(RowStatus.CLAIMED, 2, OWNER, LATER, doubtful=True)
    after, result = settled(row, effect, Failure(Outcome.REJECTED, "DUPLICATE"))  # type: ignore[arg-type]
    assert isinstance(result, Failure)
    assert result.outcome is outcome
    assert after.status.value == outcome.value
    assert after.owner is None


@pytest.mark.parametrize("effect", ["idempotent", "queryable"])
def test_failed_after_doubt_is_still_a_doubt(effect: str) -> None:
    # This attempt did nothing; an earlier one may have. The coordinator may have missed its answer.
    row = EffectRow(RowStatus.CLAIMED, 2, OWNER, LATER, doubtful=True)
    after, result = settled(row, effect, Failure(Outcome.FAILED, "CANNOT_CONNECT", retry_after=3))  # type: ignore[arg-type]
    assert result == Failure(Outcome.UNKNOWN, "CANNOT_CONNECT", retry_after=3)
    assert (after.status, after.doubtful) == (RowStatus.UNKNOWN, True)
    # So the next attempt asks a queryable system before it calls it.
    assert admit(ask(3, effect), after, None, NOW) == Perform(probe=effect == "queryable", doubtful=True)
