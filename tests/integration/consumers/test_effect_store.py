"""The contract of an effect store, on PostgreSQL and in memory (design §7)."""

from __future__ import annotations

from msgspec.structs import replace

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from consumers.claims import Claim, Settlement
from consumers.limit import Advice, Granted, Limit, Want
from orchestrator.core.effects import Ask, EffectRow, Perform, Refuse, Repeat, RowStatus, StayUnknown, Wait
from orchestrator.core.messages import Direction

DO, UNDO = Direction.DO, Direction.UNDO
ONE, TWO = UUID(int=1), UUID(int=2)
LEASE = 60


# -- claim -----------------------------------------------------------------------------------------------------------


async def test_a_first_claim_is_performed_and_holds_a_lease(bench: Any) -> None:
    admitted = await bench.claim(ONE)
    assert admitted.verdict == Perform()
    assert admitted.now == bench.clock.now
    until = bench.clock.now + timedelta(seconds=LEASE)
    assert admitted.row == await bench.row() == EffectRow(RowStatus.CLAIMED, 1, ONE, until)


async def test_another_worker_waits_for_the_lease(bench: Any) -> None:
    first = await bench.claim(ONE)
    bench.clock.advance(LEASE - 1)
    admitted = await bench.claim(TWO)
    assert admitted.verdict == Wait(first.row.lease_until)
    assert (await bench.row()).owner == ONE


@pytest.mark.parametrize(
    ("effect", "verdict"),
    [
        ("idempotent", Perform(doubtful=True)),
        ("queryable", Perform(probe=True, doubtful=True)),
        ("blind", StayUnknown()),
    ],
)
async def test_the_claim_of_a_dead_worker_is_resolved_by_the_systems_class(
    effect: str, verdict: object, bench: Any
) -> None:
    await bench.claim(ONE, effect=effect)
    bench.clock.advance(LEASE)
    admitted = await bench.claim(TWO, effect=effect)
    assert admitted.verdict == verdict
    assert admitted.row == await bench.row()
    assert admitted.row.doubtful
    if effect == "blind":
        assert (admitted.row.status, admitted.row.reply) == (RowStatus.UNKNOWN, b"nobody knows")
        assert (await bench.claim(TWO, effect=effect)).verdict == Repeat()
    else:
        assert admitted.row.owner == TWO


async def test_a_claim_whose_commit_was_not_learnt_of_is_ours_with_a_new_lease(bench: Any) -> None:
    first = await bench.claim(ONE)
    bench.clock.advance(LEASE + 5)
    again = await bench.claim(ONE)
    assert again.verdict == first.verdict
    assert again.row.lease_until == bench.clock.now + timedelta(seconds=LEASE)
    # The caller counts its lease from this try, so nobody else may come before it has passed.
    assert isinstance((await bench.claim(TWO)).verdict, Wait)


@pytest.mark.parametrize("effect", ["idempotent", "queryable"])
async def test_a_doubt_survives_a_claim_whose_commit_was_not_learnt_of(effect: str, bench: Any) -> None:
    await bench.claim(ONE, effect=effect)
    bench.clock.advance(LEASE)
    first = await bench.claim(TWO, effect=effect)
    again = await bench.claim(TWO, effect=effect)
    assert again.verdict == first.verdict == Perform(probe=effect == "queryable", doubtful=True)


@pytest.mark.parametrize("result", ["done", "rejected", "failed", "unknown"])
async def test_the_same_attempt_gets_the_stored_reply(result: str, bench: Any) -> None:
    await bench.finish(result)
    admitted = await bench.claim(TWO)
    assert admitted.verdict == Repeat()
    assert (admitted.row.status.value, admitted.row.reply, admitted.row.owner) == (result, b"reply", None)
    assert admitted.row == await bench.row()


async def test_a_higher_attempt_performs_after_a_failure_and_takes_the_old_reply_away(bench: Any) -> None:
    await bench.finish("failed")
    admitted = await bench.claim(TWO, attempt=2)
    assert admitted.verdict == Perform()
    assert (admitted.row.attempt, admitted.row.reply) == (2, None)


async def test_an_old_command_does_not_lower_the_highest_attempt(bench: Any) -> None:
    await bench.finish("failed")
    await bench.claim(ONE, attempt=2)
    bench.clock.advance(LEASE)
    admitted = await bench.claim(TWO, attempt=1)
    assert admitted.verdict == Perform(doubtful=True)
    assert admitted.row.attempt == 2
    assert await bench.settle(admitted, bench.identity(), "failed")
    assert (await bench.claim(uuid4(), attempt=2)).verdict == Repeat()


async def test_a_batch_is_judged_as_one(bench: Any) -> None:
    def claim(step: str, owner: UUID) -> Claim:
        return Claim(bench.identity(step=step), "erp", Ask(DO, 1, "idempotent"), owner, LEASE)

    await bench.effects.claim([claim("b", ONE)])
    verdicts = [a.verdict for a in await bench.effects.claim([claim(step, TWO) for step in ("c", "b", "a")])]
    assert verdicts == [Perform(), Wait(bench.clock.now + timedelta(seconds=LEASE)), Perform()]


async def test_steps_rounds_and_sagas_are_strangers(bench: Any) -> None:
    await bench.claim(ONE)
    for identity in (
        bench.identity(round_=2),
        bench.identity(step="other"),
        replace(bench.identity(), saga_id=uuid4()),
    ):
        (admitted,) = await bench.effects.claim([Claim(identity, "erp", Ask(DO, 1, "idempotent"), TWO, LEASE)])
        assert admitted.verdict == Perform()


# -- undo ------------------------------------------------------------------------------------------------------------


async def test_an_undo_without_its_do_leaves_a_tombstone_and_still_calls(bench: Any) -> None:
    assert (await bench.claim(ONE, direction=UNDO)).verdict == Perform()
    assert (await bench.row()).status is RowStatus.TOMBSTONE
    assert (await bench.claim(TWO)).verdict == Refuse()
    assert (await bench.claim(TWO, attempt=9)).verdict == Refuse()


async def test_an_undo_waits_for_a_do_in_progress_and_fences_a_dead_one(bench: Any) -> None:
    frozen = await bench.claim(ONE)
    assert (await bench.claim(TWO, direction=UNDO)).verdict == Wait(frozen.row.lease_until)
    assert await bench.row(UNDO) is None
    bench.clock.advance(LEASE)
    assert (await bench.claim(TWO, direction=UNDO)).verdict == Perform()
    do = await bench.row()
    assert (do.status, do.owner, do.doubtful) == (RowStatus.UNKNOWN, None, True)
    # The frozen worker wakes up: its claim is gone.
    assert not await bench.effects.renew(bench.identity(), ONE, LEASE)
    assert not await bench.settle(frozen, bench.identity(), "done")


async def test_a_do_that_was_done_is_refused_once_its_undo_has_a_row(bench: Any) -> None:
    await bench.finish("done")
    await bench.finish("failed", direction=UNDO)
    assert (await bench.claim(TWO)).verdict == Refuse()
    assert (await bench.row()).status is RowStatus.DONE


async def test_the_undo_of_a_blind_system_whose_worker_died_stays_unknown(bench: Any) -> None:
    await bench.finish("done")
    await bench.claim(ONE, direction=UNDO, effect="blind")
    bench.clock.advance(LEASE)
    admitted = await bench.claim(TWO, direction=UNDO, effect="blind")
    assert admitted.verdict == StayUnknown()
    assert (await bench.row(UNDO)).reply == b"nobody knows"


# -- renew -----------------------------------------------------------------------------------------------------------


async def test_renewing_moves_the_end_of_the_lease(bench: Any) -> None:
    await bench.claim(ONE)
    bench.clock.advance(LEASE - 1)
    assert await bench.effects.renew(bench.identity(), ONE, LEASE)
    bench.clock.advance(LEASE - 1)
    assert isinstance((await bench.claim(TWO)).verdict, Wait)
    bench.clock.advance(1)
    assert (await bench.claim(TWO)).verdict == Perform(doubtful=True)


async def test_renewing_is_a_compare_and_set_on_the_owner(bench: Any) -> None:
    assert not await bench.effects.renew(bench.identity(), ONE, LEASE)
    await bench.claim(ONE)
    assert not await bench.effects.renew(bench.identity(), TWO, LEASE)
    assert not await bench.effects.renew(bench.identity(UNDO), ONE, LEASE)
    bench.clock.advance(LEASE)
    # The lease has ended and nobody came: it is still ours.
    assert await bench.effects.renew(bench.identity(), ONE, LEASE)
    bench.clock.advance(LEASE)
    await bench.claim(TWO)
    assert not await bench.effects.renew(bench.identity(), ONE, LEASE)


async def test_what_is_settled_cannot_be_renewed(bench: Any) -> None:
    admitted = await bench.claim(ONE)
    await bench.settle(admitted, bench.identity(), "done")
    assert not await bench.effects.renew(bench.identity(), ONE, LEASE)


# -- settle ----------------------------------------------------------------------------------------------------------


async def test_settling_is_a_compare_and_set_on_the_owner(bench: Any) -> None:
    lost = await bench.claim(ONE)
    bench.clock.advance(LEASE)
    taken = await bench.claim(TWO)
    assert not await bench.settle(lost, bench.identity(), "failed", b"of one")
    assert await bench.settle(taken, bench.identity(), "done", b"of two")
    assert not await bench.settle(lost, bench.identity(), "failed", b"of one")
    row = await bench.row()
    assert (row.status, row.reply, row.doubtful) == (RowStatus.DONE, b"of two", False)


async def test_settling_again_what_we_settled_is_ours(bench: Any) -> None:
    admitted = await bench.claim(ONE)
    assert await bench.settle(admitted, bench.identity(), "done", b"same")
    assert await bench.settle(admitted, bench.identity(), "done", b"same")
    assert not await bench.settle(admitted, bench.identity(), "done", b"other")
    assert not await bench.settle(admitted, bench.identity(), "failed", b"same")


async def test_what_nobody_claimed_cannot_be_settled(bench: Any) -> None:
    admitted = await bench.claim(ONE)
    assert not await bench.settle(admitted, bench.identity(UNDO), "done")
    assert await bench.row(UNDO) is None


async def test_a_batch_of_settlements_tells_of_each(bench: Any) -> None:
    admitted = await bench.claim(ONE)
    row = replace(admitted.row, status=RowStatus.DONE, owner=None, lease_until=None, reply=b"x")
    lost, ours = Settlement(bench.identity(UNDO), TWO, row), Settlement(bench.identity(), ONE, row)
    assert list(await bench.effects.settle([lost, ours])) == [False, True]


# -- offsets ---------------------------------------------------------------------------------------------------------


async def test_watermarks_only_rise_and_belong_to_a_group(bench: Any) -> None:
    place, other = ("erp.commands", 0), ("erp.commands", 1)
    assert await bench.effects.watermarks("g") == {}
    await bench.effects.mark("g", {place: 5, other: 7})
    await bench.effects.mark("g", {place: 3, other: 9})
    await bench.effects.mark("h", {place: 1})
    assert await bench.effects.watermarks("g") == {place: 5, other: 9}
    assert await bench.effects.watermarks("h") == {place: 1}


async def test_a_do_below_the_watermark_without_a_row_is_unknown_and_not_new(bench: Any) -> None:
    assert (await bench.claim(ONE, effect="blind", seen_before=True)).verdict == StayUnknown()


# -- pace ------------------------------------------------------------------------------------------------------------


async def test_places_follow_one_another_and_a_pause_is_hardly_made_up_for(bench: Any) -> None:
    assert await bench.reserve("erp", 5, 10.0) == pytest.approx(-0.1, abs=1e-4)
    assert await bench.reserve("erp", 1, 10.0) == pytest.approx(0.4, abs=1e-4)
    assert await bench.reserve("portal", 1, 10.0) == pytest.approx(-0.1, abs=1e-4)
    bench.clock.advance(3600)
    assert await bench.reserve("erp", 1, 10.0) == pytest.approx(-0.1, abs=1e-4)


async def test_another_rate_holds_at_once_and_what_was_taken_stays_so_many_calls(bench: Any) -> None:
    await bench.reserve("erp", 11, 0.1)
    assert await bench.reserve("erp", 1, 100.0) == pytest.approx(0.11, abs=2e-3)
    assert await bench.reserve("erp", 1, 1.0) == pytest.approx(12.0, abs=2e-1)


async def test_a_call_needs_a_place_under_each_of_its_limits(bench: Any) -> None:
    credential = Limit("api_key env:KEY", 2.0)
    erp, portal = ([Want(Limit(name, 10.0)), Want(credential)] for name in ("erp", "portal"))
    assert await bench.effects.reserve(erp, 2) == Granted(pytest.approx(-0.1, abs=1e-4), pytest.approx(0.5, abs=1e-4))
    assert (await bench.effects.reserve(portal, 1)).first == pytest.approx(0.9, abs=1e-4)
    assert (await bench.effects.reserve(erp, 1)).first == pytest.approx(1.4, abs=1e-4)
    # The system's own limit was moved by its own calls alone.
    assert await bench.reserve("erp", 1, 10.0) == pytest.approx(0.2, abs=1e-4)


async def test_a_pause_holds_for_all_and_what_it_held_up_is_not_made_up_for(bench: Any) -> None:
    await bench.reserve("erp", 1, 10.0)
    await bench.reserve("erp", 0, 10.0, Advice(0.0, 60.0))
    bench.clock.advance(10)
    assert await bench.reserve("erp", 1, 10.0) == pytest.approx(50.0, abs=1e-3)
    # What was said by an older answer, or of a shorter time, ends no pause.
    assert await bench.reserve("erp", 1, 10.0, Advice(5.0, 60.0)) == pytest.approx(50.1, abs=1e-3)
    assert await bench.reserve("erp", 1, 10.0, Advice(0.0, 1.0)) == pytest.approx(50.2, abs=1e-3)
    bench.clock.advance(55)
    assert await bench.reserve("erp", 1, 10.0) == pytest.approx(-0.1, abs=1e-3)
    assert await bench.reserve("erp", 1, 10.0) == pytest.approx(0.0, abs=1e-3)


async def test_what_remains_is_spread_until_the_reset_and_then_the_own_limit_holds_again(bench: Any) -> None:
    assert await bench.reserve("erp", 1, 10.0, Advice(0.5, 8.0)) == pytest.approx(-0.1, abs=1e-3)
    firsts = [await bench.reserve("erp", 1, 10.0) for _ in range(6)]
    assert firsts == pytest.approx([1.9, 3.9, 5.9, 7.9, 8.1, 8.2], abs=1e-3)
    bench.clock.advance(9)
    firsts = [await bench.reserve("erp", 1, 10.0) for _ in range(3)]
    assert firsts == pytest.approx([-0.1, 0.0, 0.1], abs=1e-3)


async def test_advice_never_makes_a_system_faster_than_its_limit(bench: Any) -> None:
    firsts = [await bench.reserve("erp", 1, 10.0, Advice(1000.0, 60.0)) for _ in range(3)]
    assert firsts == pytest.approx([-0.1, 0.0, 0.1], abs=1e-3)
