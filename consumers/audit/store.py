"""The audit in the consumers' database: added to by the workers, read by `saga audit`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from psycopg.rows import namedtuple_row
from sqlalchemy import Engine

from consumers.audit.entry import FIRST, AuditRow, Exchange, chained
from orchestrator.database import plain_connection
from orchestrator.messaging.kafka import Run

__all__ = ["AuditReader", "AuditStore", "Checkpoint", "PostgresAudit", "Unsigned"]

# -- SQL -----------------------------------------------------------------------------------------------------------

_BEGIN = "INSERT INTO audit_head (system, number, hash) VALUES (%(system)s, 0, %(hash)s) ON CONFLICT DO NOTHING"
_HEAD = "SELECT number, hash FROM audit_head WHERE system = %(system)s FOR UPDATE"
_MOVE = "UPDATE audit_head SET number = %(number)s, hash = %(hash)s WHERE system = %(system)s"
_COLUMNS = (
    "system", "number", "at", "agent", "saga_id", "step", "direction", "attempt", "action", "send", "endpoint",
    "credential", "request", "status", "response", "error", "duration_ms", "hash",
)  # fmt: skip
_KINDS = (
    "text", "bigint", "timestamptz", "text", "uuid", "text", "text", "int", "text", "int", "text", "text", "text",
    "int", "text", "text", "float8", "bytea",
)  # fmt: skip
_ADD = f"INSERT INTO audit_call ({', '.join(_COLUMNS)}) SELECT * FROM unnest({', '.join(f'%({c})b::{k}[]' for c, k in zip(_COLUMNS, _KINDS, strict=True))})"  # noqa: S608, E501 - names of our own
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM audit_call"  # noqa: S608
# What is not asked for is NULL. The newest first, as an operator wants them.
_SEARCH = f"""
{_SELECT}
WHERE (%(system)s::text IS NULL OR system = %(system)s) AND (%(saga)s::uuid IS NULL OR saga_id = %(saga)s)
  AND (%(agent)s::text IS NULL OR agent = %(agent)s) AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
  AND (%(action)s::text IS NULL OR action = %(action)s) AND (NOT %(failed)s OR error IS NOT NULL)
ORDER BY at DESC, system, number DESC LIMIT %(limit)s
"""
_CHAIN = f"{_SELECT} WHERE system = %(system)s AND number > %(after)s ORDER BY number LIMIT %(most)s"
_HEADS = "SELECT system, number, hash FROM audit_head ORDER BY system"
_CHECKPOINTS = "SELECT system, number, hash, at, key_id, signature FROM audit_checkpoint ORDER BY system, number"
# Of each agent, what it did with which credential: attempts and not sends, for retries are the engine's.
_USED = """
SELECT agent, system, action, credential, count(DISTINCT (saga_id, step, direction, attempt)) AS calls,
       count(*) AS sends, count(*) FILTER (WHERE error IS NOT NULL) AS failed, max(at) AS last
FROM audit_call WHERE (%(since)s::timestamptz IS NULL OR at >= %(since)s) AND endpoint <> 'BY HAND' AND system !~ '^@'
GROUP BY agent, system, action, credential ORDER BY agent, system, action, credential
"""
_TURN = "SELECT pg_try_advisory_xact_lock(hashtext('saga-audit-checkpoints'))"
# The end of each chain, and the last checkpoint of it.
_DUE = """
SELECT h.system, h.number, h.hash, coalesce(c.number, 0) AS signed,
       (SELECT min(a.at) FROM audit_call a WHERE a.system = h.system AND a.number = coalesce(c.number, 0) + 1) AS since
FROM audit_head h LEFT JOIN LATERAL (
    SELECT number, at FROM audit_checkpoint c WHERE c.system = h.system ORDER BY number DESC LIMIT 1
) AS c ON true
WHERE h.number > coalesce(c.number, 0) ORDER BY h.system
"""
_SECRETS_READ = """
SELECT agent AS system, endpoint AS reference, credential AS version, count(*) FILTER (WHERE error IS NULL) AS reads,
       count(*) FILTER (WHERE error IS NOT NULL) AS failed, max(at) AS last
FROM audit_call WHERE system = '@secrets' AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
GROUP BY agent, endpoint, credential ORDER BY agent, endpoint, last
"""
_SIGN = """
INSERT INTO audit_checkpoint (system, number, hash, at, key_id, signature)
VALUES (%(system)s, %(number)s, %(hash)s, %(at)s, %(key_id)s, %(signature)s) ON CONFLICT DO NOTHING
"""


class AuditStore(Protocol):
    """Where the workers write."""

    async def add(self, rows: Sequence[AuditRow]) -> None:
        """Append to the chain of their one system; numbers and hashes are given here.

        Raises:
            StoreError: nothing was written, or nobody knows.

        """
        ...


@dataclass(frozen=True, slots=True)
class Unsigned:
    """The end of a chain, whose last checkpoint is at `signed` (0: there is none); `since` the first row after it."""

    system: str
    number: int
    hash: bytes
    signed: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The end of a chain at some time, signed."""

    system: str
    number: int
    hash: bytes
    at: datetime
    key_id: str
    signature: bytes


class PostgresAudit:
    """`AuditStore` on PostgreSQL. Calls block, so they go through `run`."""

    def __init__(self, engine: Engine, run: Run) -> None:
        self._engine = engine
        self._run = run

    async def add(self, rows: Sequence[AuditRow]) -> None:
        """See `AuditStore.add`."""
        await self._run(self.write, rows)

    def write(self, rows: Sequence[AuditRow]) -> None:
        """The same for who has no loop."""
        (system,) = {row.system for row in rows}
        with plain_connection(self._engine) as connection:
            found = connection.execute(_HEAD, {"system": system}).fetchone()
            if found is None:
                connection.execute(_BEGIN, {"system": system, "hash": FIRST})
                found = connection.execute(_HEAD, {"system": system}).fetchone()
            assert found is not None
            number, before = found
            numbered = [replace(row, number=number + place) for place, row in enumerate(rows, start=1)]
            added = list(chained(before, numbered))
            connection.execute(_ADD, _parameters(added))
            connection.execute(_MOVE, {"system": system, "number": added[-1].number, "hash": added[-1].hash})
            connection.commit()


class AuditReader:
    """What `saga audit` reads and signs. Synchronous: a command has nothing else to do."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def _rows(self, statement: str, parameters: Mapping[str, Any]) -> list[Any]:
        with plain_connection(self._engine) as connection:
            return connection.cursor(row_factory=namedtuple_row).execute(statement, parameters).fetchall()

    def search(
        self,
        *,
        system: str | None = None,
        saga: UUID | None = None,
        agent: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        failed: bool = False,
        limit: int = 50,
    ) -> list[AuditRow]:
        """The newest rows of which all that is asked for holds."""
        asked = {"system": system, "saga": saga, "agent": agent, "action": action, "since": since}
        return [_row(found) for found in self._rows(_SEARCH, {**asked, "failed": failed, "limit": limit})]

    def used(self, since: datetime | None) -> list[dict[str, Any]]:
        """Who did what with which credential, how often, and when last."""
        return [dict(found._asdict()) for found in self._rows(_USED, {"since": since})]

    def heads(self) -> dict[str, tuple[int, bytes]]:
        """Number and hash of each system's last row."""
        return {found.system: (found.number, bytes(found.hash)) for found in self._rows(_HEADS, {})}

    def chain(self, system: str, most: int = 5000) -> Iterator[AuditRow]:
        """All rows of a system, oldest first, read in pieces."""
        after = 0
        while True:
            rows = [_row(found) for found in self._rows(_CHAIN, {"system": system, "after": after, "most": most})]
            yield from rows
            if len(rows) < most:
                return
            after = rows[-1].number

    def checkpoints(self) -> list[Checkpoint]:
        """All of them."""
        return [
            Checkpoint(f.system, f.number, bytes(f.hash), f.at, f.key_id, bytes(f.signature))
            for f in self._rows(_CHECKPOINTS, {})
        ]

    def sign(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint."""
        with plain_connection(self._engine) as connection:
            connection.execute(_SIGN, _signed(checkpoint))
            connection.commit()

    def unsigned(self) -> list[Unsigned]:
        """The chains that go on after their last checkpoint."""
        return [_unsigned(found) for found in self._rows(_DUE, {})]

    def secrets(self, since: datetime | None) -> list[dict[str, Any]]:
        """For which system which version of which secret was read, how often, and when last."""
        return [dict(found._asdict()) for found in self._rows(_SECRETS_READ, {"since": since})]

    def sign_in_turn(self, make: Callable[[Sequence[Unsigned]], Sequence[Checkpoint]]) -> int | None:
        """Keep the checkpoints that `make` makes of the chains' ends; None where another process is at it now."""
        with plain_connection(self._engine) as connection:
            cursor = connection.cursor(row_factory=namedtuple_row)
            if not cursor.execute(_TURN).fetchall()[0][0]:
                return None
            made = make([_unsigned(found) for found in cursor.execute(_DUE).fetchall()])
            for checkpoint in made:
                cursor.execute(_SIGN, _signed(checkpoint))
            connection.commit()
            return len(made)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def _signed(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "system": checkpoint.system,
        "number": checkpoint.number,
        "hash": checkpoint.hash,
        "at": checkpoint.at,
        "key_id": checkpoint.key_id,
        "signature": checkpoint.signature,
    }


def _unsigned(found: Any) -> Unsigned:
    return Unsigned(found.system, found.number, bytes(found.hash), found.signed, found.since)


def _parameters(rows: Sequence[AuditRow]) -> dict[str, Any]:
    flat = [
        (
            row.system, row.number, row.at, row.agent, row.saga_id, row.step, row.direction, row.attempt, row.action,
            row.send, row.exchange.endpoint, row.exchange.credential, row.exchange.request, row.exchange.status,
            row.exchange.response, row.exchange.error, row.exchange.duration_ms, row.hash,
        )
        for row in rows
    ]  # fmt: skip
    return {name: [columns[place] for columns in flat] for place, name in enumerate(_COLUMNS)}


def _row(found: Any) -> AuditRow:
    exchange = Exchange(
        found.endpoint, found.duration_ms, found.request, found.status, found.response, found.error, found.credential
    )
    return AuditRow(
        found.system, found.number, found.at, found.agent, found.saga_id, found.step, found.direction, found.attempt,
        found.action, found.send, exchange, bytes(found.hash),
    )  # fmt: skip
