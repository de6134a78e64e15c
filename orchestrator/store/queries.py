"""What operators ask of the database. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from orchestrator.core.state import SagaState
from orchestrator.database import translated
from orchestrator.messaging.message import Outgoing, unpack
from orchestrator.store.rows import saga_from_row

__all__ = ["Filter", "Queries", "SagaRow", "TimelineRow"]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which sagas; None means any. `since` is inclusive.

    `error` is a code and `step` a name, of what failed or of what waits for a person.
    """

    status: Sequence[str] = ()
    definition: str | None = None
    agent: str | None = None
    key: str | None = None
    since: datetime | None = None
    limit: int = 50
    error: str | None = None
    step: str | None = None
    paused: bool | None = None


@dataclass(frozen=True, slots=True)
class SagaRow:
    """A saga as it is stored, with its times."""

    id: UUID
    state: SagaState
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One journal entry with what it sent."""

    revision: int
    at: datetime
    entry: Mapping[str, Any]
    outputs: Sequence[Outgoing]


_COLUMNS = """s.id, s.definition, s.version, s.status, s.business_key, s.agent, s.request, s.state, s.revision,
    s.wake_at, s.created_at, s.updated_at, s.ended_at"""

# Newest first: a UUIDv7 begins with its time, so the primary key gives the order and the bound.
_LIST = f"""
SELECT {_COLUMNS} FROM saga s
WHERE (%(status)s::text[] IS NULL OR status = ANY(%(status)s))
  AND (%(definition)s::text IS NULL OR definition = %(definition)s)
  AND (%(agent)s::text IS NULL OR agent = %(agent)s)
  AND (%(key)s::text IS NULL OR business_key = %(key)s)
  AND (%(since)s::timestamptz IS NULL OR created_at >= %(since)s)
  AND (%(error)s::text IS NULL OR state->'error'->>1 = %(error)s
       OR EXISTS (SELECT 1 FROM json_array_elements(state->'parks') p WHERE p->>0 = %(error)s))
  AND (%(step)s::text IS NULL OR state->'error'->>0 = %(step)s
       OR EXISTS (SELECT 1 FROM json_array_elements(state->'parks') p WHERE p->>2 = %(step)s))
  AND (%(paused)s::bool IS NULL OR coalesce((state->>'paused')::bool, false) = %(paused)s)
ORDER BY id DESC LIMIT %(limit)s
"""  # noqa: S608 - no value is put into the text

_ONE = f"SELECT {_COLUMNS} FROM saga s WHERE s.id = %(id)s"  # noqa: S608

_SOME = f"SELECT {_COLUMNS} FROM saga s WHERE s.id = ANY(%(ids)s) AND s.id BETWEEN %(low)s AND %(high)s ORDER BY s.id"  # noqa: S608

_COUNTS = "SELECT status, count(*) FROM saga GROUP BY status ORDER BY status"

# What waits for a person, what was stopped by one, and what should have moved and has not.
_ATTENTION = f"""
SELECT {_COLUMNS} FROM saga s
WHERE ended_at IS NULL AND (%(statuses)s::text[] IS NULL OR status = ANY(%(statuses)s))
  AND (status = 'review' OR coalesce((state->>'paused')::bool, false)
       OR wake_at < saga_now() - make_interval(secs => %(overdue)s))
ORDER BY updated_at LIMIT %(limit)s
"""  # noqa: S608

# Refused decisions are entries too, so `updated_at` is no answer: what counts is the first entry that left the saga in
# review, of those after the last that did not.
_WAITS_SINCE = """
WITH told AS (
    SELECT saga_id, at, revision, entry->>'status' AS status,
           max(revision) FILTER (WHERE entry->>'status' <> 'review') OVER (PARTITION BY saga_id) AS moved
    FROM journal WHERE saga_id = ANY(%(ids)s) AND saga_id BETWEEN %(low)s AND %(high)s
)
SELECT saga_id, min(at) FROM told WHERE status = 'review' AND revision > coalesce(moved, 0) GROUP BY saga_id
"""

_ANSWERS = """
SELECT j.saga_id, j.cause_id, j.revision, j.at, j.entry, j.outputs
FROM unnest(%(sagas)s::uuid[], %(causes)s::uuid[]) AS c(saga_id, cause_id)
JOIN journal j ON j.saga_id = c.saga_id AND j.cause_id = c.cause_id
WHERE j.saga_id BETWEEN %(low)s AND %(high)s
"""

_TIMELINE = "SELECT revision, at, entry, outputs FROM journal WHERE saga_id = %(id)s ORDER BY revision"


class Queries:
    """Read-only questions to the coordinator's database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def _read(self, statement: str, parameters: Mapping[str, Any]) -> Sequence[Any]:
        with translated(), self._engine.connect() as connection:
            return connection.exec_driver_sql(statement, dict(parameters)).fetchall()

    def list(self, wanted: Filter) -> list[SagaRow]:
        """Sagas that fit, newest first."""
        parameters = {
            "status": list(wanted.status) or None,
            "definition": wanted.definition,
            "agent": wanted.agent,
            "key": wanted.key,
            "since": wanted.since,
            "limit": wanted.limit,
            "error": wanted.error,
            "step": wanted.step,
            "paused": wanted.paused,
        }
        return [_saga_row(row) for row in self._read(_LIST, parameters)]

    def one(self, saga_id: UUID) -> SagaRow | None:
        """One saga, or None."""
        rows = self._read(_ONE, {"id": saga_id})
        return _saga_row(rows[0]) if rows else None

    def some(self, saga_ids: Sequence[UUID]) -> Sequence[SagaRow]:
        """Those of these sagas that there are, oldest first."""
        if not saga_ids:
            return []
        rows = self._read(_SOME, {"ids": sorted(saga_ids), "low": min(saga_ids), "high": max(saga_ids)})
        return [_saga_row(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """Status → number of sagas."""
        return {row[0]: row[1] for row in self._read(_COUNTS, {})}

    def attention(self, overdue: float, limit: int, statuses: Sequence[str] = ()) -> Sequence[SagaRow]:
        """Sagas in review, paused ones, ones whose deadline passed `overdue` seconds ago; longest unchanged first.

        `statuses` leaves only those in one of them.
        """
        parameters = {"overdue": overdue, "limit": limit, "statuses": list(statuses) or None}
        return [_saga_row(row) for row in self._read(_ATTENTION, parameters)]

    def waits_since(self, saga_ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
        """Since when those of these sagas that are in review wait for a person."""
        if not saga_ids:
            return {}
        bounds = {"ids": [*saga_ids], "low": min(saga_ids), "high": max(saga_ids)}
        return {row[0]: row[1] for row in self._read(_WAITS_SINCE, bounds)}

    def answers(self, causes: Collection[tuple[UUID, UUID]]) -> Mapping[tuple[UUID, UUID], TimelineRow]:
        """The journal entries of those (saga, cause), where they are written already."""
        if not causes:
            return {}
        sagas, ids = [s for s, _ in causes], [c for _, c in causes]
        bounds = {"low": min(sagas), "high": max(sagas)}
        rows = self._read(_ANSWERS, {"sagas": sagas, "causes": ids, **bounds})
        return {(row[0], row[1]): TimelineRow(row[2], row[3], row[4], unpack(row[5])) for row in rows}

    def timeline(self, saga_id: UUID) -> Sequence[TimelineRow]:
        """The journal of one saga, oldest first."""
        rows = self._read(_TIMELINE, {"id": saga_id})
        return [TimelineRow(row[0], row[1], row[2], unpack(row[3])) for row in rows]


def _saga_row(row: Any) -> SagaRow:
    return SagaRow(row[0], saga_from_row(row[1:10]), row[10], row[11], row[12])
