"""What the coordinator and its timer loop need of the store, in the core's terms."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from orchestrator.core.messages import Entry
from orchestrator.core.state import SagaState
from orchestrator.messaging.message import Incoming, Outgoing, TopicPartition

__all__ = ["Change", "Held", "JournalRow", "Locked", "Store", "StoreTransaction", "TimerStore"]


@dataclass(frozen=True, slots=True)
class Locked:
    """The sagas of a batch, locked, and the time of the transaction (PostgreSQL's)."""

    now: datetime
    sagas: Mapping[UUID, SagaState]


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One entry of a saga's journal: what came in, what was noted, what goes out."""

    saga_id: UUID
    cause_id: UUID
    revision: int
    entry: Entry
    input: Incoming
    outputs: Sequence[Outgoing]


@dataclass(frozen=True, slots=True)
class Change:
    """What one batch writes. `before` is the saga's revision when it was locked, None where it is new."""

    sagas: Sequence[tuple[UUID, int | None, SagaState]] = ()
    journal: Sequence[JournalRow] = ()
    offsets: Mapping[TopicPartition, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """A message that waits for its saga or its definition."""

    saga_id: UUID
    cause_id: UUID
    message: Outgoing


class StoreTransaction(Protocol):
    """One READ COMMITTED transaction. Rolls back unless `commit` is called."""

    async def lock(self, saga_ids: Collection[UUID]) -> Locked:
        """Lock those sagas, ordered by id. Ids without a row are absent from the answer."""
        ...

    async def applied(self, causes: Collection[tuple[UUID, UUID]]) -> Mapping[tuple[UUID, UUID], Sequence[Outgoing]]:
        """Which (saga, cause) the journal has, with their outputs. A statement of its own, after `lock`."""
        ...

    async def adopt(self, source: str, event_id: str, proposed: UUID) -> UUID:
        """The saga id of a foreign producer's event: `proposed` on first sight, the same for ever after."""
        ...

    async def request_of(self, saga_id: UUID) -> Outgoing | None:
        """The message the saga began with."""
        ...

    async def outputs_of(self, saga_id: UUID) -> Sequence[Outgoing]:
        """Everything the saga has sent, oldest first."""
        ...

    async def hold(self, held: Held, seconds: float) -> bool:
        """Keep a message for later, as it was first seen. False once that is `seconds` ago: then `release` it."""
        ...

    async def release(self, held: Collection[tuple[UUID, UUID]]) -> None:
        """These have been dealt with."""
        ...

    async def write(self, change: Change) -> None:
        """Raises `StoreConflict` where a saga's revision is not what it was."""
        ...

    async def commit(self) -> None:
        """Raises `StoreUnavailable`, also where the outcome is unknown: redelivery finds out."""
        ...


class Store(Protocol):
    """The coordinator's database."""

    def begin(self) -> AbstractAsyncContextManager[StoreTransaction]:
        """A transaction; rolled back on exit unless committed."""
        ...

    async def offsets(self, group: str, places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The next offsets that the group's transactions have stored."""
        ...

    async def announce(self, replica: UUID, definitions: Mapping[str, Mapping[int, str]]) -> Mapping[str, int]:
        """Say which definitions (name → version → fingerprint) a replica carries; live for ten seconds.

        Returns the highest version of each that every live replica carries.

        Raises:
            DefinitionChanged: the stored fingerprint of a version is another.

        """
        ...

    async def withdraw(self, replica: UUID) -> None:
        """A replica leaves."""
        ...

    async def close(self) -> None:
        """Let go of the database."""
        ...


class TimerStore(Protocol):
    """The timer loop's view of the database."""

    async def take_due(self, most: int) -> Sequence[UUID]:
        """Sagas whose deadline has passed; each is not given again for 30 s."""
        ...

    async def take_held(self, most: int) -> Sequence[Outgoing]:
        """Held messages that are due for another try; each is not given again for 5 s."""
        ...

    async def progress(self, group: str) -> Mapping[TopicPartition, int]:
        """How far the coordinators have read, all partitions."""
        ...

    async def maintain(self) -> None:
        """Make the partitions of this month and the next two."""
        ...

    async def close(self) -> None:
        """Let go of the database."""
        ...
