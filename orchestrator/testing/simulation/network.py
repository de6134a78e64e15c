"""A broker with faults: sends fail, messages come twice, late or not at once, members are thrown out of their group."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from orchestrator.messaging import topics
from orchestrator.messaging.errors import BrokerUnavailable
from orchestrator.messaging.kafka_systems import Said
from orchestrator.messaging.message import Incoming, Outgoing, TopicPartition
from orchestrator.messaging.ports import OnAssign, Receipt
from orchestrator.testing.evidence import header
from orchestrator.testing.memory_broker import MemoryBroker, MemoryInbox, MemoryOutbox
from orchestrator.testing.memory_group import Group
from orchestrator.testing.simulation.loop import finish
from orchestrator.testing.simulation.plan import Fault
from schemas.codec import Codec
from schemas.models import SystemState

if TYPE_CHECKING:
    from orchestrator.testing.simulation.node import Node
    from orchestrator.testing.simulation.world import World

__all__ = ["Sender", "SimBroker", "SimInbox", "SimOutbox", "SimSystems"]

_FETCH = 0.2


class SimBroker(MemoryBroker):
    """The cluster of a run. Whoever waits for messages is woken by them.

    `moved` counts messages and commits: as long as it stays, what has been read and what has not stays.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world.true_time)
        self.world = world
        self.stalled: dict[TopicPartition, float] = {}
        self.moved = 0
        self._refused: set[str] = set()
        self._readers: dict[str, list[SimInbox]] = {}
        self._waiting: dict[SimInbox, asyncio.Future[None]] = {}
        self._fetching: dict[asyncio.Future[None], None] = {}

    def add(self, inbox: SimInbox, names: Sequence[str]) -> None:
        """Another process reads those topics."""
        for name in names:
            readers = self._readers.setdefault(name, [])
            readers[:] = [reader for reader in readers if reader.lives] + [inbox]

    def append(self, message: Outgoing, partition: int | None = None) -> Incoming:
        """See `MemoryBroker.append`."""
        stored = super().append(message, partition)
        self.moved += 1
        for inbox in self._readers.get(message.topic, ()):
            inbox.news = True
            future = self._waiting.get(inbox)
            # A fetch takes a while, and brings what has come meanwhile.
            if future is not None and stored.place in inbox.places and future not in self._fetching:
                self._fetching[future] = None
                self.world.loop.later(self.world.dice.random() * _FETCH, self._fetched, inbox, future)
        return stored

    def _fetched(self, inbox: SimInbox, future: asyncio.Future[None]) -> None:
        del self._fetching[future]
        if self._waiting.get(inbox) is future:
            self.wake(inbox)

    def refusal(self, message: Outgoing) -> str | None:
        """See `MemoryBroker.refusal`. A command that was refused once is refused for ever."""
        if message.topic.endswith(".commands"):
            event_id = header(message.headers, "ce_id")
            if event_id in self._refused or self.world.happens(Fault.REFUSED, 0.03):
                self._refused.add(event_id)
                return "MSG_SIZE_TOO_LARGE"
        return super().refusal(message)

    async def wait(self, inbox: SimInbox, seconds: float) -> None:
        """Until something is there to read, or so long."""
        future: asyncio.Future[None] = self.world.loop.create_future()
        self._waiting[inbox] = future
        timer = self.world.loop.later(seconds, finish, future)
        try:
            await future
        finally:
            timer.cancel()
            self._waiting.pop(inbox, None)

    def wake(self, inbox: SimInbox) -> None:
        """Look again."""
        future = self._waiting.pop(inbox, None)
        if future is not None:
            finish(future)

    def wake_group(self, group: Group) -> None:
        """The group has changed: its members look."""
        for inbox in list(self._waiting):
            if inbox.group is group:
                self.wake(inbox)

    def wake_all(self) -> None:
        """A stall has ended, or the broker is back: everybody looks."""
        for readers in self._readers.values():
            for inbox in readers:
                inbox.news = True
        for inbox in list(self._waiting):
            self.wake(inbox)


class SimInbox(MemoryInbox):
    """One process' reading end. `news`: there may be something to read; where there is not, nobody looks."""

    def __init__(self, broker: SimBroker, node: Node, group: str, topics: Sequence[str], on_assign: OnAssign) -> None:
        super().__init__(broker, group, topics, on_assign)
        self._sim = broker
        self._node = node
        self._settled = (-1, False)
        self.news = True
        broker.add(self, topics)

    @property
    def lives(self) -> bool:
        """Whether its process does."""
        return not self._node.process.dead

    @property
    def places(self) -> frozenset[TopicPartition]:
        """What it reads."""
        return self._assigned

    def _serve(self) -> None:
        super()._serve()
        seen = (self.group.generation, self.group.settling)
        if seen != self._settled:
            self._settled = seen
            self._sim.wake_group(self.group)

    async def poll(self, most: int, timeout: float) -> Sequence[Incoming]:
        """See `Inbox.poll`."""
        await self._node.io()
        if self._pending is not None:
            self.news = True
            await self._start(self._pending)
            self._sim.moved += 1
        self._serve()
        found = self._take(most)
        if not found and self._pending is None:
            await self._sim.wait(self, self._sim.world.patience(timeout))
            self._node.must_live()
            self._serve()
            found = self._take(most)
        if found:
            self._node.read(found)
        return found

    def _take(self, most: int) -> list[Incoming]:
        if not self.news:
            return []
        stalled = self._sim.stalled
        if not stalled:
            found = super()._take(most)
            self.news = self._sim.away or len(found) >= most
            return found
        now, kept = self._sim.world.loop.time(), self._assigned
        self._assigned = frozenset(place for place in kept if stalled.get(place, 0.0) <= now)
        try:
            return super()._take(most)
        finally:
            self._assigned = kept

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """See `Inbox.commit`."""
        await self._node.io()
        await super().commit(offsets)
        self._sim.moved += 1
        await self._node.io()

    async def rewind(self, offsets: Mapping[TopicPartition, int]) -> None:
        """See `Inbox.rewind`."""
        self._node.must_live()
        self.news = True
        await super().rewind(offsets)

    async def idle(self, seconds: float) -> None:
        """See `Inbox.idle`."""
        self._node.must_live()
        self._serve()
        await asyncio.sleep(seconds)
        self._node.must_live()
        self._serve()

    async def close(self) -> None:
        """See `Inbox.close`. The dead say no farewell."""
        if not self._node.process.dead:
            self.crash()
            self._sim.wake_group(self.group)


class Sender(Protocol):
    """A process that sends."""

    @property
    def name(self) -> str: ...

    async def io(self) -> None:
        """The outside world: it takes a moment, and anything may happen to this process."""


class SimOutbox(MemoryOutbox):
    """One process' writing end."""

    def __init__(self, broker: SimBroker, node: Sender) -> None:
        super().__init__(broker)
        self._sim = broker
        self._node = node

    async def send(self, messages: Sequence[Outgoing]) -> Receipt:
        """See `Outbox.send`."""
        if not messages:
            return Receipt()
        world, node = self._sim.world, self._node
        await node.io()
        if world.happens(Fault.PRODUCE_FAILED, 0.04):
            # Some arrived, perhaps all: nobody was told.
            taken = messages[: world.dice.randint(0, len(messages))]
            world.tell("", f"{node.name}: of {len(messages)} messages {len(taken)} arrived, and no acknowledgement")
            await self._sent(taken)
            msg = "no acknowledgement"
            raise BrokerUnavailable(msg)
        receipt = await self._sent(messages)
        await node.io()
        return receipt

    async def _sent(self, messages: Sequence[Outgoing]) -> Receipt:
        world = self._sim.world
        receipt = await super().send(messages)
        if not self._sim.away:
            for message in messages:
                world.sent(message)
                if world.happens(Fault.DUPLICATE, 0.08):
                    world.again(message, 0.0)
                if world.happens(Fault.LATE_DUPLICATE, 0.05):
                    world.again(message, world.dice.uniform(0.5, 60.0))
        return receipt


class SimSystems:
    """What workers say on `saga.systems`, read as the real adapter reads it."""

    def __init__(self, broker: SimBroker, codec: Codec, node: Node) -> None:
        self._broker = broker
        self._codec = codec
        self._node = node
        self._said = Said()
        self._next: dict[int, int] = {}

    async def away(self) -> frozenset[str]:
        """See `Systems.away`."""
        self._node.must_live()
        if self._broker.away:
            msg = "the broker is away"
            raise BrokerUnavailable(msg)
        now = self._broker.world.loop.time()
        for partition in range(self._broker.partition_count(topics.SYSTEMS)):
            place = (topics.SYSTEMS, partition)
            at = self._next.get(partition, 0)
            for message, stamp in self._broker.read(place, at, 1000):
                self._next[partition] = message.offset + 1
                record = self._codec.decode(message.value or b"")
                if isinstance(record, SystemState):
                    self._said.hear(record, now - (self._broker.world.true_time() - stamp).total_seconds())
        return self._said.away(now)

    async def close(self) -> None:
        """See `Systems.close`."""
