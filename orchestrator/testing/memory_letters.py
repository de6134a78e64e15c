"""Dead letters in memory, by the rules of `orchestrator/letters/sql.py`: what comes again is dropped, acts add up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias
from uuid import UUID

from orchestrator.letters.letter import OPEN_STATES, Letter, Place, State
from orchestrator.letters.wanted import By
from orchestrator.messaging.message import Headers

__all__ = ["MemoryLetters"]

Applied: TypeAlias = Callable[[UUID, UUID], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class _Act:
    kind: str
    new_saga_id: UUID | None
    edited: bytes | None
    header_edits: Headers


class MemoryLetters:
    """`Letters` in memory. `entry_of` gives the journal entry of a saga and cause, or None."""

    def __init__(self, entry_of: Applied) -> None:
        self._entry_of = entry_of
        self._letters: dict[Place, Letter] = {}
        self._identities: set[UUID] = set()
        self._acts: dict[UUID, list[_Act]] = defaultdict(list)

    def add(self, letters: Sequence[Letter]) -> None:
        """Take letters in; a second copy of one is dropped."""
        for letter in letters:
            if letter.identity not in self._identities and letter.place not in self._letters:
                self._identities.add(letter.identity)
                self._letters[letter.place] = letter

    @property
    def read(self) -> Sequence[Letter]:
        """The letters as they were taken in, whatever has been done about them since."""
        return list(self._letters.values())

    def at(self, places: Sequence[Place]) -> list[Letter]:
        """See `Letters.at`."""
        return [self._told(self._letters[place]) for place in places if place in self._letters]

    def _told(self, letter: Letter) -> Letter:
        """The letter with what its acts come to."""
        acts = self._acts[letter.identity]
        edits = [at for at, act in enumerate(acts) if act.kind == "edited"]
        begun = [act.new_saga_id for act in acts[edits[-1] + 1 if edits else 0 :] if act.new_saga_id is not None]
        return replace(
            letter,
            state=self._state(letter),
            edited=next((act.edited for act in reversed(acts) if act.edited is not None), None),
            header_edits=next((act.header_edits for act in reversed(acts) if act.header_edits), ()),
            replays=sum(act.kind == "replayed" for act in acts),
            repeats=self._repeats(letter),
            earlier=begun[0] if begun else None,
        )

    def _state(self, letter: Letter) -> State:
        kinds = [act.kind for act in self._acts[letter.identity] if act.kind != "replaying"]
        return State(kinds[-1]) if kinds else State.OPEN

    def _repeats(self, letter: Letter) -> int:
        if letter.stage != "saga" or letter.saga_id is None or letter.version is None:
            return 0
        return sum(
            other.stage == "saga"
            and (other.saga_id, other.step) == (letter.saga_id, letter.step)
            and other.version is not None
            and other.version < letter.version
            and any(act.kind == "replayed" for act in self._acts[other.identity])
            for other in self._letters.values()
        )

    def came_back(self, sent: Sequence[tuple[Letter, UUID | None]]) -> set[UUID]:
        """See `Letters.came_back`."""
        waiting = [found for found in self._letters.values() if self._state(found) in OPEN_STATES]
        return {
            letter.identity
            for letter, saga_id in sent
            if any(_is_of(found, letter, saga_id) for found in waiting if found.identity != letter.identity)
        }

    def applied(self, causes: Collection[tuple[UUID, UUID]]) -> Mapping[tuple[UUID, UUID], Mapping[str, Any]]:
        """See `Letters.applied`."""
        return {cause: entry for cause in causes if (entry := self._entry_of(*cause)) is not None}

    def act(
        self,
        kind: str,
        letters: Sequence[tuple[Letter, UUID | None]],
        by: By,
        edited: bytes | None = None,
        header_edits: Headers = (),
    ) -> None:
        """See `LetterStore.act`."""
        del by
        for letter, new_saga_id in letters:
            self._acts[letter.identity].append(_Act(kind, new_saga_id, edited, header_edits))


def _is_of(found: Letter, letter: Letter, saga_id: UUID | None) -> bool:
    """Whether that letter is what became of the replay of the other."""
    if found.replay_of == letter.identity:
        return True
    if saga_id is None or found.saga_id != saga_id or found.stage != "saga" or found.version is None:
        return False
    if saga_id != letter.saga_id or letter.version is None:
        return True  # a new saga leaves any letter at all
    return found.version > letter.version and not found.original_topic.endswith(".requests")
