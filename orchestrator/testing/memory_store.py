"""The coordinator's tables in memory, with the transactions and row locks that PostgreSQL gives.

Single-threaded and the same in every run: the only clock is the one that is given. `tests/contract` holds it and the
real store to one contract. Whatever is kept goes through its stored form, so nothing survives here that the database
would lose. Transactions are READ COMMITTED: each call sees what others have committed by then, and its own writes;
rows that were written or locked make the next writer wait until the end of the transaction, and a circle of waiters is
a `StoreConflict`. What PostgreSQL does besides, and this does not:

- it refuses texts that are too long for an index, and numbers within JSON that are out of its range;
- it gives up on a transaction that is idle for a minute, and on a statement that takes so long;
- of several rows that are due at one time it gives any first, where this gives those of the lowest ids;
- it can be away. A simulation wraps that around, together with commits whose outcome is not learnt.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from orchestrator.core.state import SagaState
from orchestrator.database import MissingPartition, StoreConflict, StoreError, StoreUnavailable, translated
from orchestrator.messaging.message import Outgoing, TopicPartition, pack, unpack
from orchestrator.store.errors import DefinitionChanged
from orchestrator.store.partitions import months
from orchestrator.store.ports import Change, Held, Locked
from orchestrator.store.rows import startable
from orchestrator.testing.memory_rows import HeldRow, JournalEntry, SagaRow, Tables, checked_text, offset_row
from orchestrator.testing.row_locks import Owner, RowLocks

__all__ = ["MemoryStore", "MemoryTransaction"]

_LIVE = timedelta(seconds=10)
_FORGOTTEN = timedelta(days=1)
_NEXT_WAKE = timedelta(seconds=30)
_NEXT_TRY = timedelta(seconds=5)


class MemoryStore:
    """`Store` and `TimerStore` in memory, for one consumer group. Replicas of a simulation share one.

    It is made with the partitions of that time, as a database that has just been migrated.

    Args:
        now: the database's clock, aware.
        group: whose offsets its transactions store.

    """

    def __init__(self, now: Callable[[], datetime], group: str) -> None:
        self.now = now
        self.group = group
        self.tables = Tables()
        self.locks = RowLocks()
        self._replicas: dict[UUID, tuple[Mapping[str, Sequence[int]], datetime]] = {}
        self._fingerprints: dict[tuple[str, int], str] = {}
        self._months: dict[str, tuple[UUID, UUID]] = {}
        self._make_months()

    # -- to look at ----------------------------------------------------------------------------------------------------

    @property
    def sagas(self) -> Mapping[UUID, SagaState]:
        """The committed state of every saga."""
        return {saga_id: row.state() for saga_id, row in self.tables.sagas.items()}

    def row(self, saga_id: UUID) -> SagaRow | None:
        """A saga's committed row with its times."""
        return self.tables.sagas.get(saga_id)

    def journal(self, saga_id: UUID) -> Sequence[JournalEntry]:
        """What is committed of a saga's journal, oldest first."""
        return self.tables.journal_of(saga_id)

    @property
    def held(self) -> Sequence[Held]:
        """The messages that wait for another try."""
        return [Held(*key, unpack(row.message)[0]) for key, row in self.tables.held.items() if row is not None]

    # -- Store ---------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[MemoryTransaction]:
        """See `Store.begin`."""
        transaction = MemoryTransaction(self)
        with translated():
            try:
                yield transaction
            finally:
                transaction.end()

    async def offsets(self, group: str, places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """See `Store.offsets`."""
        return {place: offset for place, offset in (await self.progress(group)).items() if place in places}

    async def announce(self, replica: UUID, definitions: Mapping[str, Mapping[int, str]]) -> Mapping[str, int]:
        """See `Store.announce`."""
        ours = {(name, version): f for name, versions in definitions.items() for version, f in versions.items()}
        for key, fingerprint in ours.items():
            stored = self._fingerprints.get(key, fingerprint)
            if stored != fingerprint:
                raise DefinitionChanged(*key, stored, fingerprint)
        self._fingerprints |= ours
        now = self.now()
        self._replicas[replica] = {name: sorted(versions) for name, versions in definitions.items()}, now
        return startable(definitions, [carried for carried, seen in self._replicas.values() if seen > now - _LIVE])

    async def withdraw(self, replica: UUID) -> None:
        """See `Store.withdraw`."""
        oldest = self.now() - _FORGOTTEN
        self._replicas = {i: row for i, row in self._replicas.items() if i != replica and row[1] >= oldest}

    async def close(self) -> None:
        """See `Store.close`."""

    # -- TimerStore ----------------------------------------------------------------------------------------------------

    async def take_due(self, most: int) -> Sequence[UUID]:
        """See `TimerStore.take_due`."""
        now, sagas = self.now(), self.tables.sagas
        due = [
            (row.wake_at, saga_id)
            for saga_id, row in sagas.items()
            if row.wake_at is not None and row.wake_at <= now and self.locks.free(("saga", saga_id))
        ]
        taken = [saga_id for _, saga_id in sorted(due)[:most]]
        for saga_id in taken:
            sagas[saga_id] = sagas[saga_id].waking(now + _NEXT_WAKE)
        return taken

    async def take_held(self, most: int) -> Sequence[Outgoing]:
        """See `TimerStore.take_held`."""
        now, held = self.now(), self.tables.held
        due = [
            (row.due_at, key)
            for key, row in held.items()
            if row is not None and row.due_at <= now and self.locks.free(("held", *key))
        ]
        taken = [(key, row) for _, key in sorted(due)[:most] if (row := held[key]) is not None]
        for key, row in taken:
            held[key] = row.due(now + _NEXT_TRY)
        return [message for _, row in taken for message in unpack(row.message)]

    async def progress(self, group: str) -> Mapping[TopicPartition, int]:
        """See `TimerStore.progress`."""
        return {(topic, p): offset for (g, topic, p), offset in self.tables.offsets.items() if g == group}

    async def maintain(self) -> None:
        """See `TimerStore.maintain`."""
        self._make_months()

    def _make_months(self) -> None:
        self._months |= {suffix: (low, high) for suffix, low, high in months(self.now())}

    def has_partition(self, saga_id: UUID) -> bool:
        """Whether there is a partition for that id."""
        return any(low <= saga_id < high for low, high in self._months.values())


class MemoryTransaction:
    """See `StoreTransaction`. Its writes are its own until they are committed."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._own = Tables()
        self._owner = Owner()
        self._now: datetime | None = None
        self._failed = False

    def end(self) -> None:
        """Forget what was not committed, and let go of the rows."""
        self._store.locks.release(self._owner)
        self._own, self._owner, self._failed = Tables(), Owner(), False

    async def _take(self, *rows: tuple[Any, ...]) -> None:
        """Hold rows until the end. Also where a failed transaction is found out."""
        if self._failed:
            msg = "current transaction is aborted, commands ignored until end of transaction block"
            raise StoreUnavailable(msg)
        try:
            await self._store.locks.take(self._owner, rows)
        except StoreError:
            self._failed = True
            raise

    async def lock(self, saga_ids: Collection[UUID]) -> Locked:
        """See `StoreTransaction.lock`."""
        committed = self._store.tables.sagas
        await self._take(*(("saga", i) for i in sorted(saga_ids) if i in committed or i in self._own.sagas))
        self._now = self._store.now()
        rows = {i: row for i in sorted(saga_ids) if (row := self._own.sagas.get(i) or committed.get(i))}
        return Locked(self._now, {saga_id: row.state() for saga_id, row in rows.items()})

    async def applied(self, causes: Collection[tuple[UUID, UUID]]) -> Mapping[tuple[UUID, UUID], Sequence[Outgoing]]:
        """See `StoreTransaction.applied`."""
        await self._take()
        own, committed = self._own.journal, self._store.tables.journal
        return {cause: row.sent for cause in causes if (row := own.get(cause) or committed.get(cause))}

    async def adopt(self, source: str, event_id: str, proposed: UUID) -> UUID:
        """See `StoreTransaction.adopt`."""
        key = (checked_text(source), checked_text(event_id))
        await self._take(("foreign", *key))
        known = self._own.foreign.get(key) or self._store.tables.foreign.get(key)
        if known is not None:
            return known
        await self._take(("foreign id", proposed))
        if proposed in (*self._store.tables.foreign.values(), *self._own.foreign.values()):
            raise self._conflict(f"saga id {proposed} is another event's")
        self._own.foreign[key] = proposed
        return proposed

    async def request_of(self, saga_id: UUID) -> Outgoing | None:
        """See `StoreTransaction.request_of`."""
        rows = await self._journal(saga_id)
        return rows[0].received if rows else None

    async def outputs_of(self, saga_id: UUID) -> Sequence[Outgoing]:
        """See `StoreTransaction.outputs_of`."""
        return [message for row in await self._journal(saga_id) for message in row.sent]

    async def _journal(self, saga_id: UUID) -> Sequence[JournalEntry]:
        await self._take()
        rows = [*self._store.tables.journal_of(saga_id), *self._own.journal_of(saga_id)]
        return sorted(rows, key=lambda row: row.revision)

    async def hold(self, held: Held, seconds: float) -> bool:
        """See `StoreTransaction.hold`."""
        key, message, now = (held.saga_id, held.cause_id), pack([held.message]), self._store.now()
        await self._take(("held", *key))
        row = self._held(key) or HeldRow(message, now, now)
        self._own.held[key] = row.due(now + _NEXT_TRY)
        return now - row.first_at < timedelta(seconds=seconds)

    async def release(self, held: Collection[tuple[UUID, UUID]]) -> None:
        """See `StoreTransaction.release`."""
        there = [key for key in held if self._held(key) is not None]
        await self._take(*(("held", *key) for key in there))
        self._own.held |= dict.fromkeys(there)

    def _held(self, key: tuple[UUID, UUID]) -> HeldRow | None:
        return self._own.held[key] if key in self._own.held else self._store.tables.held.get(key)

    async def write(self, change: Change) -> None:
        """See `StoreTransaction.write`."""
        try:
            with translated():
                await self._write(change)
        except StoreError:
            self._failed = True
            raise

    async def _write(self, change: Change) -> None:
        for saga_id, before, state in change.sagas:
            await self._write_saga(saga_id, before, state)
        for row in change.journal:
            self._check_partition(row.saga_id)
            key = (row.saga_id, row.cause_id)
            entry = JournalEntry.of(row, self._time())
            await self._take(("journal", *key))
            if key in self._store.tables.journal or key in self._own.journal:
                raise self._conflict(f"the journal has {key}")
            self._own.journal[key] = entry
        for place in sorted(change.offsets):
            row_key, offset = offset_row(self._store.group, place, change.offsets[place])
            await self._take(("offset", *row_key))
            self._own.offsets[row_key] = offset

    async def _write_saga(self, saga_id: UUID, before: int | None, state: SagaState) -> None:
        if before is None:
            self._check_partition(saga_id)
            new = SagaRow.of(state, self._time())
        await self._take(("saga", saga_id))
        there = self._own.sagas.get(saga_id) or self._store.tables.sagas.get(saga_id)
        if (there.revision if there else None) != before:
            raise self._conflict(f"saga {saga_id} is not as it was")
        self._own.sagas[saga_id] = there.changed(state, self._time()) if there else new

    def _check_partition(self, saga_id: UUID) -> None:
        if not self._store.has_partition(saga_id):
            msg = f"no partition of relation found for row {saga_id}"
            raise MissingPartition(msg)

    def _time(self) -> datetime:
        assert self._now is not None, "lock comes before write"
        return self._now

    def _conflict(self, text: str) -> StoreConflict:
        self._failed = True
        return StoreConflict(text)

    async def commit(self) -> None:
        """See `StoreTransaction.commit`. A transaction that has failed commits nothing, as with PostgreSQL."""
        if not self._failed:
            self._store.tables.take_over(self._own)
        self.end()
