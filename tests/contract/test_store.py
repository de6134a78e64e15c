"""The contract of the coordinator's store and of its timers' view, on PostgreSQL and in memory (design §5)."""

from __future__ import annotations

from msgspec.structs import replace

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from orchestrator.core.messages import Direction
from orchestrator.core.payload import Payload
from orchestrator.core.sample import sample
from orchestrator.core.state import Cause, Effect, EffectStatus, Park, Rewind, Status, StepState
from orchestrator.database import BadData, MissingPartition, StoreConflict
from orchestrator.messaging.message import Outgoing
from orchestrator.store.errors import DefinitionChanged
from orchestrator.store.partitions import uuid_at
from orchestrator.store.ports import Change, Held
from schemas.models import VendorCreated

ONE = Outgoing("erp.commands", b"k", b"\x00\xff", (("ce_id", b"1"), ("ce_id", None), ("empty", b"")))
TWO = Outgoing("saga.outcomes", None, None)


# -- transactions ----------------------------------------------------------------------------------------------------


async def test_a_saga_comes_back_as_it_was_written(bench: Any) -> None:
    now = bench.clock.now
    effect = Effect(EffectStatus.IN_FLIGHT, 2, now, 0, now + timedelta(seconds=1), doubtful=True, code="C", message="m")
    done = Effect(EffectStatus.DONE, 1, now, 1, unanswered=True)
    asked = Effect(EffectStatus.WAITING, 1, now, 2, unheard=True, ordered="not-done")
    output = Payload.of(sample(VendorCreated, full=True))
    step = StepState(done, effect, asked, output, 3, bench.state().request, (1, 2))
    state = bench.state(
        steps={"erp-vendor": step},
        backward=Cause.RERUN,
        rewind=Rewind("erp-vendor", bench.state().request),
        deadline=now + timedelta(hours=1),
        paused=True,
        buried=True,
        parks=(Park("A", "why", "erp-vendor", Direction.UNDO), Park("B", "why else")),
        failed_step="erp-vendor",
        code="C",
        message="m\x00 ü",
        wake_at=now + timedelta(microseconds=1),
    )
    await bench.put(state)
    assert await bench.get() == state


async def test_what_is_not_committed_never_was(bench: Any) -> None:
    async with bench.store.begin() as transaction:
        await transaction.lock([bench.saga])
        await transaction.adopt("erp", "1", bench.saga)
        await transaction.hold(Held(bench.saga, UUID(int=1), ONE), 60)
        await transaction.write(Change([(bench.saga, None, bench.state())], [bench.entry()], {("t", 0): 5}))
    assert await bench.get() is None
    assert await bench.applied(1) == {}
    assert await bench.store.progress("g") == {}
    bench.clock.advance(6)
    assert list(await bench.store.take_held(9)) == []
    async with bench.store.begin() as transaction:
        other = uuid7()
        assert await transaction.adopt("erp", "1", other) == other


async def test_an_error_in_a_transaction_undoes_it(bench: Any) -> None:
    async def fail() -> None:
        async with bench.store.begin() as transaction:
            await transaction.lock(())
            await transaction.write(Change([(bench.saga, None, bench.state())]))
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await bench.get() is None


async def test_a_transaction_sees_its_own_writes_and_no_other_does(bench: Any) -> None:
    async with bench.store.begin() as ours:
        await ours.lock(())
        await ours.write(Change([(bench.saga, None, bench.state())], [bench.entry(outputs=[ONE])], {("t", 0): 5}))
        assert (await ours.lock([bench.saga])).sagas == {bench.saga: bench.state()}
        assert await ours.applied([(bench.saga, UUID(int=1))]) == {(bench.saga, UUID(int=1)): [ONE]}
        assert list(await ours.outputs_of(bench.saga)) == [ONE]
        assert await bench.get() is None
        assert await bench.applied(1) == {}
        assert await bench.store.offsets("g", [("t", 0)]) == {}
        await ours.commit()
        assert await bench.get() == bench.state()


async def test_a_commit_lets_go_and_a_new_transaction_begins(bench: Any) -> None:
    async with bench.store.begin() as transaction:
        await transaction.lock(())
        await transaction.write(Change([(bench.saga, None, bench.state())]))
        await transaction.commit()
        await bench.put(bench.state(2), before=1)
        assert (await transaction.lock([bench.saga])).sagas[bench.saga].revision == 2


async def test_locking_tells_the_time_also_where_there_is_nothing_to_lock(bench: Any) -> None:
    await bench.put()
    bench.clock.advance(7)
    async with bench.store.begin() as transaction:
        for ids in ((), (uuid7(),), (bench.saga, uuid7())):
            locked = await transaction.lock(ids)
            assert locked.now == bench.clock.now
            assert set(locked.sagas) == {bench.saga} & set(ids)


# -- writing ---------------------------------------------------------------------------------------------------------


async def test_what_a_saga_began_with_stays(bench: Any) -> None:
    await bench.put()
    changed = bench.state(2, definition="other", version=9, business_key="x", agent="y", status=Status.REVIEW)
    await bench.put(changed, before=1)
    assert await bench.get() == bench.state(2, status=Status.REVIEW)


async def test_a_row_tells_when_it_began_changed_and_ended(bench: Any) -> None:
    start = bench.clock.now
    await bench.put()
    assert bench.times(bench.saga) == (start, start, None)
    bench.clock.advance(5)
    end = bench.clock.now
    await bench.put(bench.state(2, status=Status.COMPLETED), before=1)
    assert bench.times(bench.saga) == (start, end, end)
    bench.clock.advance(5)
    await bench.put(bench.state(3, status=Status.COMPLETED), before=2)
    assert bench.times(bench.saga) == (start, bench.clock.now, end)
    await bench.put(bench.state(4, status=Status.COMPENSATING), before=3)
    assert bench.times(bench.saga) == (start, bench.clock.now, None)


@pytest.mark.parametrize("before", [None, 1, 3])
async def test_a_saga_that_is_not_as_it_was_is_a_conflict(before: int | None, bench: Any) -> None:
    await bench.put(bench.state(2))
    with pytest.raises(StoreConflict):
        await bench.put(bench.state(4), before=before)
    assert await bench.get() == bench.state(2)


async def test_a_saga_that_is_not_there_is_a_conflict(bench: Any) -> None:
    with pytest.raises(StoreConflict):
        await bench.put(bench.state(2), before=1)


async def test_a_cause_is_applied_once(bench: Any) -> None:
    await bench.write(Change([(bench.saga, None, bench.state())], [bench.entry()]))
    again = Change([(bench.saga, 1, bench.state(2))], [bench.entry(revision=2)], {("t", 0): 5})
    with pytest.raises(StoreConflict):
        await bench.write(again)
    twice = Change([(bench.saga, 1, bench.state(2))], [bench.entry(2, 2), bench.entry(2, 3)])
    with pytest.raises(StoreConflict):
        await bench.write(twice)
    assert (await bench.get()).revision == 1
    assert await bench.applied(1, 2) == {1: ()}
    assert await bench.store.progress("g") == {}


async def test_the_same_cause_of_another_saga_is_another_one(bench: Any) -> None:
    other = uuid7()
    rows = [bench.entry(), bench.entry(saga=other)]
    await bench.write(Change([(bench.saga, None, bench.state()), (other, None, bench.state())], rows))
    assert await bench.applied(1) == {1: ()}


async def test_after_a_conflict_nothing_can_be_committed(bench: Any) -> None:
    await bench.put(bench.state(2))
    async with bench.store.begin() as transaction:
        await transaction.lock([bench.saga])
        change = Change([(bench.saga, 1, bench.state(3))], [bench.entry()], {("t", 0): 5})
        with pytest.raises(StoreConflict):
            await transaction.write(change)
        await transaction.commit()
    assert await bench.applied(1) == {}
    assert await bench.store.progress("g") == {}


@pytest.mark.parametrize(
    "fields",
    [
        {"status": Status.COMPLETED, "wake_at": "now"},
        {"version": 0},
        {"version": 2**31},
        {"revision": 0},
        {"business_key": "a\x00b"},
        {"agent": "half a pair: \ud800"},
        {"definition": "a\x00b"},
        {"code": "half a pair: \ud800"},
    ],
    ids=str,
)
async def test_a_row_that_contradicts_itself_or_cannot_be_stored_is_bad_data(
    fields: dict[str, Any], bench: Any
) -> None:
    if "wake_at" in fields:
        fields = {**fields, "wake_at": bench.clock.now}
    with pytest.raises(BadData):
        await bench.put(bench.state(**fields))
    assert await bench.get() is None


async def test_an_ended_saga_has_no_deadline(bench: Any) -> None:
    await bench.put()
    with pytest.raises(BadData):
        await bench.put(bench.state(2, status=Status.CANCELLED, wake_at=bench.clock.now), before=1)
    assert await bench.get() == bench.state()


async def test_an_id_without_a_partition_stops_until_the_months_are_made(bench: Any) -> None:
    later = bench.clock.now + timedelta(days=100)
    saga = UUID(int=uuid_at(later).int + 5)
    with pytest.raises(MissingPartition):
        await bench.put(saga=saga)
    with pytest.raises(MissingPartition):
        await bench.write(Change(journal=[bench.entry(saga=saga)]))
    await bench.store.maintain()
    with pytest.raises(MissingPartition):
        await bench.put(saga=saga)
    bench.clock.advance(100 * 24 * 3600)
    await bench.store.maintain()
    await bench.put(saga=saga)
    await bench.put()  # the months that were there stay
    await bench.store.maintain()
    assert await bench.get(saga) == bench.state()


# -- the journal -----------------------------------------------------------------------------------------------------


async def test_the_journal_gives_back_what_was_received_and_sent(bench: Any) -> None:
    await bench.write(Change([(bench.saga, None, bench.state())], [bench.entry(7, 1, [ONE, TWO])]))
    await bench.write(Change([(bench.saga, 1, bench.state(3))], [bench.entry(5, 3, [TWO]), bench.entry(6, 2)]))
    assert await bench.applied(5, 6, 7, 8) == {5: [TWO], 6: (), 7: [ONE, TWO]}
    assert await bench.applied() == {}
    async with bench.store.begin() as transaction:
        assert list(await transaction.outputs_of(bench.saga)) == [ONE, TWO, TWO]
        assert await transaction.request_of(bench.saga) == bench.entry(7).input.again()
        assert list(await transaction.outputs_of(uuid7())) == []
        assert await transaction.request_of(uuid7()) is None


# -- offsets ---------------------------------------------------------------------------------------------------------


async def test_offsets_are_those_of_the_last_batch_also_after_a_rewind(bench: Any) -> None:
    await bench.write(Change(offsets={("t", 0): 9, ("t", 1): 4, ("u", 0): 1}))
    await bench.write(Change(offsets={("t", 0): 5}))
    assert await bench.store.offsets("g", [("t", 0), ("u", 0), ("u", 1)]) == {("t", 0): 5, ("u", 0): 1}
    assert await bench.store.offsets("g", []) == {}
    assert await bench.store.progress("g") == {("t", 0): 5, ("t", 1): 4, ("u", 0): 1}
    assert await bench.store.progress("h") == {}
    assert await bench.store.offsets("h", [("t", 0)]) == {}


# -- foreign events --------------------------------------------------------------------------------------------------


async def test_a_foreign_event_keeps_the_id_of_its_first_sight(bench: Any) -> None:
    first, second, third = uuid7(), uuid7(), uuid7()
    async with bench.store.begin() as transaction:
        assert await transaction.adopt("erp", "1", first) == first
        assert await transaction.adopt("erp", "1", second) == first
        await transaction.commit()
    async with bench.store.begin() as transaction:
        assert await transaction.adopt("erp", "1", second) == first
        assert await transaction.adopt("crm", "1", second) == second
        assert await transaction.adopt("erp", "2", third) == third
        await transaction.commit()


async def test_two_foreign_events_cannot_share_an_id(bench: Any) -> None:
    async with bench.store.begin() as transaction:
        await transaction.adopt("erp", "1", bench.saga)
        await transaction.commit()
    with pytest.raises(StoreConflict):
        async with bench.store.begin() as transaction:
            await transaction.adopt("erp", "2", bench.saga)


async def test_a_foreign_event_with_a_nul_is_bad_data(bench: Any) -> None:
    with pytest.raises(BadData):
        async with bench.store.begin() as transaction:
            await transaction.adopt("erp", "a\x00b", bench.saga)


# -- held messages ---------------------------------------------------------------------------------------------------


async def hold(bench: Any, cause: int, message: Outgoing = ONE, seconds: float = 60) -> bool:
    async with bench.store.begin() as transaction:
        held = await transaction.hold(Held(bench.saga, UUID(int=cause), message), seconds)
        await transaction.commit()
        return bool(held)


async def release(bench: Any, *causes: int) -> None:
    async with bench.store.begin() as transaction:
        await transaction.release([(bench.saga, UUID(int=cause)) for cause in causes])
        await transaction.commit()


async def test_a_message_is_held_for_so_long_since_it_was_held_first(bench: Any) -> None:
    assert await hold(bench, 1)
    bench.clock.advance(59)
    assert await hold(bench, 1)
    bench.clock.advance(1)
    assert not await hold(bench, 1)
    assert await hold(bench, 2)
    await release(bench, 1)
    assert await hold(bench, 1)


async def test_a_held_message_is_given_every_five_seconds(bench: Any) -> None:
    await hold(bench, 1)
    assert list(await bench.store.take_held(9)) == []
    bench.clock.advance(5)
    assert list(await bench.store.take_held(9)) == [ONE]
    bench.clock.advance(4)
    assert list(await bench.store.take_held(9)) == []
    await hold(bench, 1, TWO)  # it came back, and waits its time again; it stays as it was first seen
    bench.clock.advance(4)
    assert list(await bench.store.take_held(9)) == []
    bench.clock.advance(1)
    assert list(await bench.store.take_held(9)) == [ONE]


async def test_of_many_held_messages_those_are_given_that_wait_longest(bench: Any) -> None:
    for cause in (3, 1, 2):
        await hold(bench, cause, replace(ONE, value=b"%d" % cause))
        bench.clock.advance(1)
    bench.clock.advance(5)
    assert {message.value for message in await bench.store.take_held(2)} == {b"3", b"1"}
    assert [message.value for message in await bench.store.take_held(2)] == [b"2"]


async def test_what_is_released_is_given_no_more(bench: Any) -> None:
    await hold(bench, 1)
    await hold(bench, 2, TWO)
    async with bench.store.begin() as transaction:
        await transaction.release([(bench.saga, UUID(int=2))])  # and not committed
    await release(bench, 1, 9)
    await release(bench)
    bench.clock.advance(5)
    assert list(await bench.store.take_held(9)) == [TWO]


# -- timers ----------------------------------------------------------------------------------------------------------


async def test_a_saga_is_due_at_its_deadline_and_again_after_thirty_seconds(bench: Any) -> None:
    state = bench.state(wake_at=bench.clock.now + timedelta(seconds=5))
    await bench.put(state)
    await bench.put(saga=uuid7())  # this one waits for nothing
    bench.clock.advance(4.9)
    assert list(await bench.store.take_due(9)) == []
    bench.clock.advance(0.1)
    assert list(await bench.store.take_due(9)) == [bench.saga]
    assert await bench.get() == replace(state, wake_at=bench.clock.now + timedelta(seconds=30))
    bench.clock.advance(29.9)
    assert list(await bench.store.take_due(9)) == []
    bench.clock.advance(0.1)
    assert list(await bench.store.take_due(9)) == [bench.saga]


async def test_being_woken_is_no_change_of_the_saga(bench: Any) -> None:
    await bench.put(bench.state(wake_at=bench.clock.now))
    assert list(await bench.store.take_due(9)) == [bench.saga]
    await bench.put(bench.state(2, wake_at=bench.clock.now + timedelta(seconds=60)), before=1)
    assert (await bench.get()).wake_at == bench.clock.now + timedelta(seconds=60)


async def test_of_many_due_sagas_those_are_given_that_wait_longest(bench: Any) -> None:
    sagas = [uuid7() for _ in range(3)]
    for saga, seconds in zip(sagas, (3, 1, 2), strict=True):
        await bench.put(bench.state(wake_at=bench.clock.now - timedelta(seconds=seconds)), saga)
    assert set(await bench.store.take_due(2)) == {sagas[0], sagas[2]}
    assert list(await bench.store.take_due(2)) == [sagas[1]]


async def test_what_a_coordinator_works_on_is_passed_over(bench: Any) -> None:
    other = uuid7()
    for saga in (bench.saga, other):
        await bench.put(bench.state(wake_at=bench.clock.now), saga)
    await hold(bench, 1)
    await hold(bench, 2, TWO)
    bench.clock.advance(5)
    async with bench.store.begin() as transaction:
        await transaction.lock([bench.saga])
        await transaction.hold(Held(bench.saga, UUID(int=1), ONE), 60)
        assert list(await bench.store.take_due(9)) == [other]
        assert list(await bench.store.take_held(9)) == [TWO]
    assert list(await bench.store.take_due(9)) == [bench.saga]
    assert list(await bench.store.take_held(9)) == [ONE]


# -- deploys ---------------------------------------------------------------------------------------------------------


async def test_new_sagas_start_on_the_highest_version_that_every_live_replica_carries(bench: Any) -> None:
    old, new = uuid4(), uuid4()
    one, two = {1: "f1"}, {1: "f1", 2: "f2"}
    assert await bench.store.announce(old, {"a": one}) == {"a": 1}
    assert await bench.store.announce(new, {"a": two, "b": {3: "f3"}}) == {"a": 1, "b": 3}
    bench.clock.advance(9.9)
    assert await bench.store.announce(new, {"a": two}) == {"a": 1}
    bench.clock.advance(0.1)
    assert await bench.store.announce(new, {"a": two}) == {"a": 2}
    assert await bench.store.announce(old, {"a": one}) == {"a": 1}
    await bench.store.withdraw(old)
    assert await bench.store.announce(new, {"a": two}) == {"a": 2}


async def test_replicas_that_agree_on_no_version_start_on_their_own(bench: Any) -> None:
    await bench.store.announce(uuid4(), {"a": {1: "f1"}})
    assert await bench.store.announce(uuid4(), {"a": {2: "f2", 3: "f3"}}) == {"a": 3}


async def test_a_definition_that_changed_without_its_version_is_refused_whole(bench: Any) -> None:
    await bench.store.announce(uuid4(), {"a": {1: "f1"}})
    wrong = uuid4()
    with pytest.raises(DefinitionChanged, match="'a' version 1"):
        await bench.store.announce(wrong, {"b": {1: "mistaken"}, "a": {1: "other"}})
    # Nothing of it was noted: neither the replica, nor what else it carried.
    assert await bench.store.announce(uuid4(), {"a": {1: "f1", 2: "f2"}, "b": {1: "right"}}) == {"a": 1, "b": 1}


# -- two at once -----------------------------------------------------------------------------------------------------


async def test_who_locks_second_waits_and_sees_what_the_first_did(bench: Any) -> None:
    await bench.put()

    async def second() -> Any:
        async with bench.store.begin() as transaction:
            locked = await transaction.lock([bench.saga])
            cause = (bench.saga, UUID(int=1))
            return locked, await transaction.applied([cause])

    async with bench.store.begin() as first:
        await first.lock([bench.saga])
        waits = bench.beside(second)
        await bench.blocked()
        await first.write(Change([(bench.saga, 1, bench.state(2))], [bench.entry(1, 2, [ONE])]))
        await first.commit()
    locked, applied = await waits
    assert locked.sagas[bench.saga].revision == 2
    assert applied == {(bench.saga, UUID(int=1)): [ONE]}


async def test_who_waited_for_a_lock_does_not_live_in_the_past(bench: Any) -> None:
    await bench.put()

    async def second() -> Any:
        async with bench.store.begin() as transaction:
            return (await transaction.lock([bench.saga])).now

    async with bench.store.begin() as first:
        await first.lock([bench.saga])
        waits = bench.beside(second)
        await bench.blocked()
        bench.clock.advance(10)
        await first.commit()
    assert await waits == bench.clock.now


@pytest.mark.parametrize("commits", [True, False])
async def test_of_two_that_begin_a_saga_the_second_conflicts_if_the_first_commits(commits: bool, bench: Any) -> None:
    change = Change([(bench.saga, None, bench.state())], [bench.entry()])
    async with bench.store.begin() as first:
        await first.lock([bench.saga])
        await first.write(change)
        waits = bench.beside(lambda: bench.write(change))
        await bench.blocked()
        if commits:
            await first.commit()
    if commits:
        with pytest.raises(StoreConflict):
            await waits
    else:
        await waits
    assert await bench.get() == bench.state()


async def test_two_that_adopt_a_foreign_event_give_it_one_id(bench: Any) -> None:
    other = uuid7()

    async def second() -> UUID:
        async with bench.store.begin() as transaction:
            adopted: UUID = await transaction.adopt("erp", "1", other)
            await transaction.commit()
            return adopted

    async with bench.store.begin() as first:
        await first.adopt("erp", "1", bench.saga)
        waits = bench.beside(second)
        await bench.blocked()
        await first.commit()
    assert await waits == bench.saga


async def test_two_that_wait_for_each_other_are_parted_by_a_conflict(bench: Any) -> None:
    sagas = [uuid7(), uuid7()]
    for saga in sagas:
        await bench.put(saga=saga)

    async def both(one: UUID, two: UUID) -> None:
        async with bench.store.begin() as transaction:
            await transaction.lock([one])
            await asyncio.sleep(0.3)
            await transaction.lock([two])
            await transaction.commit()

    pair = [bench.beside(lambda: both(*sagas)), bench.beside(lambda: both(*reversed(sagas)))]
    outcomes = await asyncio.gather(*pair, return_exceptions=True)
    assert sorted(type(outcome) for outcome in outcomes if outcome) == [StoreConflict]
