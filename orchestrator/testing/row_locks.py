"""Who holds which row until the end of its transaction, as PostgreSQL has it."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterable

from orchestrator.database import StoreConflict

__all__ = ["Owner", "RowLocks"]


class Owner:
    """A transaction, as far as its locks go."""

    def __init__(self) -> None:
        self._ended = False
        self._waiting: asyncio.Event | None = None

    async def wait(self) -> None:
        """Until it has ended. Few are ever waited for."""
        if self._waiting is None:
            self._waiting = asyncio.Event()
        if not self._ended:
            await self._waiting.wait()

    def end(self) -> None:
        """Let those go on who wait."""
        self._ended = True
        if self._waiting is not None:
            self._waiting.set()


class RowLocks:
    """Rows by name. A second taker waits for the end of the first; a circle of waiters is refused."""

    def __init__(self) -> None:
        self._owners: dict[Hashable, Owner] = {}
        self._waits: dict[Owner, Owner] = {}

    @property
    def waiting(self) -> int:
        """How many transactions wait for another."""
        return len(self._waits)

    def free(self, row: Hashable) -> bool:
        """Whether nobody holds that row: what SKIP LOCKED asks."""
        return row not in self._owners

    async def take(self, owner: Owner, rows: Iterable[Hashable]) -> None:
        """Hold those rows, taken in that order.

        Raises:
            StoreConflict: a deadlock; this one is the victim.

        """
        for row in rows:
            while (holder := self._owners.get(row, owner)) is not owner:
                await self._wait(owner, holder)
            self._owners[row] = owner

    async def _wait(self, owner: Owner, holder: Owner) -> None:
        behind: Owner | None = holder
        while behind is not None:
            if behind is owner:
                msg = "deadlock detected"
                raise StoreConflict(msg)
            behind = self._waits.get(behind)
        self._waits[owner] = holder
        try:
            await holder.wait()
        finally:
            del self._waits[owner]

    def release(self, owner: Owner) -> None:
        """The transaction has ended."""
        for row in [row for row, holder in self._owners.items() if holder is owner]:
            del self._owners[row]
        owner.end()
