"""The definitions of one process, by name and version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from orchestrator.core.definition import Saga
from schemas.models import Record

__all__ = ["Catalogue"]


class Catalogue:
    """The definitions of this process by name and version.

    Raises:
        ValueError: two definitions claim one name and version, or versions of a name differ in their request.

    """

    def __init__(self, definitions: Iterable[Saga]) -> None:
        self._found: dict[tuple[str, int], Saga] = {}
        self.requests: dict[str, type[Record]] = {}
        for definition in definitions:
            key = (definition.name, definition.version)
            if key in self._found:
                msg = f"two definitions claim {definition.name!r} version {definition.version}"
                raise ValueError(msg)
            self._found[key] = definition
            if self.requests.setdefault(definition.name, definition.request) is not definition.request:
                msg = f"the versions of {definition.name!r} disagree about their request"
                raise ValueError(msg)

    def get(self, name: str, version: int) -> Saga | None:
        """That version of that definition, or None."""
        return self._found.get((name, version))

    @cached_property
    def fingerprints(self) -> Mapping[str, Mapping[int, str]]:
        """Name → version → fingerprint."""
        found: dict[str, dict[int, str]] = {}
        for (name, version), definition in self._found.items():
            found.setdefault(name, {})[version] = definition.fingerprint
        return found

    @property
    def systems(self) -> frozenset[str]:
        """Every system that some definition asks."""
        return frozenset(system for definition in self._found.values() for system in definition.systems)
