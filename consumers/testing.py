"""Parts of the consumers for tests and simulations. They ship, so that users can test their systems with them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Protocol
from uuid import UUID

from msgspec.structs import replace

from consumers.claims import Admitted, Claim, Identity, Settlement, Writes, judge
from consumers.errors import Failed, Rejected, Unknown
from consumers.limit import Granted, Taken, Want, granted, taken
from consumers.runtime import ConsumerLimits, Runtime
from consumers.system import Call, System
from orchestrator.core.effects import EffectRow, RowStatus
from orchestrator.core.sample import fitting
from orchestrator.messaging.message import TopicPartition
from schemas.models import BY_NAME, Record

__all__ = ["MemoryEffects", "Simulated"]


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
        self._paces: dict[str, Taken] = {}
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
        self.rows[settlement.identity] = replace(
            after, attempt=row.attempt, owner=None, lease_until=None, shadow=row.shadow
        )
        return True

    async def reserve(self, wants: Sequence[Want], calls: int) -> Granted:
        """See `EffectStore.reserve`."""
        now = self._now()
        rows = {want.limit.name: taken(self._paces.get(want.limit.name), now, calls, want) for want in wants}
        self._paces |= rows
        return granted(list(rows.values()), now, calls)

    async def watermarks(self, group: str) -> Mapping[TopicPartition, int]:
        """See `EffectStore.watermarks`."""
        return dict(self._offsets.get(group, {}))

    async def mark(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """See `EffectStore.mark`."""
        known = self._offsets.setdefault(group, {})
        known |= {place: max(offset, known.get(place, offset)) for place, offset in offsets.items()}

    async def close(self) -> None:
        """See `EffectStore.close`."""


class _Targets(Protocol):
    """The systems of a simulation. Outcomes are `done`, `rejected`, `failed` and `unknown`, each with a code."""

    def gate(self, system: str) -> float | None: ...

    async def act(self, node: Any, effect: str, call: Call) -> tuple[str, str] | None: ...

    async def ask(self, node: Any, call: Call) -> bool | tuple[str, str] | None: ...


class Simulated:
    """The real consumer runtime over the ports of a simulation (`SAGA_SIMULATION`)."""

    @staticmethod
    def effects(now: Callable[[], datetime]) -> MemoryEffects:
        """The consumers' database."""
        return MemoryEffects(now)

    @staticmethod
    def worker(
        name: str, targets: _Targets, node: Any, *, rate: float | None, limits: Mapping[str, Any], **ports: Any
    ) -> Runtime:
        """A worker of that system. `node` is the process it runs in; `ports` are those of `Runtime`."""
        system = System(name, gate=lambda: targets.gate(name), rate=rate)
        for record in BY_NAME.values():
            if record.contract.kind == "command" and record.contract.system == name:
                system.action(record, timeout=_CALL_SECONDS)(_handler(record, targets, node))
                if record.contract.effect != "blind":
                    system.probe(record)(_probe(record, targets, node))
        return Runtime(system=system, limits=ConsumerLimits(**limits), **ports)


_CALL_SECONDS = 4.0
_ERRORS = {"rejected": Rejected, "failed": Failed, "unknown": Unknown}


@cache
def _answer(record: type[Record]) -> Record:
    assert record.contract.completion is not None
    return fitting(record.contract.completion)


def _handler(record: type[Record], targets: _Targets, node: Any) -> Callable[[Record, Call], Awaitable[Record]]:
    async def handle(command: Record, call: Call) -> Record:
        del command
        answer = await targets.act(node, record.contract.effect, call)
        assert answer is not None
        outcome, code = answer
        if outcome in _ERRORS:
            raise _ERRORS[outcome](code)
        return _answer(record)

    return handle


def _probe(record: type[Record], targets: _Targets, node: Any) -> Callable[[Record, Call], Awaitable[Record | None]]:
    async def probe(command: Record, call: Call) -> Record | None:
        del command
        found = await targets.ask(node, call)
        if isinstance(found, tuple):
            raise _ERRORS[found[0]](found[1])
        return _answer(record) if found else None

    return probe
