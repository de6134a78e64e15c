"""Which letters are meant, and who wants what of them. Loads no driver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from orchestrator.letters.letter import OPEN_STATES, State

__all__ = ["By", "Filter"]

_ENCODE = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class By:
    """Who does something, and why."""

    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters; None means any. `topic` is the dead-letter topic or the original one. `until` is exclusive."""

    topic: str | None = None
    system: str | None = None
    reason: str | None = None
    saga: UUID | None = None
    definition: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    offset: int | None = None
    header: tuple[str, str] | None = None
    states: Sequence[State] = OPEN_STATES

    @property
    def chooses(self) -> bool:
        """Whether it leaves anything out beside what is settled."""
        facts = (self.topic, self.system, self.reason, self.saga, self.definition, self.since, self.until, self.offset)
        return any(fact is not None for fact in (*facts, self.header))

    def parameters(self) -> dict[str, Any]:
        """For SQL."""
        return {
            "topic": self.topic,
            "system": self.system,
            "reason": self.reason,
            "saga": self.saga,
            "definition": self.definition,
            "since": self.since,
            "until": self.until,
            "offset": self.offset,
            "header": _ENCODE((self.header[0], self.header[1].encode())) if self.header else None,
            "states": [state.value for state in self.states] or None,
        }
