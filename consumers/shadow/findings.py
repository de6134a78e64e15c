"""What was recorded and how it compared, on PostgreSQL: for the command line, which works on its own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from consumers.shadow.compare import Finding, Recorded
from orchestrator.database import plain_connection

__all__ = ["Findings"]

_RECORDED = """
SELECT d.saga_id, d.step, d.round, d.command, u.saga_id IS NOT NULL
FROM shadow_effect d
LEFT JOIN shadow_effect u
  ON u.saga_id = d.saga_id AND u.step = d.step AND u.round = d.round AND u.direction = 'undo'
WHERE d.direction = 'do' AND d.system = %(system)s AND d.action = %(action)s
  AND (%(since)s::timestamptz IS NULL OR d.at >= %(since)s)
ORDER BY d.at, d.saga_id, d.step, d.round
"""

_ACTIONS = "SELECT DISTINCT action FROM shadow_effect WHERE direction = 'do' AND system = %(system)s ORDER BY action"

# Of an effect the newest comparison counts; what only they did is found out anew by each file.
_FORGET = """
DELETE FROM shadow_finding f USING unnest(%(sagas)b::uuid[], %(steps)b::text[], %(rounds)b::int[])
    AS u(saga_id, step, round)
WHERE f.saga_id = u.saga_id AND f.step = u.step AND f.round = u.round
"""
_FORGET_THEIRS = "DELETE FROM shadow_finding WHERE system = %(system)s AND action = %(action)s AND saga_id IS NULL"

_KEEP = """
INSERT INTO shadow_finding (system, action, key, saga_id, step, round, result, fields, source, at)
SELECT %(system)s, %(action)s, key, saga_id, step, round, result, fields::jsonb, %(source)s, %(at)s
FROM unnest(%(keys)b::text[], %(sagas)b::uuid[], %(steps)b::text[], %(rounds)b::int[], %(results)b::text[],
            %(fields)b::text[]) AS u(key, saga_id, step, round, result, fields)
"""

_REPORT = """
WITH recorded AS (
    SELECT system, action, count(*) AS recorded FROM shadow_effect
    WHERE direction = 'do' AND (%(system)s::text IS NULL OR system = %(system)s)
      AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
    GROUP BY 1, 2
), found AS (
    SELECT f.* FROM shadow_finding f
    LEFT JOIN shadow_effect e
      ON e.saga_id = f.saga_id AND e.step = f.step AND e.round = f.round AND e.direction = 'do'
    WHERE (%(system)s::text IS NULL OR f.system = %(system)s)
      AND (%(since)s::timestamptz IS NULL OR coalesce(e.at, f.at) >= %(since)s)
), counted AS (
    SELECT system, action, count(*) AS compared,
           count(*) FILTER (WHERE result = 'agrees') AS agrees, count(*) FILTER (WHERE result = 'differs') AS differs,
           count(*) FILTER (WHERE result = 'only-ours') AS only_ours,
           count(*) FILTER (WHERE result = 'only-theirs') AS only_theirs,
           (array_agg(saga_id::text ORDER BY at DESC, saga_id)
                FILTER (WHERE result <> 'agrees' AND saga_id IS NOT NULL))[:3] AS examples,
           (array_agg(key ORDER BY at DESC, key) FILTER (WHERE saga_id IS NULL))[:3] AS theirs,
           count(*) FILTER (WHERE saga_id IS NOT NULL) AS of_ours
    FROM found GROUP BY 1, 2
), fields AS (
    SELECT system, action, jsonb_object_agg(name, times) AS fields
    FROM (SELECT system, action, name, count(*) AS times FROM found, jsonb_object_keys(fields) AS name GROUP BY 1, 2, 3)
        AS named
    GROUP BY 1, 2
)
SELECT system, action, coalesce(recorded, 0), coalesce(compared, 0), coalesce(agrees, 0), coalesce(differs, 0),
       coalesce(only_ours, 0), coalesce(only_theirs, 0), coalesce(of_ours, 0), coalesce(fields, '{}'),
       coalesce(examples, '{}'), coalesce(theirs, '{}')
FROM recorded FULL JOIN counted USING (system, action) LEFT JOIN fields USING (system, action)
ORDER BY system, action
"""

_DIFFERENCES = """
SELECT fields FROM shadow_finding WHERE system = %(system)s AND action = %(action)s AND result = 'differs'
ORDER BY at DESC, saga_id LIMIT %(limit)s
"""


class Findings:
    """Reads and writes them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def recorded(self, system: str, action: str, since: datetime | None = None) -> list[Recorded]:
        """The dos of that action, oldest first."""
        rows = self._read(_RECORDED, system=system, action=action, since=since)
        return [Recorded(*row) for row in rows]

    def actions(self, system: str) -> list[str]:
        """Those of which a do was recorded."""
        return [action for (action,) in self._read(_ACTIONS, system=system)]

    def keep(
        self, system: str, action: str, findings: Iterable[Finding], *, source: str, at: datetime, whole: bool
    ) -> None:
        """In the place of the earlier ones. `whole`: they tell of everything that the existing process did.

        Raises:
            StoreError: nothing is kept.

        """
        kept = list(findings)
        ours = [finding.ours for finding in kept]
        parameters = {
            "system": system,
            "action": action,
            "source": source,
            "at": at,
            "keys": [finding.key for finding in kept],
            "sagas": [one and one.saga_id for one in ours],
            "steps": [one and one.step for one in ours],
            "rounds": [one and one.round for one in ours],
            "results": [finding.result.value for finding in kept],
            "fields": [json.dumps(dict(finding.fields), ensure_ascii=False, default=str) for finding in kept],
        }
        with plain_connection(self._engine) as connection:
            # Two comparisons at once would each keep theirs.
            connection.execute("LOCK TABLE shadow_finding IN SHARE ROW EXCLUSIVE MODE")
            connection.execute(_FORGET, parameters)
            if whole:
                connection.execute(_FORGET_THEIRS, parameters)
            connection.execute(_KEEP, parameters)
            connection.commit()

    def report(self, system: str | None = None, since: datetime | None = None) -> list[dict[str, Any]]:
        """A row for each action: counts, the share that agrees, the fields that differ most, and examples."""
        return [self._told(*row) for row in self._read(_REPORT, system=system, since=since)]

    def _told(
        self, system: str, action: str, recorded: int, compared: int, agrees: int, differs: int, only_ours: int,
        only_theirs: int, of_ours: int, fields: dict[str, int], examples: list[str], theirs: list[str],
    ) -> dict[str, Any]:  # fmt: skip
        return {
            "system": system,
            "action": action,
            "recorded": recorded,
            "compared": compared,
            "not_compared": max(0, recorded - of_ours),
            "agreement": agrees / compared if compared else None,
            "agrees": agrees,
            "differs": differs,
            "only_ours": only_ours,
            "only_theirs": only_theirs,
            "fields": dict(sorted(fields.items(), key=lambda found: (-found[1], found[0]))),
            "differences": [found for (found,) in self._read(_DIFFERENCES, system=system, action=action, limit=3)],
            "examples": examples,
            "only_theirs_keys": theirs,
        }

    def _read(self, statement: str, **parameters: Any) -> list[Any]:
        with plain_connection(self._engine) as connection:
            return connection.execute(statement, parameters).fetchall()
