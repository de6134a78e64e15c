"""The driver's errors as the real database raises them."""

from __future__ import annotations

import random

import pytest

from orchestrator.store.queries import Queries
from orchestrator.database import BadData, connect, translated, NotMigrated
from orchestrator.ids import RealIds

_INSERT = """
INSERT INTO saga (id, definition, version, status, business_key, agent, request, state, revision, created_at, updated_at)
VALUES (%(id)s, 'd', 1, 'running', %(key)s, 'a', '{}', '{}', 1, now(), now())
"""


def test_a_business_key_too_long_for_its_index_is_bad_data(migrated_url: str) -> None:
    engine = connect(migrated_url)
    key = random.Random(1).randbytes(5000).hex()
    with pytest.raises(BadData, match="index row"), translated(), engine.begin() as connection:
        connection.exec_driver_sql(_INSERT, {"id": RealIds().saga_id(), "key": key})
    engine.dispose()


def test_missing_tables_say_what_to_do(database_url: str) -> None:
    engine = connect(database_url)
    with pytest.raises(NotMigrated, match="saga db migrate"):
        Queries(engine).counts()
    engine.dispose()
