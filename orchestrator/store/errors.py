"""Errors of the coordinator's store beyond those of any database.

StoreError (orchestrator.database)
└── DefinitionChanged   a definition changed without a new version: refuse to start
"""

from __future__ import annotations

from orchestrator.database import StoreError

__all__ = ["DefinitionChanged"]


class DefinitionChanged(StoreError):
    """A definition's structure changed and its version did not; raise the version."""

    def __init__(self, name: str, version: int, stored: str, ours: str) -> None:
        super().__init__(
            f"definition {name!r} version {version} has changed its structure since it was first run "
            f"(stored fingerprint {stored}, now {ours}); give it a new version"
        )
