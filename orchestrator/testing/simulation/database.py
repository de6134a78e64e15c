"""The coordinator's and the consumers' databases with faults: commits that fail or whose outcome nobody learns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from orchestrator.database import StoreConflict, StoreUnavailable
from orchestrator.messaging.message import Outgoing, TopicPartition
from orchestrator.store.ports import Change, Locked
from orchestrator.testing.memory_rows import Tables
from orchestrator.testing.memory_store import MemoryStore, MemoryTransaction
from orchestrator.testing.row_locks import Owner
from orchestrator.testing.simulation.plan import Fault

if TYPE_CHECKING:
    from orchestrator.testing.simulation.node import Node

__all__ = ["SimEffects", "SimStore"]


class SimTransaction(MemoryTransaction):
    """A transaction of one process."""

    def __init__(self, store: MemoryStore, node: Node) -> None:
        super().__init__(store)
        self._node = node
        self._severed = False

    async def __aenter__(self) -> Self:
        self._node.store.open[self] = None
        return self

    async def __aexit__(self, *_: object) -> None:
        del self._node.store.open[self]
        self.end()

    def sever(self) -> None:
        """The server gives up on it: it was idle for a minute (`idle_in_transaction_session_timeout`)."""
        self._store.locks.release(self._owner)
        self._own, self._owner, self._failed, self._severed = Tables(), Owner(), True, True

    async def lock(self, saga_ids: Collection[UUID]) -> Locked:
        """See `StoreTransaction.lock`."""
        await self._node.database()
        locked = await super().lock(saga_ids)
        await self._node.database()
        return locked

    async def applied(self, causes: Collection[tuple[UUID, UUID]]) -> Mapping[tuple[UUID, UUID], Sequence[Outgoing]]:
        """See `StoreTransaction.applied`."""
        self._node.must_live()
        return await super().applied(causes)

    async def write(self, change: Change) -> None:
        """See `StoreTransaction.write`."""
        await self._node.database()
        if self._node.world.happens(Fault.CONFLICT, 0.02):
            raise self._conflict("deadlock detected")
        await super().write(change)

    async def commit(self) -> None:
        """See `StoreTransaction.commit`."""
        node, world = self._node, self._node.world
        await node.database()
        if self._severed or world.happens(Fault.COMMIT_FAILED, 0.02):
            self._failed = True
            msg = "terminating connection"
            raise StoreUnavailable(msg)
        if world.happens(Fault.COMMIT_UNKNOWN, 0.03):
            world.tell("", f"{node.name}: a commit goes through, and nobody learns of it")
            await super().commit()
            msg = "connection lost in the commit"
            raise StoreUnavailable(msg)
        await super().commit()
        await node.io()


class SimStore:
    """`Store` and `TimerStore` as one process sees them."""

    def __init__(self, shared: MemoryStore, node: Node) -> None:
        self._shared = shared
        self._node = node
        self.open: dict[SimTransaction, None] = {}

    def begin(self) -> SimTransaction:
        """See `Store.begin`."""
        return SimTransaction(self._shared, self._node)

    async def offsets(self, group: str, places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """See `Store.offsets`."""
        await self._node.database()
        return await self._shared.offsets(group, places)

    async def announce(self, replica: UUID, definitions: Mapping[str, Mapping[int, str]]) -> Mapping[str, int]:
        """See `Store.announce`."""
        await self._node.database()
        return await self._shared.announce(replica, definitions)

    async def withdraw(self, replica: UUID) -> None:
        """See `Store.withdraw`."""
        if not self._node.process.dead:
            await self._shared.withdraw(replica)

    async def take_due(self, most: int) -> Sequence[UUID]:
        """See `TimerStore.take_due`."""
        await self._node.database()
        return await self._shared.take_due(most)

    async def take_held(self, most: int) -> Sequence[Outgoing]:
        """See `TimerStore.take_held`."""
        self._node.must_live()
        return await self._shared.take_held(most)

    async def progress(self, group: str) -> Mapping[TopicPartition, int]:
        """See `TimerStore.progress`."""
        self._node.must_live()
        return await self._shared.progress(group)

    async def maintain(self) -> None:
        """See `TimerStore.maintain`."""
        self._node.must_live()
        await self._shared.maintain()

    async def close(self) -> None:
        """See `Store.close`."""


class SimEffects:
    """The consumers' database as one worker sees it. `shared` is what their kit keeps the rows in."""

    def __init__(self, shared: Any, node: Node) -> None:
        self._shared = shared
        self._node = node

    async def claim(self, claims: Sequence[Any]) -> Any:
        """One transaction of claims; its outcome may stay unknown."""
        await self._node.database()
        found = await self._shared.claim(claims)
        for claim, admitted in zip(claims, found, strict=True):
            self._node.world.owners.claimed(claim, admitted)
        await self._unknown()
        return found

    async def renew(self, identity: Any, owner: UUID, lease: float) -> bool:
        """Extend a claim."""
        await self._node.database()
        return bool(await self._shared.renew(identity, owner, lease))

    async def settle(self, settlements: Sequence[Any]) -> Any:
        """Record outcomes; whether they were may stay unknown."""
        await self._node.database()
        # What is written already, by a commit whose outcome was not learnt, may be written again.
        rows = [self._shared.rows.get(settlement.identity) for settlement in settlements]
        again = [row is not None and row.reply == s.row.reply for row, s in zip(rows, settlements, strict=True)]
        found = await self._shared.settle(settlements)
        for settlement, taken, twice in zip(settlements, found, again, strict=True):
            self._node.world.owners.settled(settlement, taken=taken and not twice)
        await self._unknown()
        return found

    async def reserve(self, wants: Sequence[Any], calls: int) -> Any:
        """Places for calls."""
        await self._node.database()
        return await self._shared.reserve(wants, calls)

    async def watermarks(self, group: str) -> Any:
        """How far the group has come."""
        await self._node.database()
        return await self._shared.watermarks(group)

    async def mark(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Remember how far the group has come."""
        await self._node.database()
        await self._shared.mark(group, offsets)

    async def close(self) -> None:
        """Nothing to let go of."""

    async def _unknown(self) -> None:
        world = self._node.world
        if world.happens(Fault.COMMIT_UNKNOWN, 0.02):
            world.tell("", f"{self._node.name}: the effects are written, and nobody learns of it")
            msg = "connection lost in the commit"
            raise StoreUnavailable(msg)
        if world.happens(Fault.CONFLICT, 0.01):
            msg = "could not serialize"
            raise StoreConflict(msg)
        await self._node.io()
