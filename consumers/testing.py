"""Parts of the consumers for tests and simulations. They ship, so that users can test their systems with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from consumers.claims import Admitted, Claim, Identity, Settlement, Writes, judge
from consumers.pace import next_after
from orchestrator.core.effects import EffectRow, RowStatus
from orchestrator.messaging.message import TopicPartition

__all__ = ["MemoryEffects"]


class MemoryEffects:
    """`EffectStore` in memory: the same rules as on PostgreSQL, without a database.

    Several workers of a simulation share one. Each call is one transaction: nothing is awaited in it. What a real
    database does besides, such as a commit whose outcome is not learnt, is wrapped around it.

    Args:
        now: the database's clock, aware; leases end by it alone.

    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._offsets: dict[str, dict[TopicPartition, int]] = {}
        self._paces: dict[str, tuple[datetime, float]] = {}
        self.rows: dict[Identity, EffectRow] = {}

    async def claim(self, claims: Sequence[Claim]) -> Sequence[Admitted]:
        """See `EffectStore.claim`."""
        now, writes = self._now(), Writes()
        admitted = [judge(claim, self.rows, now, writes) for claim in claims]
        self.rows |= {identity: row for identity, _, row in writes.new}
        self.rows |= dict(writes.changed)
        return admitted

    async def renew(self, identity: Identity, owner: UUID, lease: float) -> bool:
        """See `EffectStore.renew`."""
        row = self.rows.get(identity)
        if row is None or row.status is not RowStatus.CLAIMED or row.owner != owner:
            return False
        self.rows[identity] = replace(row, lease_until=self._now() + timedelta(seconds=lease))
        return True

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[bool]:
        """See `EffectStore.settle`."""
        return [self._settle(settlement) for settlement in settlements]

    def _settle(self, settlement: Settlement) -> bool:
        row, after = self.rows.get(settlement.identity), settlement.row
        if row is None:
            return False
        # A row that holds this very reply was settled by us, in a commit whose outcome we did not learn.
        same = after.reply is not None and (row.status, row.reply) == (after.status, after.reply)
        if row.owner != settlement.owner and not same:
            return False
        self.rows[settlement.identity] = replace(after, attempt=row.attempt, owner=None, lease_until=None)
        return True

    async def reserve(self, system: str, calls: int, rate: float) -> float:
        """See `EffectStore.reserve`."""
        now = self._now()
        first, next_at = next_after(self._paces.get(system), now, calls, rate)
        self._paces[system] = next_at, rate
        return (first - now).total_seconds()

    async def watermarks(self, group: str) -> Mapping[TopicPartition, int]:
        """See `EffectStore.watermarks`."""
        return dict(self._offsets.get(group, {}))

    async def mark(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """See `EffectStore.mark`."""
        known = self._offsets.setdefault(group, {})
        known |= {place: max(offset, known.get(place, offset)) for place, offset in offsets.items()}

    async def close(self) -> None:
        """See `EffectStore.close`."""
