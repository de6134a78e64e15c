"""The driver's errors as the real database raises them."""

from __future__ import annotations

import random
from typing import Any

import pytest

from orchestrator import bootstrap
from orchestrator.store.queries import Queries
from orchestrator.database import BadData, NotMigrated, StoreUnavailable, WORKER_IDLE_SECONDS, connect, translated
from orchestrator.ids import RealIds
from orchestrator.messaging.kafka import consumer_config
from orchestrator.settings import load

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


def test_who_freezes_in_mid_transaction_does_not_hold_up_whoever_takes_over(migrated_url: str) -> None:
    frozen, other = connect(migrated_url, idle_seconds=1), connect(migrated_url)
    saga = {"id": RealIds().saga_id(), "key": "k"}
    with other.begin() as connection:
        connection.exec_driver_sql(_INSERT, saga)
    with frozen.connect() as stands_still:
        stands_still.exec_driver_sql("SELECT FROM saga WHERE id = %(id)s FOR UPDATE", saga)
        with other.begin() as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '20s'")
            connection.exec_driver_sql("UPDATE saga SET agent = 'other' WHERE id = %(id)s", saga)
        with pytest.raises(StoreUnavailable), translated():
            stands_still.exec_driver_sql("UPDATE saga SET agent = 'frozen' WHERE id = %(id)s", saga)
    with other.connect() as connection:
        assert connection.exec_driver_sql("SELECT agent FROM saga").scalar_one() == "other"
    frozen.dispose()
    other.dispose()


@pytest.mark.parametrize("make", [bootstrap.make_coordinator, bootstrap.make_timers])
def test_workers_ask_for_as_long_as_a_session_of_kafka_lasts(migrated_url: str, make: Any) -> None:
    store = make(load(database_url=migrated_url))._store
    with store._engine.connect() as connection:
        found = connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar_one()
    assert found == "10s"
    session = consumer_config({}, "g")["session.timeout.ms"]
    assert session == WORKER_IDLE_SECONDS * 1000
    store._engine.dispose()
