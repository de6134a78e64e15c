"""Claims on sagas: one holder at a time, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import Engine
from uuid_utils.compat import uuid7

from orchestrator.database import connect
from orchestrator.store.claims import Claim, Claims


@pytest.fixture
def database(migrated_url: str) -> Iterator[Engine]:
    made = connect(migrated_url, pool_size=8)
    yield made
    made.dispose()


@pytest.fixture
def saga_id(database: Engine) -> UUID:
    made = uuid7()
    statement = """
        INSERT INTO saga (id, definition, version, status, business_key, agent, request, state, revision,
                          created_at, updated_at)
        VALUES (%(id)s, 'd', 1, 'review', '', '', '{}', '{}', 7, saga_now(), saga_now())
    """
    with database.begin() as connection:
        connection.exec_driver_sql(statement, {"id": made})
    return made


def moved_on(database: Engine, saga_id: UUID) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE saga SET revision = revision + 1 WHERE id = %(id)s", {"id": saga_id})


def test_a_claim_is_its_holders_until_it_is_released(database: Engine, saga_id: UUID) -> None:
    claims = Claims(database)
    made = claims.take(saga_id, "ada", "I call the vendor")
    assert made is not None
    assert claims.take(saga_id, "ada") == made, "one's own again: since when and why stay"
    assert claims.take(saga_id, "bob") is None
    assert claims.held([saga_id]) == {saga_id: made}
    assert not claims.release(saga_id, "bob")
    assert claims.release(saga_id, "ada")
    assert not claims.release(saga_id, "ada")
    assert claims.held([saga_id]) == {}
    assert claims.take(saga_id, "bob") is not None


def test_a_claim_is_void_once_the_saga_has_moved_on(database: Engine, saga_id: UUID) -> None:
    claims = Claims(database)
    claims.take(saga_id, "ada", "old")
    moved_on(database, saga_id)
    assert claims.held([saga_id]) == {}
    made = claims.take(saga_id, "bob")
    assert made is not None
    assert (made.actor, made.revision, made.note) == ("bob", 8, "")


def test_a_take_over_replaces_the_claim_that_was_seen_and_no_later_one(database: Engine, saga_id: UUID) -> None:
    claims = Claims(database)
    seen = claims.take(saga_id, "ada")
    assert claims.take(saga_id, "bob", over=seen) is not None
    assert claims.take(saga_id, "eve", over=seen) is None
    assert not claims.release(saga_id, "eve", over=seen)
    assert claims.held([saga_id])[saga_id].actor == "bob"


def test_there_is_nothing_to_claim_where_there_is_no_saga(database: Engine) -> None:
    claims = Claims(database)
    assert claims.take(uuid7(), "ada") is None
    assert claims.held([]) == {}


@pytest.mark.parametrize("taken", [False, True])
def test_of_many_at_once_exactly_one_wins(database: Engine, saga_id: UUID, taken: bool) -> None:
    claims = Claims(database)
    for round_ in range(20):
        over = claims.take(saga_id, f"before {round_}") if taken else None
        start = Barrier(6)

        def one(name: str, over: Claim | None = over, start: Barrier = start) -> Claim | None:
            start.wait()
            return claims.take(saga_id, name, over=over)

        with ThreadPoolExecutor(6) as pool:
            made = list(pool.map(one, [f"operator {number}" for number in range(6)]))
        (winner,) = [claim for claim in made if claim is not None]
        assert claims.held([saga_id]) == {saga_id: winner}
        claims.release(saga_id, winner.actor)
