"""Where dead letters are dealt with: the projection, the broker, the catalogue and the sagas, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self
from uuid import UUID

from orchestrator.catalogue import Catalogue
from orchestrator.letters.errors import NoSuchLetter
from orchestrator.letters.feed import Feed
from orchestrator.letters.letter import Letter, Place
from orchestrator.letters.projection import Progress, bring_up_to_date
from orchestrator.letters.store import LetterStore
from orchestrator.store.queries import Queries, SagaRow

if TYPE_CHECKING:
    from orchestrator.messaging.ports import Outbox
    from schemas.codec import Codec

__all__ = ["Desk"]


@dataclass(frozen=True, slots=True)
class Desk:
    """Parts that commands about dead letters work with. As a context manager it is closed at the end.

    `limit` is how many replays may lead to one letter; `retired` says which topic has replaced another.
    """

    store: LetterStore
    feed: Feed
    outbox: Outbox
    queries: Queries
    codec: Codec
    catalogue: Catalogue
    limit: int
    retired: Mapping[str, str]
    max_bytes: int

    def refresh(
        self,
        *,
        rebuild: bool = False,
        progress: Progress | None = None,
        on_wait: Callable[[], None] = lambda: None,
        seconds: float | None = None,
    ) -> int:
        """See `bring_up_to_date`."""
        return bring_up_to_date(
            self.store,
            self.feed,
            system_of=self._system_of,
            rebuild=rebuild,
            progress=progress,
            on_wait=on_wait,
            seconds=seconds,
        )

    def letter(self, place: Place) -> Letter:
        """The letter at a place.

        Raises:
            NoSuchLetter: there is none.

        """
        found = self.store.at([place])
        if not found:
            msg = f"there is no dead letter at {place}"
            raise NoSuchLetter(msg)
        return found[0]

    def sagas(self, saga_ids: Sequence[UUID]) -> Mapping[UUID, SagaRow]:
        """Those of these sagas that there are."""
        return {row.id: row for row in self.queries.some(saga_ids)}

    def _system_of(self, definition: str, step: str) -> str | None:
        for version in sorted(self.catalogue.fingerprints.get(definition, {}), reverse=True):
            found = self.catalogue.get(definition, version)
            if found is not None and found.has_step(step):
                return found.step(step).action.contract.system
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.feed.close()
        self.store.close()
