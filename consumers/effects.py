"""The effect table: what each system has been asked and what it answered. One row per effect (design §7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Engine

from consumers.claims import Admitted, Claim, EffectStore, Identity, Settlement, Writes, judge
from consumers.limit import BURST_SECONDS, Granted, Want
from orchestrator.core.effects import EffectRow, Perform, RowStatus
from orchestrator.core.messages import Direction
from orchestrator.database import StoreConflict, migrate, plain_connection
from orchestrator.messaging.kafka import Run
from orchestrator.messaging.message import TopicPartition

__all__ = ["Admitted", "Claim", "EffectStore", "Identity", "PostgresEffects", "Settlement", "migrate_effects"]

# -- SQL -----------------------------------------------------------------------------------------------------------

# A do that is new: one statement. Whoever undoes a step leaves a row for its do, so where there is no such row there
# is none of an undo; and of two who insert one, the second finds out here.
_BEGIN = """
INSERT INTO effect (saga_id, step, direction, round, system, status, attempt, owner, lease_until, doubtful, shadow)
SELECT saga_id, step, 'do', round, system, 'claimed', 1, owner, effect_now() + make_interval(secs => lease), false,
       shadow
FROM unnest(%(sagas)b::uuid[], %(steps)b::text[], %(rounds)b::int[], %(systems)b::text[], %(owners)b::uuid[],
            %(leases)b::float8[], %(shadows)b::bool[]) AS u(saga_id, step, round, system, owner, lease, shadow)
ORDER BY saga_id, step, round
ON CONFLICT DO NOTHING
RETURNING saga_id, step, round, lease_until
"""

# Else both directions of each step are locked, in one order, before either is looked at ...
_LOCK = """
SELECT 1 FROM effect e
JOIN unnest(%(sagas)b::uuid[], %(steps)b::text[], %(rounds)b::int[]) AS u(saga_id, step, round)
  ON e.saga_id = u.saga_id AND e.step = u.step AND e.round = u.round
ORDER BY e.saga_id, e.step, e.direction, e.round
FOR UPDATE OF e
"""

# ... by a statement of its own, whose snapshot sees what the last holder of the locks committed.
_READ = """
SELECT clock.now, e.saga_id, e.step, e.direction, e.round, e.status, e.attempt, e.owner, e.lease_until, e.doubtful,
       e.reply, e.shadow
FROM (SELECT effect_now() AS now) AS clock
LEFT JOIN (
    SELECT e.* FROM effect e
    JOIN unnest(%(sagas)b::uuid[], %(steps)b::text[], %(rounds)b::int[]) AS u(saga_id, step, round)
      ON e.saga_id = u.saga_id AND e.step = u.step AND e.round = u.round
) AS e ON true
"""

# New rows are inserted plainly: a row that somebody else has just inserted is a conflict, and the batch is judged
# again with that row in sight.
_WRITE = """
WITH fresh AS (
    INSERT INTO effect (saga_id, step, direction, round, system, status, attempt, owner, lease_until, doubtful, reply,
                        shadow)
    SELECT * FROM unnest(%(new_sagas)b::uuid[], %(new_steps)b::text[], %(new_directions)b::text[],
        %(new_rounds)b::int[], %(new_systems)b::text[], %(new_statuses)b::text[], %(new_attempts)b::int[],
        %(new_owners)b::uuid[], %(new_leases)b::timestamptz[], %(new_doubts)b::bool[], %(new_replies)b::bytea[],
        %(new_shadows)b::bool[])
    RETURNING 1
), changed AS (
    UPDATE effect e
    SET status = u.status, attempt = u.attempt, owner = u.owner, lease_until = u.lease_until, doubtful = u.doubtful,
        reply = u.reply, shadow = u.shadow, updated_at = effect_now()
    FROM unnest(%(sagas)b::uuid[], %(steps)b::text[], %(directions)b::text[], %(rounds)b::int[], %(statuses)b::text[],
        %(attempts)b::int[], %(owners)b::uuid[], %(leases)b::timestamptz[], %(doubts)b::bool[],
        %(replies)b::bytea[], %(shadows)b::bool[])
        AS u(saga_id, step, direction, round, status, attempt, owner, lease_until, doubtful, reply, shadow)
    WHERE e.saga_id = u.saga_id AND e.step = u.step AND e.direction = u.direction AND e.round = u.round
    RETURNING 1
)
SELECT (SELECT count(*) FROM fresh), (SELECT count(*) FROM changed)
"""

_RENEW = """
UPDATE effect SET lease_until = effect_now() + make_interval(secs => %(lease)s)
WHERE saga_id = %(saga_id)s AND step = %(step)s AND direction = %(direction)s AND round = %(round)s
  AND owner = %(owner)s AND status = 'claimed'
RETURNING 1
"""

# Compare-and-set on the owner. A row that already holds this very reply was settled by us, in a commit whose
# outcome we did not learn.
_SETTLE = """
UPDATE effect e
SET status = u.status, owner = NULL, lease_until = NULL, doubtful = u.doubtful, reply = u.reply,
    updated_at = effect_now()
FROM unnest(%(sagas)b::uuid[], %(steps)b::text[], %(directions)b::text[], %(rounds)b::int[], %(owners)b::uuid[],
    %(statuses)b::text[], %(doubts)b::bool[], %(replies)b::bytea[])
    AS u(saga_id, step, direction, round, owner, status, doubtful, reply)
WHERE e.saga_id = u.saga_id AND e.step = u.step AND e.direction = u.direction AND e.round = u.round
  AND (e.owner = u.owner OR (e.status = u.status AND e.reply = u.reply))
RETURNING e.saga_id, e.step, e.direction, e.round
"""

# `consumers.limit.taken` for each limit. The rows' locks, taken in one order, make the workers take turns, and the
# clock is read behind them. `least` and `greatest` pass over NULLs.
_RESERVE = """
INSERT INTO effect_pace AS p (system, rate, told_rate, told_until, granted_at, next_at)
SELECT name, rate, told_rate, told_until, first,
       least(first + make_interval(secs => %(calls)s / least(rate, nullif(told_rate, 0))),
             greatest(first, told_until) + make_interval(secs => %(calls)s / rate))
FROM (SELECT u.*, CASE WHEN told_rate = 0 THEN told_until ELSE now - make_interval(secs => %(burst)s) END AS first
      FROM (SELECT name, rate, told_rate, now, now + make_interval(secs => told_for) AS told_until
            FROM unnest(%(names)b::text[], %(rates)b::float8[], %(told_rates)b::float8[], %(told_fors)b::float8[])
                AS u(name, rate, told_rate, told_for), (SELECT effect_now() AS now) AS clock) AS u) AS u
ORDER BY name
ON CONFLICT (system) DO UPDATE
SET (rate, told_rate, told_until, granted_at, next_at) = (
    SELECT EXCLUDED.rate, told.rate, told.until, place.first,
           least(place.first + make_interval(secs => %(calls)s / least(EXCLUDED.rate, nullif(told.rate, 0))),
                 greatest(place.first, told.until) + make_interval(secs => %(calls)s / EXCLUDED.rate))
    FROM (SELECT effect_now() AS now) AS clock,
    LATERAL (SELECT p.told_until > now AS holds,
                    p.told_until > now AND p.told_rate = 0
                        AND (EXCLUDED.told_rate > 0 OR EXCLUDED.told_until < p.told_until) AS pauses) AS old,
    LATERAL (SELECT CASE WHEN old.pauses OR EXCLUDED.told_until IS NULL
                         THEN CASE WHEN old.holds THEN p.told_rate END ELSE EXCLUDED.told_rate END AS rate,
                    CASE WHEN old.pauses OR EXCLUDED.told_until IS NULL
                         THEN CASE WHEN old.holds THEN p.told_until END ELSE EXCLUDED.told_until END AS until) AS told,
    LATERAL (SELECT greatest(now - make_interval(secs => %(burst)s),
                             now + (p.next_at - now)
                                 * CASE WHEN told.until IS NULL THEN p.rate / EXCLUDED.rate ELSE 1 END,
                             CASE WHEN told.rate = 0 THEN told.until END) AS first) AS place
)
RETURNING extract(epoch FROM p.granted_at - effect_now())::float8,
          extract(epoch FROM p.next_at - p.granted_at)::float8 / greatest(%(calls)s, 1)
"""

_WATERMARKS = "SELECT topic, partition, next_offset FROM effect_offset WHERE consumer_group = %(group)s"

_MARK = """
INSERT INTO effect_offset (consumer_group, topic, partition, next_offset)
SELECT %(group)s, topic, partition, next_offset
FROM unnest(%(topics)b::text[], %(partitions)b::int[], %(nexts)b::bigint[]) AS u(topic, partition, next_offset)
ORDER BY topic, partition
ON CONFLICT (consumer_group, topic, partition)
DO UPDATE SET next_offset = greatest(effect_offset.next_offset, EXCLUDED.next_offset)
"""


def migrate_effects(url: str) -> None:
    """Run the effect table's history to its head.

    Raises:
        StoreError: the database is away or refuses.

    """
    migrate(url, Path(__file__).parent / "migrations")


class PostgresEffects:
    """`EffectStore` on PostgreSQL. Calls block, so they go through `run`."""

    def __init__(self, engine: Engine, run: Run) -> None:
        self._engine = engine
        self._run = run

    async def claim(self, claims: Sequence[Claim]) -> Sequence[Admitted]:
        """See `EffectStore.claim`."""
        return await self._run(self._claim, claims)

    def _claim(self, claims: Sequence[Claim]) -> Sequence[Admitted]:
        new = [claim for claim in claims if claim.ask.is_first]
        begun = self._begin(new) if new else {}
        rest = [claim for claim in claims if claim.identity not in begun]
        judged = iter(self._judge(rest) if rest else ())
        return [begun.get(claim.identity) or next(judged) for claim in claims]

    def _begin(self, claims: Sequence[Claim]) -> Mapping[Identity, Admitted]:
        """Claim what has no row yet. A claim whose commit we did not learn of has one, and is judged by that."""
        parameters = {
            "sagas": [claim.identity.saga_id for claim in claims],
            "steps": [claim.identity.step for claim in claims],
            "rounds": [claim.identity.round for claim in claims],
            "systems": [claim.system for claim in claims],
            "owners": [claim.owner for claim in claims],
            "leases": [claim.lease for claim in claims],
            "shadows": [claim.ask.shadow for claim in claims],
        }
        until = {(saga, step, round_): lease for saga, step, round_, lease in self._change(_BEGIN, parameters)}
        begun = {}
        for claim in claims:
            identity = claim.identity
            lease_until = until.get((identity.saga_id, identity.step, identity.round))
            if lease_until is not None:
                row = EffectRow(RowStatus.CLAIMED, 1, claim.owner, lease_until, shadow=claim.ask.shadow)
                begun[identity] = Admitted(_NEW, row, lease_until - timedelta(seconds=claim.lease))
        return begun

    def _judge(self, claims: Sequence[Claim]) -> Sequence[Admitted]:
        with plain_connection(self._engine) as connection:
            keys = {
                "sagas": [claim.identity.saga_id for claim in claims],
                "steps": [claim.identity.step for claim in claims],
                "rounds": [claim.identity.round for claim in claims],
            }
            connection.execute(_LOCK, keys)
            now, rows = _rows(connection, keys)
            writes = Writes()
            admitted = [judge(claim, rows, now, writes) for claim in claims]
            if writes:
                counts = connection.execute(_WRITE, _parameters(writes)).fetchone()
                if counts != (len(writes.new), len(writes.changed)):
                    msg = f"wrote {counts} effects, not {(len(writes.new), len(writes.changed))}"
                    raise StoreConflict(msg)
            connection.commit()
            return admitted

    async def renew(self, identity: Identity, owner: UUID, lease: float) -> bool:
        """See `EffectStore.renew`."""
        row = {**_identity_columns(identity), "owner": owner, "lease": lease}
        return bool(await self._run(self._change, _RENEW, row))

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[bool]:
        """See `EffectStore.settle`."""
        parameters = {
            "sagas": [s.identity.saga_id for s in settlements],
            "steps": [s.identity.step for s in settlements],
            "directions": [s.identity.direction.value for s in settlements],
            "rounds": [s.identity.round for s in settlements],
            "owners": [s.owner for s in settlements],
            "statuses": [s.row.status.value for s in settlements],
            "doubts": [s.row.doubtful for s in settlements],
            "replies": [s.row.reply for s in settlements],
        }
        rows = await self._run(self._change, _SETTLE, parameters)
        settled = {Identity(row[0], row[1], Direction(row[2]), row[3]) for row in rows}
        return [s.identity in settled for s in settlements]

    def _change(self, statement: str, parameters: Mapping[str, Any]) -> Sequence[Any]:
        with plain_connection(self._engine, autocommit=True) as connection:
            return connection.execute(statement, parameters).fetchall()

    async def reserve(self, wants: Sequence[Want], calls: int) -> Granted:
        """See `EffectStore.reserve`."""
        row = {
            "calls": calls,
            "burst": BURST_SECONDS,
            "names": [want.limit.name for want in wants],
            "rates": [want.limit.rate for want in wants],
            "told_rates": [None if want.told is None else want.told.rate for want in wants],
            "told_fors": [None if want.told is None else want.told.seconds for want in wants],
        }
        rows = await self._run(self._change, _RESERVE, row)
        return Granted(max(first for first, _ in rows), max(gap for _, gap in rows))

    async def watermarks(self, group: str) -> Mapping[TopicPartition, int]:
        """See `EffectStore.watermarks`."""
        rows = await self._run(self._change, _WATERMARKS, {"group": group})
        return {(topic, partition): offset for topic, partition, offset in rows}

    async def mark(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """See `EffectStore.mark`."""
        parameters = {
            "group": group,
            "topics": [topic for topic, _ in offsets],
            "partitions": [partition for _, partition in offsets],
            "nexts": list(offsets.values()),
        }
        await self._run(self._change, _MARK + "RETURNING 1", parameters)

    async def close(self) -> None:
        """See `EffectStore.close`."""
        await self._run(self._engine.dispose)


_NEW = Perform()


def _parameters(writes: Writes) -> dict[str, Any]:
    new = _columns([(i, r) for i, _, r in writes.new], "new_")
    return {**new, "new_systems": [system for _, system, _ in writes.new], **_columns(writes.changed, "")}


def _columns(rows: Sequence[tuple[Identity, EffectRow]], prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}sagas": [i.saga_id for i, _ in rows],
        f"{prefix}steps": [i.step for i, _ in rows],
        f"{prefix}directions": [i.direction.value for i, _ in rows],
        f"{prefix}rounds": [i.round for i, _ in rows],
        f"{prefix}statuses": [r.status.value for _, r in rows],
        f"{prefix}attempts": [r.attempt for _, r in rows],
        f"{prefix}owners": [r.owner for _, r in rows],
        f"{prefix}leases": [r.lease_until for _, r in rows],
        f"{prefix}doubts": [r.doubtful for _, r in rows],
        f"{prefix}replies": [r.reply for _, r in rows],
        f"{prefix}shadows": [r.shadow for _, r in rows],
    }


def _identity_columns(identity: Identity) -> dict[str, Any]:
    return {
        "saga_id": identity.saga_id,
        "step": identity.step,
        "direction": identity.direction.value,
        "round": identity.round,
    }


def _rows(
    connection: psycopg.Connection[tuple[Any, ...]], keys: Mapping[str, Any]
) -> tuple[datetime, dict[Identity, EffectRow]]:
    found = connection.execute(_READ, keys).fetchall()
    rows = {}
    for _, saga_id, step, direction, round_, status, *rest in found:
        if saga_id is not None:
            row = EffectRow(RowStatus(status), *rest)
            rows[Identity(saga_id, step, Direction(direction), round_)] = row
    return found[0][0], rows
