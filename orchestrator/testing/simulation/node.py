"""A process of the run with its own ports: a coordinator with its timers, or a worker of one system."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec.structs import replace

from orchestrator.coordinator import Coordinator, Limits
from orchestrator.core.messages import Direction
from orchestrator.database import StoreUnavailable
from orchestrator.messaging import topics
from orchestrator.messaging.message import Incoming, TopicPartition
from orchestrator.messaging.ports import OnAssign
from orchestrator.messaging.reader import Reader
from orchestrator.messaging.writer import Writer
from orchestrator.testing.simulation.database import SimEffects, SimStore
from orchestrator.testing.simulation.loop import Process
from orchestrator.testing.simulation.network import SimInbox, SimOutbox, SimSystems
from orchestrator.timers import Timers

if TYPE_CHECKING:
    from orchestrator.testing.simulation.world import World

__all__ = ["GROUP", "Node", "Owners"]

GROUP = "sim-coordinators"
# A round trip takes up to four milliseconds, or none that matters: others run in between, or they do not.
_WAITS = 0.25
_LATENCY = 0.016
_LATER = 5.0
_LARGEST = 900_000


class Node:
    """One process over simulated ports. `system` is None for a coordinator."""

    def __init__(self, world: World, name: str, system: str | None) -> None:
        self.world = world
        self.name = name
        self.process = Process(name, world.loop)
        self.stopping = False
        self.offset = timedelta()
        self.store = SimStore(world.store, self)
        self.outbox = SimOutbox(world.broker, self)
        if system is None:
            read, self.group = topics.inputs(world.names, world.systems), GROUP
            known: OnAssign = self._known
        else:
            read, self.group, known = [topics.commands(system)], f"sim-{system}", _nothing
        self.inbox = SimInbox(world.broker, self, self.group, read, known)
        self.task = self.process.run(self._work(system))

    async def _known(self, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return await self.store.offsets(GROUP, places)

    # -- what happens at its edges -------------------------------------------------------------------------------------

    def must_live(self) -> None:
        """The dead do nothing any more."""
        if self.process.dead:
            raise asyncio.CancelledError

    async def io(self) -> None:
        """The outside world: it takes a moment, and anything may happen to this process."""
        process, world = self.process, self.world
        if process.dead:
            raise asyncio.CancelledError
        luck = world.dice.random()
        if luck < _WAITS:
            await world.loop.pause(luck * _LATENCY)
            if process.dead:
                raise asyncio.CancelledError
        if world.hazards:
            await world.strike(self)

    async def database(self) -> None:
        """One round trip to PostgreSQL."""
        await self.io()
        if self.world.database_away > self.world.loop.now:
            msg = "the database is away"
            raise StoreUnavailable(msg)

    def read(self, messages: Sequence[Incoming]) -> None:
        """These were delivered."""
        self.world.delivered += len(messages)

    def now(self) -> datetime:
        """The wall clock of its machine."""
        return self.world.true_time() + self.offset

    async def sleep(self, seconds: float) -> None:
        """See `Sleep`."""
        self.must_live()
        await asyncio.sleep(max(seconds, _LATER) if self.world.long_after else seconds)
        self.must_live()

    async def rest(self, seconds: float) -> None:
        """Between two ticks of the timers; long where everything is over but for distant deadlines."""
        await self.sleep(self.world.patience(seconds))

    # -- what runs in it -----------------------------------------------------------------------------------------------

    async def _work(self, system: str | None) -> None:
        if system is None:
            coordinator, timers = self._coordinator(), self._timers()
            await asyncio.gather(coordinator.run(lambda: self.stopping), timers.run(lambda: self.stopping))
        else:
            await self._worker(system).run(lambda: self.stopping)

    def _coordinator(self) -> Coordinator:
        world = self.world
        return Coordinator(
            inbox=self.inbox,
            outbox=self.outbox,
            store=self.store,
            systems=SimSystems(world.broker, world.codec, self),
            reader=Reader(world.codec, world.catalogue.requests),
            writer=Writer(world.codec, _LARGEST),
            catalogue=world.catalogue,
            ids=world.ids,
            clock=world.loop.time,
            group=GROUP,
            limits=Limits(batch=world.batch, poll=world.poll, hold=30.0, control_hold=10.0),
        )

    def _timers(self) -> Timers:
        world = self.world
        return Timers(
            store=self.store,
            outbox=SimOutbox(world.broker, self),
            writer=Writer(world.codec, _LARGEST),
            ids=world.ids,
            clock=world.loop.time,
            now=self.now,
            sleep=self.rest,
            group=GROUP,
            interval=world.interval,
        )

    def _worker(self, system: str) -> Any:
        world = self.world
        return world.kit.worker(
            system,
            world.targets,
            self,
            rate=world.rates.get(system),
            limits={"batch": world.batch, "poll": world.poll, "drain": 5.0, "lease_margin": 1.0},
            inbox=self.inbox,
            outbox=self.outbox,
            effects=SimEffects(world.effects, self),
            codec=world.codec,
            ids=world.ids,
            clock=world.loop.time,
            now=self.now,
            sleep=self.sleep,
            group=self.group,
        )


async def _nothing(_: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
    return {}


class Owners:
    """Who may write to which effect, as the database gave it out: no older owner ever does."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._owner: dict[Any, UUID] = {}

    def claimed(self, claim: Any, admitted: Any) -> None:
        """A claim was judged."""
        if type(admitted.verdict).__name__ == "Perform":
            self._owner[claim.identity] = claim.owner
            if claim.identity.direction is Direction.UNDO:
                self._owner.pop(replace(claim.identity, direction=Direction.DO), None)

    def settled(self, settlement: Any, *, taken: bool) -> None:
        """An outcome was written for the first time, or refused."""
        identity = settlement.identity
        if taken and self._owner.get(identity) != settlement.owner:
            what = f"{identity.direction} of {identity.step}, round {identity.round}"
            self._world.wrong(str(identity.saga_id), f"an older owner wrote the outcome of {what}")
