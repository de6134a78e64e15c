"""What replaying needs of the desk, so that the same code replays in a simulation."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from orchestrator.catalogue import Catalogue
    from orchestrator.core.state import SagaState
    from orchestrator.letters.letter import Letter, Place
    from orchestrator.letters.wanted import By
    from orchestrator.messaging.ports import Outbox
    from schemas.codec import Codec

__all__ = ["Letters", "ReplayDesk", "Standing", "Topics"]


class Letters(Protocol):
    """Letters, and what has been done about them. See `LetterStore`."""

    def at(self, places: Sequence[Place]) -> list[Letter]:
        """The letters at these places, in the order given; a place without one is left out."""

    def came_back(self, sent: Sequence[tuple[Letter, UUID | None]]) -> set[UUID]:
        """Identities of those replayed letters (each with the saga that it went to) that were given up again."""

    def applied(self, causes: Collection[tuple[UUID, UUID]]) -> Mapping[tuple[UUID, UUID], Mapping[str, Any]]:
        """Of these (saga, cause), the journal entries that there are."""

    def act(self, kind: str, letters: Sequence[tuple[Letter, UUID | None]], by: By) -> None:
        """Write down what is done about letters, each with the saga that it begins."""


class Topics(Protocol):
    """The broker as who replays sees it. See `Feed`."""

    def topics(self) -> tuple[str, Mapping[str, int]]:
        """The cluster's id, and all its topics with their numbers of partitions."""

    def reads(self, group: str) -> frozenset[str]:
        """The topics that a consumer group has read something of."""


class Standing(Protocol):
    """A saga as it stands."""

    @property
    def state(self) -> SagaState: ...


class ReplayDesk(Protocol):
    """See `Desk`."""

    @property
    def store(self) -> Letters: ...
    @property
    def feed(self) -> Topics: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def codec(self) -> Codec: ...
    @property
    def catalogue(self) -> Catalogue: ...
    @property
    def limit(self) -> int: ...
    @property
    def retired(self) -> Mapping[str, str]: ...

    def sagas(self, saga_ids: Sequence[UUID]) -> Mapping[UUID, Standing]:
        """Those of these sagas that there are."""

    def refresh(self) -> int:
        """Read what has come to the dead-letter topics since; how many messages that were."""
