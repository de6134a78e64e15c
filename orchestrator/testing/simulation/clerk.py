"""A person at a terminal who replays one dead letter: the replayer's own code over the run's broker and letters."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from orchestrator.catalogue import Catalogue
from orchestrator.core.messages import Direction
from orchestrator.core.state import SagaState
from orchestrator.database import StoreUnavailable
from orchestrator.letters.letter import Letter, Place, Way, read_letter
from orchestrator.letters.replay import Options, Replayer, Result
from orchestrator.letters.wanted import By
from orchestrator.messaging.event import cause_of
from orchestrator.messaging.message import Outgoing, TopicPartition
from orchestrator.messaging.ports import Receipt
from orchestrator.testing.evidence import Replay, header
from orchestrator.testing.memory_letters import MemoryLetters
from orchestrator.testing.simulation.loop import Process
from orchestrator.testing.simulation.network import SimOutbox
from orchestrator.testing.simulation.plan import Fault
from schemas.codec import Codec

if TYPE_CHECKING:
    from orchestrator.testing.simulation.replays import Replays
    from orchestrator.testing.simulation.world import World

__all__ = ["Clerk", "SimLetters"]

_LIMIT = 5
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class _Standing:
    state: SagaState


@dataclass(frozen=True, slots=True)
class _Topics:
    """The run's broker as `Topics`."""

    world: World

    def topics(self) -> tuple[str, Mapping[str, int]]:
        """See `Topics.topics`."""
        return "sim", self.world.broker.topics

    def reads(self, group: str) -> frozenset[str]:
        """See `Topics.reads`."""
        return frozenset(topic for topic, _ in self.world.broker.committed(group))


class SimLetters(MemoryLetters):
    """The letters of a run: they lie in PostgreSQL, which may be away."""

    def __init__(self, world: World) -> None:
        super().__init__(self._entry)
        self._world = world
        self._read: dict[TopicPartition, int] = {}

    def read_new(self) -> int:
        """Take in what has come to the dead-letter topics since; how many messages that were."""
        self._reach()
        broker, count = self._world.broker, 0
        for topic, partitions in broker.topics.items():
            for place in [(topic, p) for p in range(partitions)] if topic.endswith(".dlq") else ():
                found = broker.read(place, self._read.get(place, 0), _MOST)
                self.add([read_letter(message, at) for message, at in found])
                self._read[place] = self._read.get(place, 0) + len(found)
                count += len(found)
        return count

    def _entry(self, saga_id: UUID, cause: UUID) -> Mapping[str, object] | None:
        row = self._world.store.tables.journal.get((saga_id, cause))
        return None if row is None else row.entry

    def at(self, places: Sequence[Place]) -> list[Letter]:
        """See `Letters.at`."""
        self._reach()
        return super().at(places)

    def _reach(self) -> None:
        if self._world.database_away > self._world.loop.now:
            msg = "the database is away"
            raise StoreUnavailable(msg)


@dataclass(frozen=True, slots=True)
class _Desk:
    """`ReplayDesk` of one operator."""

    world: World
    store: SimLetters
    outbox: _Outbox

    @property
    def feed(self) -> _Topics:
        return _Topics(self.world)

    @property
    def codec(self) -> Codec:
        return self.world.codec

    @property
    def catalogue(self) -> Catalogue:
        return self.world.catalogue

    @property
    def limit(self) -> int:
        return _LIMIT

    @property
    def retired(self) -> Mapping[str, str]:
        return {}

    def sagas(self, saga_ids: Sequence[UUID]) -> Mapping[UUID, _Standing]:
        """See `ReplayDesk.sagas`."""
        rows = self.world.store.tables.sagas
        return {i: _Standing(rows[i].state()) for i in saga_ids if i in rows}

    def refresh(self) -> int:
        """See `ReplayDesk.refresh`."""
        return self.store.read_new()


class _Outbox(SimOutbox):
    """An operator's writing end: everything that goes through is kept."""

    def __init__(self, clerk: Clerk) -> None:
        super().__init__(clerk.world.broker, clerk)
        self._clerk = clerk

    async def send(self, messages: Sequence[Outgoing]) -> Receipt:
        """See `Outbox.send`."""
        clerk = self._clerk
        for message in messages:
            clerk.sends(message)
        receipt = await super().send(messages)
        if not receipt.refused:
            clerk.sent()
        if clerk.doomed:
            clerk.world.kinds["replay: interrupted"] += 1
            clerk.die()
        return receipt


class Clerk:
    """One operator's process, which replays one letter."""

    def __init__(self, world: World, name: str, place: Place, replays: Replays, *, doomed: bool = False) -> None:
        self.world = world
        self.name = name
        self.doomed = doomed
        self.process = Process(name, world.loop)
        self._replays = replays
        self.place = place
        self._kept: Replay | None = None
        self._letter: Letter | None = None
        self._resolved: str | None = None
        self._desk = _Desk(world, replays.letters, _Outbox(self))

    async def io(self) -> None:
        """See `Node.io`. A person at a terminal sits there for longer."""
        world = self.world
        if self.process.dead:
            raise asyncio.CancelledError
        await world.loop.pause(world.dice.random() * 0.1)
        if world.happens(Fault.KILL, 0.05):
            self.die()
        if world.happens(Fault.FREEZE, 0.2):
            seconds = world.dice.uniform(5.0, 60.0)
            world.tell("", f"{self.name} freezes for {seconds:.1f} s")
            self.process.freeze()
            world.loop.later(seconds, self.process.thaw)
            await asyncio.sleep(0)

    def die(self) -> None:
        """As SIGKILL does."""
        self.world.tell("", f"{self.name} is killed")
        self.process.kill()
        raise asyncio.CancelledError

    async def work(self, *, watched: bool) -> None:
        """Replay the letter, as `saga dlq replay` does."""
        world = self.world
        (letter,) = self._desk.store.at([self.place])
        self._letter, self._resolved = letter, self._truth(letter)
        options = Options(resolved=self._resolved, force=world.dice.random() < 0.5)
        replayer = Replayer(
            self._desk,
            By(self.name, "sim"),
            options,
            clock=world.loop.time,
            now=world.true_time,
            sleep=asyncio.sleep,
        )
        report = await replayer.run([self.place])
        (outcome,) = report.outcomes
        world.tell(str(letter.saga_id or ""), f"{self.name} replays {self.place}: {outcome.result} {outcome.code}")
        if outcome.result is Result.REFUSED and outcome.code == "MOVED_ON":
            world.kinds["replay: too late"] += 1
        if watched:
            await replayer.settle(report.sent, 10.0)

    def _truth(self, letter: Letter) -> str | None:
        """Whether somebody who has looked at the system can say that the effect was not done."""
        if letter.way is not Way.RETRY or letter.saga_id is None or letter.step is None or letter.direction is None:
            return None
        known = self.world.operator.surely_not_done(letter.saga_id, letter.step, Direction(letter.direction))
        return "not-done" if known else None

    def sends(self, message: Outgoing) -> None:
        """It is about to be sent: it may arrive, whatever comes of it."""
        assert self._letter is not None
        letter = self._letter
        lies = self.world.broker.read((letter.place.topic, letter.place.partition), letter.place.offset, 1)[0][0]
        cause = cause_of(header(message.headers, "ce_source"), header(message.headers, "ce_id"))
        decision = self._resolved or "" if letter.way is Way.RETRY else letter.edit
        edited = letter.edit != "" and letter.way is not Way.RETRY
        self._kept = Replay(lies, decision, edited, message, str(cause), [name for name, _ in letter.header_edits])
        self._replays.kept.append(self._kept)
        if letter.saga_id is not None and letter.way is not Way.NEW_SAGA:
            self.world.injure(str(letter.saga_id), "a replay")

    def sent(self) -> None:
        """It has arrived."""
        assert self._letter is not None
        assert self._kept is not None
        self._replays.arrived(self._letter.way, self._kept)
