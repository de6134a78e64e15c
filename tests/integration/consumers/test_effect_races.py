"""Two workers at the same effect, on a real database: one calls, and nobody calls twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest

from consumers.claims import Admitted, Claim
from consumers.limit import Limit, Want
from orchestrator.core.effects import Perform, Refuse, RowStatus, Verdict, Wait
from orchestrator.core.messages import Direction
from orchestrator.database import StoreConflict, StoreUnavailable, connect

ONE, TWO = UUID(int=1), UUID(int=2)
ROUNDS = 40


async def patiently(effects: Any, claim: Claim) -> Verdict:
    """As the runtime does: a conflict means that somebody came first, so look again."""
    while True:
        try:
            (admitted,) = await effects.claim([claim])
        except StoreConflict:
            continue
        assert isinstance(admitted, Admitted)
        return admitted.verdict


async def race(bench: Any, claims: Sequence[Claim], stores: Sequence[Any]) -> list[Verdict]:
    return await asyncio.gather(*(patiently(s, c) for s, c in zip(stores, claims, strict=True)))


async def test_of_two_workers_claiming_one_effect_exactly_one_performs(postgres_bench: Any) -> None:
    stores = [postgres_bench.effects, postgres_bench.more()]
    for _ in range(ROUNDS):
        postgres_bench.saga = uuid4()
        verdicts = await race(postgres_bench, [postgres_bench.claim_of(uuid4()) for _ in stores], stores)
        assert sorted(type(v).__name__ for v in verdicts) == ["Perform", "Wait"]


async def test_of_two_workers_taking_over_from_a_dead_one_exactly_one_performs(postgres_bench: Any) -> None:
    stores = [postgres_bench.effects, postgres_bench.more()]
    for _ in range(ROUNDS):
        postgres_bench.saga = uuid4()
        await postgres_bench.claim(ONE)
        postgres_bench.clock.advance(60)
        verdicts = await race(postgres_bench, [postgres_bench.claim_of(uuid4()) for _ in stores], stores)
        assert sorted(type(v).__name__ for v in verdicts) == ["Perform", "Wait"]
        assert Perform(doubtful=True) in verdicts


async def test_a_do_and_its_undo_are_never_performed_at_once(postgres_bench: Any) -> None:
    stores = [postgres_bench.effects, postgres_bench.more()]
    for _ in range(ROUNDS):
        postgres_bench.saga = uuid4()
        claims = [postgres_bench.claim_of(ONE), postgres_bench.claim_of(TWO, direction=Direction.UNDO)]
        do, undo = await race(postgres_bench, claims, stores)
        if isinstance(do, Perform):
            assert isinstance(undo, Wait)
        else:
            assert (do, undo) == (Refuse(), Perform())
            assert (await postgres_bench.row()).status is RowStatus.TOMBSTONE


async def test_a_retry_and_an_undo_are_never_performed_at_once(postgres_bench: Any) -> None:
    stores = [postgres_bench.effects, postgres_bench.more()]
    for _ in range(ROUNDS):
        postgres_bench.saga = uuid4()
        await postgres_bench.finish("failed")
        claims = [postgres_bench.claim_of(ONE, 2), postgres_bench.claim_of(TWO, direction=Direction.UNDO)]
        do, undo = await race(postgres_bench, claims, stores)
        assert (isinstance(do, Perform), isinstance(undo, Perform)) in {(True, False), (False, True)}


async def test_batches_in_opposite_orders_do_not_stop_each_other_for_good(postgres_bench: Any) -> None:
    stores = [postgres_bench.effects, postgres_bench.more()]

    async def claim_all(store: Any, sagas: Sequence[UUID]) -> list[Verdict]:
        claims = []
        for saga in sagas:
            postgres_bench.saga = saga
            claims.append(postgres_bench.claim_of(uuid4()))
        while True:
            try:
                return [admitted.verdict for admitted in await store.claim(claims)]
            except StoreConflict:
                continue

    for _ in range(10):
        sagas = [uuid4() for _ in range(50)]
        first, second = await asyncio.gather(claim_all(stores[0], sagas), claim_all(stores[1], sagas[::-1]))
        performed = [isinstance(a, Perform) + isinstance(b, Perform) for a, b in zip(first, second[::-1], strict=True)]
        assert performed == [1] * 50


@pytest.mark.parametrize("commits", [True, False])
async def test_a_claim_behind_an_uncommitted_one_is_judged_by_what_becomes_of_it(
    commits: bool, postgres_bench: Any, migrated_url: str
) -> None:
    """The insert of the first worker is not visible to the second, which runs into it and waits."""
    rival = connect(migrated_url)
    with rival.connect() as connection:
        connection.exec_driver_sql(
            "INSERT INTO effect (saga_id, step, direction, round, system, status, attempt, owner, lease_until) VALUES "
            "(%(saga)s, 'erp-vendor', 'do', 1, 'erp', 'claimed', 1, %(owner)s, effect_now() + interval '60 s')",
            {"saga": postgres_bench.saga, "owner": ONE},
        )
        claiming = asyncio.create_task(postgres_bench.claim(TWO))
        await blocked(migrated_url)
        if commits:
            connection.commit()
        else:
            connection.rollback()
        admitted = await claiming
    rival.dispose()
    assert isinstance(admitted.verdict, Wait if commits else Perform)
    assert admitted.row.owner == (ONE if commits else TWO)


async def test_a_claim_behind_a_settlement_sees_it(postgres_bench: Any, migrated_url: str) -> None:
    """The row is locked by the first worker, who settles it: the second repeats and does not call."""
    await postgres_bench.claim(ONE)
    rival = connect(migrated_url)
    with rival.connect() as connection:
        connection.exec_driver_sql(
            "UPDATE effect SET status = 'done', owner = NULL, lease_until = NULL, reply = 'x' WHERE saga_id = %(saga)s",
            {"saga": postgres_bench.saga},
        )
        postgres_bench.clock.advance(60)
        claiming = asyncio.create_task(postgres_bench.claim(TWO))
        await blocked(migrated_url)
        connection.commit()
        admitted = await claiming
    rival.dispose()
    assert (admitted.row.status, admitted.row.reply) == (RowStatus.DONE, b"x")


async def blocked(url: str) -> None:
    """Until some session of this database waits for a lock."""
    engine = connect(url)
    try:
        while True:
            with engine.connect() as connection:
                waiting = connection.exec_driver_sql(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                    "AND wait_event_type = 'Lock'"
                ).scalar_one()
            if waiting:
                return
            await asyncio.sleep(0.01)
    finally:
        engine.dispose()


async def test_a_store_that_is_away_says_so(postgres_bench: Any) -> None:
    from consumers.effects import PostgresEffects
    from orchestrator.dev.process import free_port
    from orchestrator.messaging.kafka import in_thread

    away = PostgresEffects(connect(f"postgresql+psycopg://127.0.0.1:{free_port()}/none"), in_thread())
    with pytest.raises(StoreUnavailable):
        await away.claim([postgres_bench.claim_of(ONE)])
    with pytest.raises(StoreUnavailable):
        await away.renew(postgres_bench.identity(), ONE, 60)
    with pytest.raises(StoreUnavailable):
        await away.watermarks("g")
    await away.close()


async def test_places_taken_at_once_by_two_workers_follow_one_another(postgres_bench: Any) -> None:
    stores = [postgres_bench.effects, postgres_bench.more()]
    # The clock stands still, so that only the row says who is next: two by two, at ten a second.
    wants = [Want(Limit("erp", 10.0)), Want(Limit("api_key env:KEY", 20.0))]
    given = [each for _ in range(ROUNDS) for each in await asyncio.gather(*(s.reserve(wants, 2) for s in stores))]
    gaps = [later - earlier for earlier, later in pairwise(sorted(places.first for places in given))]
    assert gaps == pytest.approx([0.2] * (2 * ROUNDS - 1), abs=1e-4)
