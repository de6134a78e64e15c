"""Finished sagas by the million, copied by SQL from one: for measuring what a long history costs."""

# ruff: noqa: S608 - put together from constants

from __future__ import annotations

from collections.abc import Callable

import psycopg

__all__ = ["fill"]

_AT_ONCE = 50_000

# The nth copy's id: a UUIDv7 (RFC 9562) of a time before now, a millisecond apart, within the current partitions.
_ID = """(
    lpad(to_hex((extract(epoch FROM date_trunc('month', now())) * 1000)::bigint + n), 12, '0')
    || '7' || substr(md5('a' || n), 1, 3) || '8' || substr(md5('b' || n), 1, 15)
)::uuid"""

_SAGAS = f"""
INSERT INTO saga
SELECT (jsonb_populate_record(s, jsonb_build_object('id', {_ID}))).*
FROM saga s, generate_series(%(first)s::bigint, %(last)s::bigint) AS n WHERE s.id = %(template)s
"""
_JOURNAL = f"""
INSERT INTO journal
SELECT (jsonb_populate_record(j, jsonb_build_object('saga_id', {_ID}))).*
FROM journal j, generate_series(%(first)s::bigint, %(last)s::bigint) AS n WHERE j.saga_id = %(template)s
"""
_EFFECTS = f"""
INSERT INTO effect
SELECT (jsonb_populate_record(e, jsonb_build_object('saga_id', {_ID}))).*
FROM effect e, generate_series(%(first)s::bigint, %(last)s::bigint) AS n WHERE e.saga_id = %(template)s
"""
_TEMPLATE = "SELECT id FROM saga WHERE ended_at IS NOT NULL ORDER BY id LIMIT 1"


def fill(url: str, sagas: int, say: Callable[[str], None]) -> None:
    """Add so many copies of one finished saga, with its journal and its effects: about 5 KB each.

    Raises:
        ValueError: no saga has finished yet.

    """
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True) as connection:
        found = connection.execute(_TEMPLATE).fetchone()
        if found is None:
            msg = "there is no finished saga to copy"
            raise ValueError(msg)
        for first in range(1, sagas + 1, _AT_ONCE):
            span = {"template": found[0], "first": first, "last": min(first + _AT_ONCE - 1, sagas)}
            for statement in (_SAGAS, _JOURNAL, _EFFECTS):
                connection.execute(statement, span)
            if first % 500_000 == 1 and first > 1:
                say(f"{first - 1:,} finished sagas")
        connection.execute("ANALYZE")
        connection.execute("CHECKPOINT")
