"""What an effect was begun as, in both effect stores; and the records of shadows on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from consumers.claims import Identity
from consumers.shadow.store import Found, PostgresShadows, ShadowRow
from orchestrator.core.effects import Perform, Repeat, RowStatus, StayUnknown
from orchestrator.core.messages import Direction
from orchestrator.database import connect
from orchestrator.messaging.kafka import in_thread

DO, UNDO = Direction.DO, Direction.UNDO


@pytest.mark.parametrize("shadow", [True, False])
async def test_what_an_effect_was_begun_as_is_kept_with_it_and_its_undo_goes_by_it(bench: Any, shadow: bool) -> None:  # noqa: FBT001 - a parameter
    admitted = await bench.claim(uuid4(), shadow=shadow)
    assert (admitted.verdict, admitted.row.shadow) == (Perform(), shadow)
    bench.clock.advance(100)
    # Its worker died; another takes it over, when the mode is another.
    taken = await bench.claim(uuid4(), shadow=not shadow)
    assert taken.row.shadow is shadow
    assert taken.verdict == (Perform() if shadow else Perform(doubtful=True))
    assert await bench.settle(taken, bench.identity(), "failed")
    again = await bench.claim(uuid4(), attempt=2, shadow=not shadow)
    assert again.row.shadow is shadow
    assert await bench.settle(again, bench.identity(), "done")
    told = await bench.claim(uuid4(), attempt=2, shadow=not shadow)
    assert (told.verdict, told.row.shadow) == (Repeat(), shadow)
    undo = await bench.claim(uuid4(), direction=UNDO, shadow=None)
    assert (undo.verdict, undo.row.shadow) == (Perform(), shadow)
    assert await bench.settle(undo, bench.identity(UNDO), "done")


async def test_a_lost_row_leaves_open_what_it_was_and_a_person_ends_that(bench: Any) -> None:
    lost = await bench.claim(uuid4(), attempt=2, shadow=True)
    assert (lost.verdict, lost.row.status, lost.row.shadow) == (StayUnknown(), RowStatus.UNKNOWN, None)
    undo = await bench.claim(uuid4(), direction=UNDO, shadow=None)
    assert (undo.verdict, undo.row.shadow) == (StayUnknown(), None)


async def test_a_person_who_has_looked_lets_a_shadow_begin(bench: Any) -> None:
    await bench.claim(uuid4(), attempt=2, shadow=True)
    looked = await bench.claim(uuid4(), attempt=3, shadow=True, resolved="not-done", by_operator=True)
    assert (looked.verdict, looked.row.shadow) == (Perform(), True)


async def test_a_record_of_the_same_effect_takes_the_place_of_the_one_before(migrated_url: str) -> None:
    engine = connect(migrated_url)
    try:
        shadows = PostgresShadows(engine, in_thread())
        identity = Identity(uuid4(), "erp-vendor", DO, 1)
        for name in ("a\x00b", 'half \ud83d, a \\u0000 and a "quote"'):
            at = datetime(2026, 1, 1, tzinfo=UTC)
            values = {"name": name, "amount": 12.5, "many": [name]}
            await shadows.record(
                ShadowRow(identity, "erp", "create_vendor", at, "ada", [values], values, {"id": "V"}, Found.MADE_UP)
            )
        with engine.connect() as connection:
            rows = list(
                connection.exec_driver_sql("SELECT saga_id, direction, found, command->>'name' FROM shadow_effect")
            )
        assert rows == [(identity.saga_id, "do", "made-up", 'half ?, a \\u0000 and a "quote"')]
    finally:
        engine.dispose()
