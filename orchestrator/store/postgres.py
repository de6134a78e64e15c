"""The coordinator's store on PostgreSQL: SQLAlchemy Core connections, hand-written SQL, one driver (psycopg).

The methods are coroutines because the loops await their ports; the calls inside block. The coordinator's process has
nothing else in its event loop, so a thread hop would only cost.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Engine

from orchestrator.core.state import TERMINAL, SagaState
from orchestrator.database import StoreConflict, plain_connection, translated
from orchestrator.messaging.message import Outgoing, TopicPartition, pack, unpack
from orchestrator.store import sql
from orchestrator.store.errors import DefinitionChanged
from orchestrator.store.partitions import partition_sql
from orchestrator.store.ports import Change, Held, Locked
from orchestrator.store.rows import entry_text, request_text, saga_from_row, startable, state_text

__all__ = ["PostgresStore"]

_NOBODY = UUID(int=0)


class PostgresStore:
    """`Store` and `TimerStore` on one engine, for one consumer group."""

    def __init__(self, engine: Engine, group: str) -> None:
        self._engine = engine
        self._group = group

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PostgresTransaction]:
        """See `Store.begin`."""
        with plain_connection(self._engine) as connection:
            yield PostgresTransaction(connection, self._group)

    def _read(self, statement: str, parameters: Mapping[str, Any]) -> Sequence[Any]:
        with translated(), self._engine.connect() as connection:
            return connection.exec_driver_sql(statement, dict(parameters)).fetchall()

    def _change(self, statement: str, parameters: Mapping[str, Any], *, returns: bool = True) -> Sequence[Any]:
        with translated(), self._engine.begin() as connection:
            result = connection.exec_driver_sql(statement, dict(parameters))
            return result.fetchall() if returns else ()

    async def offsets(self, group: str, places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """See `Store.offsets`."""
        topics, partitions = [t for t, _ in places], [p for _, p in places]
        rows = self._read(sql.OFFSETS, {"group": group, "topics": topics, "partitions": partitions})
        return {(topic, partition): offset for topic, partition, offset in rows}

    async def progress(self, group: str) -> Mapping[TopicPartition, int]:
        """See `TimerStore.progress`."""
        return {(topic, partition): offset for topic, partition, offset in self._read(sql.PROGRESS, {"group": group})}

    async def announce(self, replica: UUID, definitions: Mapping[str, Mapping[int, str]]) -> Mapping[str, int]:
        """See `Store.announce`."""
        with translated(), self._engine.begin() as connection:
            for name, versions in definitions.items():
                for version, fingerprint in versions.items():
                    row = {"name": name, "version": version, "fingerprint": fingerprint}
                    stored = connection.exec_driver_sql(sql.REGISTER_DEFINITION, row).scalar_one()
                    if stored != fingerprint:
                        raise DefinitionChanged(name, version, stored, fingerprint)
            carried = json.dumps({name: sorted(versions) for name, versions in definitions.items()})
            connection.exec_driver_sql(sql.ANNOUNCE, {"id": replica, "definitions": carried})
            live = [row[0] for row in connection.exec_driver_sql(sql.LIVE_DEFINITIONS)]
        return startable(definitions, live)

    async def withdraw(self, replica: UUID) -> None:
        """See `Store.withdraw`."""
        self._change(sql.WITHDRAW, {"id": replica}, returns=False)

    async def take_due(self, most: int) -> Sequence[UUID]:
        """See `TimerStore.take_due`."""
        return [row[0] for row in self._change(sql.TAKE_DUE, {"most": most})]

    async def take_held(self, most: int) -> Sequence[Outgoing]:
        """See `TimerStore.take_held`."""
        rows = self._change(sql.TAKE_HELD, {"most": most})
        return [message for row in rows for message in unpack(row[0])]

    async def maintain(self) -> None:
        """See `TimerStore.maintain`. Takes a short exclusive lock only where a partition is missing."""
        with translated(), self._engine.begin() as connection:
            now = connection.exec_driver_sql("SELECT saga_now()").scalar_one()
            existing = {row[0] for row in connection.exec_driver_sql(_PARTITIONS)}
            for statement in partition_sql(now):
                if statement.split()[5] not in existing:
                    connection.exec_driver_sql(statement)

    async def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


_PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits"


class PostgresTransaction:
    """See `StoreTransaction`."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]], group: str) -> None:
        self._connection = connection
        self._group = group
        self._now: Any = None

    def _execute(self, statement: str, parameters: Mapping[str, Any]) -> Any:
        return self._connection.execute(statement, parameters)

    async def lock(self, saga_ids: Collection[UUID]) -> Locked:
        """See `StoreTransaction.lock`."""
        ids = sorted(saga_ids)
        low, high = (ids[0], ids[-1]) if ids else (_NOBODY, _NOBODY)
        rows = self._execute(sql.LOCK, {"ids": ids, "low": low, "high": high}).fetchall()
        self._now = rows[0][0]
        return Locked(self._now, {row[1]: saga_from_row(row[2:]) for row in rows if row[1] is not None})

    async def applied(self, causes: Collection[tuple[UUID, UUID]]) -> Mapping[tuple[UUID, UUID], Sequence[Outgoing]]:
        """See `StoreTransaction.applied`."""
        if not causes:
            return {}
        sagas, ids = [s for s, _ in causes], [c for _, c in causes]
        bounds = {"low": min(sagas), "high": max(sagas)}
        rows = self._execute(sql.APPLIED, {"sagas": sagas, "causes": ids, **bounds}).fetchall()
        return {(saga, cause): unpack(outputs) for saga, cause, outputs in rows}

    async def adopt(self, source: str, event_id: str, proposed: UUID) -> UUID:
        """See `StoreTransaction.adopt`."""
        row = {"source": source, "event_id": event_id, "proposed": proposed}
        (adopted,) = self._execute(sql.ADOPT, row).fetchone()
        assert isinstance(adopted, UUID)
        return adopted

    async def request_of(self, saga_id: UUID) -> Outgoing | None:
        """See `StoreTransaction.request_of`."""
        row = self._execute(sql.FIRST_INPUT, {"id": saga_id}).fetchone()
        return unpack(row[0])[0] if row else None

    async def outputs_of(self, saga_id: UUID) -> Sequence[Outgoing]:
        """See `StoreTransaction.outputs_of`."""
        rows = self._execute(sql.OUTPUTS, {"id": saga_id}).fetchall()
        return [message for row in rows for message in unpack(row[0])]

    async def hold(self, held: Held, seconds: float) -> bool:
        """See `StoreTransaction.hold`."""
        row = {"saga_id": held.saga_id, "cause_id": held.cause_id, "message": pack([held.message]), "seconds": seconds}
        return bool(self._execute(sql.HOLD, row).fetchone()[0])

    async def release(self, held: Collection[tuple[UUID, UUID]]) -> None:
        """See `StoreTransaction.release`."""
        if held:
            self._execute(sql.RELEASE, {"sagas": [s for s, _ in held], "causes": [c for _, c in held]})

    async def write(self, change: Change) -> None:
        """See `StoreTransaction.write`."""
        new = [(saga_id, state) for saga_id, before, state in change.sagas if before is None]
        old = [(saga_id, before, state) for saga_id, before, state in change.sagas if before is not None]
        ids = [saga_id for saga_id, _, _ in old]
        parameters = {
            **_new_columns(new),
            **_old_columns(old),
            **_journal_columns(change),
            "now": self._now,
            "low": min(ids, default=_NOBODY),
            "high": max(ids, default=_NOBODY),
            "group": self._group,
            "topics": [topic for topic, _ in change.offsets],
            "partitions": [partition for _, partition in change.offsets],
            "nexts": list(change.offsets.values()),
        }
        counts = tuple(self._execute(sql.WRITE, parameters).fetchone())
        if counts[:3] != (len(new), len(old), len(change.journal)):
            # The rest of the statement took effect: no commit may keep half a batch.
            self._connection.rollback()
            msg = f"wrote {counts[:3]}, not {(len(new), len(old), len(change.journal))}"
            raise StoreConflict(msg)

    async def commit(self) -> None:
        """See `StoreTransaction.commit`."""
        self._connection.commit()


def _new_columns(new: Sequence[tuple[UUID, SagaState]]) -> dict[str, Any]:
    states = [state for _, state in new]
    return {
        "new_ids": [saga_id for saga_id, _ in new],
        "definitions": [s.definition for s in states],
        "versions": [s.version for s in states],
        "new_statuses": [s.status.value for s in states],
        "keys": [s.business_key for s in states],
        "agents": [s.agent for s in states],
        "requests": [request_text(s) for s in states],
        "new_states": [state_text(s) for s in states],
        "new_revisions": [s.revision for s in states],
        "new_wakes": [s.wake_at for s in states],
        "new_ended": [s.status in TERMINAL for s in states],
    }


def _old_columns(old: Sequence[tuple[UUID, int, SagaState]]) -> dict[str, Any]:
    states = [state for _, _, state in old]
    return {
        "ids": [saga_id for saga_id, _, _ in old],
        "befores": [before for _, before, _ in old],
        "statuses": [s.status.value for s in states],
        "states": [state_text(s) for s in states],
        "revisions": [s.revision for s in states],
        "wakes": [s.wake_at for s in states],
        "ended": [s.status in TERMINAL for s in states],
    }


def _journal_columns(change: Change) -> dict[str, Any]:
    rows = change.journal
    return {
        "entry_sagas": [row.saga_id for row in rows],
        "causes": [row.cause_id for row in rows],
        "entry_revisions": [row.revision for row in rows],
        "entries": [entry_text(row.entry) for row in rows],
        "inputs": [pack([row.input.again()]) for row in rows],
        "outputs": [pack(row.outputs) if row.outputs else None for row in rows],
    }
