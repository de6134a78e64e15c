"""Real ids."""

from __future__ import annotations

from uuid import UUID, uuid4

from uuid_utils.compat import uuid7

__all__ = ["RealIds"]


class RealIds:
    """See `orchestrator.messaging.ports.Ids`."""

    def saga_id(self) -> UUID:
        """A new UUIDv7."""
        return uuid7()

    def token(self) -> UUID:
        """A new random id."""
        return uuid4()
