"""Random histories of dead letters: what PostgreSQL tells of them, the letters in memory tell too."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from orchestrator.database import connect
from orchestrator.letters.letter import Letter, Place, read_letter
from orchestrator.letters.store import LetterStore
from orchestrator.letters.wanted import By
from orchestrator.messaging.dead_letter import Grave, bury
from orchestrator.messaging.message import Headers, Incoming, Outgoing
from orchestrator.testing.memory_letters import MemoryLetters

BY = By("ada", "why")
TIME = datetime(2026, 5, 14, tzinfo=UTC)
SAGAS = [UUID(int=0x019E265B << 96 | 7 << 76 | 2 << 62 | n) for n in range(3)]
STEPS = 60
EDITS: list[tuple[bytes | None, Headers]] = [(b"1", ()), (b"2", ()), (None, (("x", b"1"),)), (b"1", (("x", None),))]


@pytest.fixture
def real(contract_url: str) -> Iterator[LetterStore]:
    engine = connect(contract_url, pool_size=2)
    with engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE saga, dead_letter, dead_letter_offset")
    store = LetterStore(engine)
    yield store
    store.close()


def some_letter(dice: random.Random, value: bytes, offset: int, known: list[Letter]) -> Letter:
    """One of a parked or failed saga, or an unreadable one; now and then the copy of another, or a replay's."""
    topic = dice.choice(["x.requests", "erp.commands", "saga.control"])
    back = dice.choice(known) if known and dice.random() < 0.3 else None
    marks = (("saga-replay-letter", str(back.identity).encode()),) if back else ()
    headers = (("ce_id", b"%d" % dice.randint(1, 4)), ("ce_source", b"s"), *marks)
    sent = Outgoing(topic, b"k", value, headers)
    saga_id, version = dice.choice([*SAGAS, None]), dice.randint(1, 4)
    stage = "saga" if saga_id else "read"
    step = dice.choice(["a", None])
    grave = Grave("NO", "no", stage, "g", TIME, saga_id=saga_id, step=step, version=version if saga_id else None)
    read = sent if saga_id else Incoming(topic, 0, dice.randint(0, 5), b"k", value, headers)
    buried = bury(read, grave)
    return read_letter(Incoming(buried.topic, 0, offset, buried.key, buried.value, buried.headers), TIME)


@pytest.mark.parametrize("seed", range(6))
def test_both_tell_alike(seed: int, real: LetterStore) -> None:
    dice, memory = random.Random(seed), MemoryLetters(lambda _saga, _cause: None)
    known: list[Letter] = []
    # Acts are never deleted, so the letters of each test are others.
    value = uuid4().bytes
    for offset in range(STEPS):
        letter = some_letter(dice, value, offset, known)
        known.append(letter)
        memory.add([letter])
        with real.projecting() as projecting:
            projecting.add([letter], {})
        act(dice, known, memory, real)
        compare(dice, known, memory, real)


def act(dice: random.Random, known: list[Letter], memory: MemoryLetters, real: LetterStore) -> None:
    kind = dice.choice(["replaying", "replayed", "replayed", "edited", "discarded", ""])
    if not kind:
        return
    place = dice.choice(known).place
    edited, headers = dice.choice(EDITS) if kind == "edited" else (None, ())
    begun = dice.choice([*SAGAS, None]) if kind.startswith("replay") else None
    for store in (memory, real):
        letters = store.at([place])
        store.act(kind, [(letter, begun) for letter in letters], BY, edited, headers)


def compare(dice: random.Random, known: list[Letter], memory: MemoryLetters, real: LetterStore) -> None:
    places = [letter.place for letter in known] + [Place("nowhere", 0, 0)]
    ours, theirs = memory.at(places), real.at(places)
    assert [(letter, letter.earlier) for letter in ours] == [(letter, letter.earlier) for letter in theirs]
    some = [(letter, dice.choice([letter.saga_id, *SAGAS, None])) for letter in dice.sample(ours, min(3, len(ours)))]
    assert memory.came_back(some) == real.came_back(some)
    gone = [(replace(letter, saga_id=None, version=None), saga_id) for letter, saga_id in some]
    assert memory.came_back(gone) == real.came_back(gone)
