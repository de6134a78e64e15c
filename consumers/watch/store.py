"""What the watch remembers: shapes and baselines that all workers of a system share, and its alerts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Engine

from consumers.watch.rates import Baseline
from consumers.watch.shape import Learned
from orchestrator.database import plain_connection
from orchestrator.messaging.kafka import Run

__all__ = ["Alert", "Known", "PostgresWatch", "Seen", "WatchReader", "WatchStore"]

# -- SQL -----------------------------------------------------------------------------------------------------------

# What one worker has learned is joined with what the others have, under the row's lock.
_LOCK = """
INSERT INTO watch_action (system, action) VALUES (%(system)s, %(action)s)
ON CONFLICT (system, action) DO UPDATE SET action = EXCLUDED.action
RETURNING version, shape, calls, errors
"""

_LEARN = """
UPDATE watch_action SET shape = %(shape)s::jsonb, calls = %(calls)s, errors = %(errors)s
WHERE system = %(system)s AND action = %(action)s
"""

# One row for each kind of trouble of an action. It is raised anew where the last one is over.
_RAISE = """
INSERT INTO watch_alert AS a (system, action, kind, since, seen_at, changes, rate, usual)
VALUES (%(system)s, %(action)s, %(kind)s, effect_now(), effect_now(), %(changes)s::jsonb, %(rate)s, %(usual)s)
ON CONFLICT (system, action, kind) DO UPDATE
SET seen_at = effect_now(),
    since = CASE WHEN a.ended_at IS NULL THEN a.since ELSE EXCLUDED.since END,
    changes = CASE WHEN a.ended_at IS NULL THEN a.changes ELSE EXCLUDED.changes END,
    rate = CASE WHEN a.ended_at IS NULL THEN a.rate ELSE EXCLUDED.rate END,
    usual = CASE WHEN a.ended_at IS NULL THEN a.usual ELSE EXCLUDED.usual END,
    told = a.told AND a.ended_at IS NULL,
    telling_until = CASE WHEN a.ended_at IS NULL THEN a.telling_until END,
    ended_at = NULL
"""

# Over where some worker finds the action well, and none has found otherwise for a while.
_END = """
UPDATE watch_alert SET ended_at = effect_now(), told = false, telling_until = NULL
WHERE system = %(system)s AND action = %(action)s AND kind = %(kind)s AND ended_at IS NULL
  AND seen_at < effect_now() - make_interval(secs => %(quiet)s)
"""

# One worker at a time tells of an alert; another does where that one died.
_TELL = """
UPDATE watch_alert SET telling_until = effect_now() + interval '15 seconds'
WHERE system = %(system)s AND NOT told AND (telling_until IS NULL OR telling_until < effect_now())
RETURNING system, action, kind, since, ended_at, changes, rate, usual
"""

_TOLD = """
UPDATE watch_alert SET told = true
WHERE system = %(system)s AND action = %(action)s AND kind = %(kind)s AND since = %(since)s
  AND ended_at IS NOT DISTINCT FROM %(ended_at)s
"""

_OPEN = """
SELECT system, action, kind, since, ended_at, changes, rate, usual FROM watch_alert
WHERE ended_at IS NULL ORDER BY system, action, kind
"""

_ACCEPT = """
UPDATE watch_action SET shape = NULL, version = version + 1
WHERE system = %(system)s AND (%(action)s::text IS NULL OR action = %(action)s)
RETURNING action
"""

_ACCEPTED = """
UPDATE watch_alert SET ended_at = effect_now(), told = false, telling_until = NULL
WHERE system = %(system)s AND action = ANY(%(actions)s) AND kind = 'drift' AND ended_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Alert:
    """Trouble of one action. `kind` is drift or error-rate; rates are between 0 and 1."""

    system: str
    action: str
    kind: str
    since: datetime
    ended_at: datetime | None
    changes: Sequence[str]
    rate: float | None
    usual: float | None


@dataclass(frozen=True, slots=True)
class Known:
    """What all workers together know of an action. `version` rises when a new shape is accepted."""

    version: int
    shape: Learned
    baseline: Baseline


@dataclass(frozen=True, slots=True)
class Seen:
    """What one worker saw of an action since it told last.

    `version` is the one by which it judged, 0 before it knew any. `drift` and `elevated` are None where nothing was
    seen that would say so or otherwise.
    """

    action: str
    version: int
    learned: Learned
    fresh: Baseline
    drift: bool | None = None
    elevated: bool | None = None
    changes: Sequence[str] = ()
    rate: float = 0.0
    usual: float = 0.0


class WatchStore(Protocol):
    """Where the workers of a system meet."""

    async def share(self, system: str, seen: Sequence[Seen], quiet: float) -> Mapping[str, Known]:
        """Add what one worker saw, raise and end alerts by it, and get what is known; `quiet` in seconds."""
        ...

    async def untold(self, system: str) -> Sequence[Alert]:
        """Alerts that were raised or ended and not told yet; this worker is to do so now."""
        ...

    async def told(self, alert: Alert) -> None:
        """It was told."""
        ...


class PostgresWatch:
    """`WatchStore` on PostgreSQL. Calls block, so they go through `run`."""

    def __init__(self, engine: Engine, run: Run) -> None:
        self._engine = engine
        self._run = run

    async def share(self, system: str, seen: Sequence[Seen], quiet: float) -> Mapping[str, Known]:
        """See `WatchStore.share`."""
        return await self._run(self._share, system, seen, quiet)

    def _share(self, system: str, seen: Sequence[Seen], quiet: float) -> Mapping[str, Known]:
        known = {}
        with plain_connection(self._engine) as connection:
            for one in sorted(seen, key=lambda each: each.action):
                row = {"system": system, "action": one.action}
                found = connection.execute(_LOCK, row).fetchone()
                assert found is not None
                version, shape, calls, errors = found
                joined = Learned() if shape is None else Learned.of(shape)
                if one.version in {0, version} and not joined.enough:
                    # What was learned before a new shape was accepted is of the old one.
                    joined = joined.join(one.learned)
                baseline = Baseline(calls, errors)
                baseline.add(one.fresh.calls, one.fresh.errors)
                learned = {"shape": json.dumps(joined.as_json()), "calls": baseline.calls, "errors": baseline.errors}
                connection.execute(_LEARN, {**row, **learned})
                for kind, bad in (
                    ("drift", None if version != one.version else one.drift),
                    ("error-rate", one.elevated),
                ):
                    facts = {**row, "kind": kind, "changes": json.dumps(list(one.changes)) if kind == "drift" else "[]"}
                    rates = (one.rate, one.usual) if kind == "error-rate" else (None, None)
                    if bad:
                        connection.execute(_RAISE, {**facts, "rate": rates[0], "usual": rates[1]})
                    elif bad is False:
                        connection.execute(_END, {**facts, "quiet": quiet})
                known[one.action] = Known(version, joined, baseline)
            connection.commit()
        return known

    async def untold(self, system: str) -> Sequence[Alert]:
        """See `WatchStore.untold`."""
        return [Alert(*row) for row in await self._run(self._change, _TELL, {"system": system})]

    async def told(self, alert: Alert) -> None:
        """See `WatchStore.told`."""
        names = ("system", "action", "kind", "since", "ended_at")
        row = {name: getattr(alert, name) for name in names}
        await self._run(self._change, _TOLD + "RETURNING 1", row)

    def _change(self, statement: str, parameters: Mapping[str, Any]) -> Sequence[Any]:
        with plain_connection(self._engine, autocommit=True) as connection:
            return connection.execute(statement, parameters).fetchall()


class WatchReader:
    """What operators ask."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def alerts(self) -> Sequence[Alert]:
        """Those that are not over.

        Raises:
            StoreError: the database is away.

        """
        with plain_connection(self.engine, autocommit=True) as connection:
            return [Alert(*row) for row in connection.execute(_OPEN).fetchall()]

    def accept(self, system: str, action: str | None) -> Sequence[str]:
        """Learn the shape of that action anew, or of all; returns which. Their alerts of drift are over.

        Raises:
            StoreError: the database is away.

        """
        with plain_connection(self.engine) as connection:
            rows = connection.execute(_ACCEPT, {"system": system, "action": action}).fetchall()
            actions = sorted(name for (name,) in rows)
            connection.execute(_ACCEPTED, {"system": system, "actions": actions})
            connection.commit()
        return actions

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()
