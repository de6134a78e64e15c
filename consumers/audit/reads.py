"""Each read of a secret, in a chain of its own: by whom, which version of which reference, or why not; never its value.

A read is written soon, and not before the secret is used: who may read it is the store's business, which logs it too.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from consumers.audit.entry import SECRETS, AuditRow, Exchange
from consumers.audit.store import AuditStore

__all__ = ["READS", "Reads"]

_MOST = 500


class Reads:
    """What has been read in this process and is not written yet."""

    def __init__(self) -> None:
        self._waiting: deque[AuditRow] = deque()

    def tell(self, who: str, reference: str, version: str, error: str | None) -> None:
        """Take down one read; `error` is why it gave nothing."""
        told = Exchange(reference, 0.0, error=error, credential=version)
        self._waiting.append(
            AuditRow(SECRETS, 0, datetime.now(UTC), who, UUID(int=0), "", "read", 1, "read_secret", 1, told)
        )

    async def write(self, audit: AuditStore) -> int:
        """Write what waits; how much it was. What could not be written waits on.

        Raises:
            StoreError: the audit is away.

        """
        rows = [self._waiting[place] for place in range(min(_MOST, len(self._waiting)))]
        if rows:
            await audit.add(rows)
            for _ in rows:
                self._waiting.popleft()
        return len(rows)


READS: Final = Reads()
"""Those of this process, as its secrets are."""
