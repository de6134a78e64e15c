"""One run: processes, agents, operators and faults around one broker, two databases and the systems, from one seed."""

# ruff: noqa: S311 - a simulation throws dice, and keeps no secrets

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from orchestrator.catalogue import Catalogue
from orchestrator.coordinator import Stopped
from orchestrator.database import StoreError
from orchestrator.messaging import topics
from orchestrator.messaging.errors import BrokerFatal
from orchestrator.messaging.event import Event
from orchestrator.messaging.message import Outgoing
from orchestrator.testing.memory_store import MemoryStore
from orchestrator.testing.simulation.aim import Aim
from orchestrator.testing.simulation.definitions import random_saga, request
from orchestrator.testing.simulation.loop import VirtualLoop
from orchestrator.testing.simulation.network import SimBroker
from orchestrator.testing.simulation.node import GROUP, Node, Owners
from orchestrator.testing.simulation.operator import Operator
from orchestrator.testing.simulation.plan import Fault, Plan
from orchestrator.testing.simulation.replays import Replays
from orchestrator.testing.simulation.targets import Targets
from orchestrator.testing.simulation.trace import Trace
from schemas.codec import Codec
from schemas.models import Record
from schemas.registry import FixedIds

__all__ = ["Asked", "World"]

_START = datetime(2026, 5, 14, 12, tzinfo=UTC)
_WINDOW = 45.0
_SESSION = 10.0
_SOON = 60.0
_IDLE_TRANSACTION = 60.0
_LONGEST = 8 * 3600.0
_PARTITIONS = 2
_HAZARD = 0.004
_OFTEN = {Fault.OPERATOR: (4, 16), Fault.STALL: (2, 5), Fault.REPLAY: (2, 6)}
_COUNTED_WHERE_DONE = (Fault.OPERATOR, Fault.REPLAY)


class _Ids:
    """Ids from the dice, UUIDv7 from the virtual clock (RFC 9562, section 5.7)."""

    def __init__(self, dice: random.Random, now: Callable[[], datetime]) -> None:
        self._dice = dice
        self._now = now

    def saga_id(self) -> UUID:
        milliseconds = int(self._now().timestamp() * 1000)
        bits = self._dice.getrandbits(74)
        return UUID(int=milliseconds << 80 | 7 << 76 | (bits >> 62) << 64 | 2 << 62 | bits & (1 << 62) - 1)

    def token(self) -> UUID:
        return UUID(int=self._dice.getrandbits(128), version=4)


class Asked:
    """A request as its agent knows it. `saga_id` is None for a foreign producer's."""

    def __init__(self, message: Outgoing, event: Event, record: Record) -> None:
        self.message = message
        self.event = event
        self.record = record
        self.acknowledged = False


class World:
    """Everything there is in a run."""

    def __init__(self, plan: Plan, kit: Any, *, keep: bool = False, aim: Aim | None = None) -> None:
        self.plan = plan
        self.aim = aim
        self.window = _WINDOW if aim is None else aim.window
        self.kit = kit
        self.loop = VirtualLoop()
        self._true_time = (0.0, _START)
        self.trace = Trace(keep=keep)
        root = random.Random(plan.seed)
        # Streams of their own: to leave a fault out leaves the definitions and requests as they were.
        self.dice, self._blueprints, self._requests = (random.Random(root.getrandbits(64)) for _ in range(3))
        self.active: frozenset[Fault] = frozenset(plan.faults)
        self.hazards = [fault for fault in (Fault.KILL, Fault.FREEZE, Fault.REBALANCE) if fault in self.active]
        self.fired: Counter[Fault] = Counter()
        self.kinds: Counter[str] = Counter()
        self.delivered = 0
        self.violations: list[tuple[str, str]] = []
        self.injured: dict[str, str] = {}
        self.silent: set[str] = set()
        self.excess: set[str] = set()
        self.unnoticed: list[str] = []
        self.leapt = self.over = self.quieting = False
        self.database_away = 0.0
        self.batch = self._blueprints.choice([1, 3, 20, 500])
        self.poll = self._blueprints.choice([2.0, 4.0])
        self.interval = self._blueprints.choice([1.0, 3.0])
        self._database_offset = timedelta()
        self.codec = _codec()
        self.ids = _Ids(random.Random(root.getrandbits(64)), self.true_time)
        if aim is None:
            definitions = [random_saga(self._blueprints, f"sim-{n}") for n in range(self._blueprints.randint(1, 3))]
        else:
            definitions = [aim.definition]
        self.catalogue = Catalogue(definitions)
        self.definitions = {definition.name: definition for definition in definitions}
        self.names = list(self.definitions)
        self.systems = sorted(self.catalogue.systems)
        # A limit on calls is a thing to go through, not to be held up by.
        paced = aim is None and self._blueprints.random() < 0.15
        self.rates = {self._blueprints.choice(self.systems): 20.0} if paced else {}
        self.broker = SimBroker(self)
        for topic in topics.needed(self.names, self.systems):
            self.broker.create_topic(topic, _PARTITIONS)
        self.store = MemoryStore(self.database_time, GROUP)
        self.effects = kit.effects(self.database_time)
        self.owners = Owners(self)
        self.targets = Targets(self)
        self.operator = Operator(self)
        self.replays = Replays(self)
        self.asked: list[Asked] = []
        self.garbage: list[Outgoing] = []
        self.nodes: dict[str, Node] = {}
        self._all_read = (-1, False)

    # -- time and luck -------------------------------------------------------------------------------------------------

    def true_time(self) -> datetime:
        """What all clocks should say."""
        if self._true_time[0] != self.loop.now:
            self._true_time = self.loop.now, _START + timedelta(seconds=self.loop.now)
        return self._true_time[1]

    def database_time(self) -> datetime:
        """What PostgreSQL's clock says."""
        return self.true_time() + self._database_offset

    def happens(self, fault: Fault, chance: float) -> bool:
        """Whether that fault strikes now."""
        if fault not in self.active or self.dice.random() >= chance:
            return False
        self.fired[fault] += 1
        return True

    def tell(self, saga: str, text: str) -> None:
        """Something happened."""
        self.trace.tell(self.loop.now, saga, text)

    def wrong(self, saga: str, text: str) -> None:
        """Something happened that must not."""
        self.tell(saga, f"WRONG: {text}")
        self.violations.append((saga, text))

    def injure(self, saga: str, why: str) -> None:
        """Something happened to that saga that may bring it before a person."""
        self.injured.setdefault(saga, why)

    def sent(self, message: Outgoing) -> None:
        """A message is with the broker."""
        headers = dict(message.headers)
        kind = (headers.get("ce_type") or b"?").decode()
        self.kinds[f"dead letter of {kind}" if message.topic.endswith(".dlq") else kind] += 1
        saga = (headers.get("ce_sagaid") or b"").decode()
        step, direction = (headers.get("ce_step") or b"").decode(), (headers.get("ce_direction") or b"").decode()
        attempt = (headers.get("ce_attempt") or b"").decode()
        self.tell(saga, f"{message.topic} has {kind.rsplit('.', 1)[-1]} {direction} {step} {attempt}".rstrip())
        if self.aim is not None:
            self.aim.sent(self, message, step, direction)

    # -- faults --------------------------------------------------------------------------------------------------------

    async def strike(self, node: Node) -> None:
        """At every await of a process anything may happen to it."""
        if self.dice.random() >= _HAZARD:
            return
        fault = self.dice.choice(self.hazards)
        self.fired[fault] += 1
        if fault is Fault.KILL:
            self.kill(node)
            raise asyncio.CancelledError
        if fault is Fault.FREEZE:
            self.freeze(node)
            await asyncio.sleep(0)
        else:
            self.expel(node)

    def kill(self, node: Node) -> None:
        """As SIGKILL does: nothing is said to anybody, and its group finds out by itself."""
        self.tell("", f"{node.name} is killed")
        node.process.kill()
        self.loop.later(_SESSION, self._forget, node)

    def freeze(self, node: Node, seconds: float | None = None) -> None:
        """As SIGSTOP does, perhaps for longer than its session, its leases and its transaction last."""
        if node.process.frozen or node.process.dead:
            return
        seconds = seconds or self.dice.choice([2.0, 15.0, 40.0, 100.0]) * self.dice.uniform(0.5, 1.0)
        self.tell("", f"{node.name} freezes for {seconds:.1f} s")
        node.process.freeze()
        thaws = node.process.thaws
        for after, act in ((_SESSION, self._forget), (_IDLE_TRANSACTION, self._sever)):
            self.loop.later(after, lambda act=act: act(node) if node.process.thaws == thaws else None)
        self.loop.later(seconds, self._thaw, node)

    def _thaw(self, node: Node) -> None:
        if node.process.frozen:
            self.tell("", f"{node.name} goes on")
            node.process.thaw()

    def _sever(self, node: Node) -> None:
        for transaction in list(node.store.open):
            transaction.sever()

    def _forget(self, node: Node) -> None:
        self.broker.expel(node.inbox)
        self.broker.wake_group(node.inbox.group)

    def expel(self, node: Node) -> None:
        """Its group takes a living member for dead."""
        self.tell("", f"{node.name} is thrown out of its group")
        self._forget(node)

    def again(self, message: Outgoing, after: float) -> None:
        """Somebody publishes a message once more."""
        if after:
            self.loop.later(after, self.broker.append, message)
        else:
            self.broker.append(message)

    def _schedule(self) -> None:
        """The faults that come by the clock and not by the await."""
        scheduled: dict[Fault, Callable[[], None]] = {
            Fault.STOP: self._stop_one,
            Fault.KILL: lambda: self.kill(self._any_node()),
            Fault.FREEZE: lambda: self.freeze(self._any_node()),
            Fault.REBALANCE: lambda: self.expel(self._any_node()),
            Fault.DATABASE_AWAY: self._database_goes,
            Fault.BROKER_AWAY: self._broker_goes,
            Fault.STALL: self._stall,
            Fault.SYSTEM_AWAY: self._system_goes,
            Fault.DATABASE_CLOCK: self._database_clock,
            Fault.WORKER_CLOCK: self._worker_clock,
            Fault.GARBAGE: self._garbage,
            Fault.OPERATOR: self.operator.press,
            Fault.REPLAY: self.replays.press,
        }
        for fault, act in scheduled.items():
            if fault in self.active:
                times = self.dice.randint(*_OFTEN.get(fault, (1, 2)))
                for _ in range(times):
                    self.loop.later(self.dice.uniform(0.5, _WINDOW), self._strike_later, fault, act)

    def _strike_later(self, fault: Fault, act: Callable[[], None]) -> None:
        if fault not in self.active:
            return
        if fault not in _COUNTED_WHERE_DONE:
            self.fired[fault] += 1
        act()

    def _any_node(self) -> Node:
        return self.nodes[self.dice.choice(list(self.nodes))]

    def _stop_one(self) -> None:
        node = self._any_node()
        self.tell("", f"{node.name} is asked to stop")
        node.stopping = True
        self.broker.wake(node.inbox)

    def _database_goes(self) -> None:
        self.database_away = self.loop.time() + self.dice.uniform(0.5, 15.0)
        self.tell("", f"PostgreSQL is away until {self.database_away:.1f} s")

    def _broker_goes(self) -> None:
        self.broker.away = True
        self.tell("", "Kafka is away")
        self.loop.later(self.dice.uniform(0.5, 15.0), self._broker_comes)

    def _broker_comes(self) -> None:
        self.broker.away = False
        self.broker.wake_all()

    def _stall(self) -> None:
        inputs = [*topics.inputs(self.names, self.systems), *map(topics.commands, self.systems)]
        place = (self.dice.choice(inputs), self.dice.randrange(_PARTITIONS))
        seconds = self.dice.uniform(5.0, 60.0)
        self.broker.stalled[place] = self.loop.time() + seconds
        self.tell("", f"{place[0]}/{place[1]} cannot be read for {seconds:.1f} s")
        self.loop.later(seconds, self.broker.wake_all)

    def _system_goes(self) -> None:
        system = self.dice.choice(self.systems)
        self.targets.away[system] = self.loop.time() + self.dice.uniform(2.0, 40.0)
        self.tell("", f"{system} is not called until {self.targets.away[system]:.1f} s")

    def _database_clock(self) -> None:
        self.leapt = True
        self._database_offset = timedelta(hours=self.dice.choice([-1, 0, 1]))
        self.tell("", f"PostgreSQL's clock is off by {self._database_offset}")

    def _worker_clock(self) -> None:
        node = self._any_node()
        node.offset = timedelta(hours=self.dice.choice([-1, 1]))
        self.tell("", f"the clock of {node.name} is off by {node.offset}")

    def _garbage(self) -> None:
        inputs = [*topics.inputs(self.names, self.systems), *map(topics.commands, self.systems)]
        mark = str(self.ids.token())
        headers = (("ce_id", mark.encode()), ("ce_source", b"nobody"), ("ce_type", b"x"), ("x", b"\xff"))
        message = Outgoing(self.dice.choice(inputs), mark.encode(), self.dice.randbytes(12), headers)
        self.garbage.append(message)
        self.tell("", f"{message.topic} has something that nobody can read")
        self.broker.append(message)

    # -- agents --------------------------------------------------------------------------------------------------------

    def _plan_requests(self) -> None:
        dice = self._requests
        bursts = [dice.uniform(0.0, 25.0) for _ in range(3)]
        for number in range(self.plan.sagas):
            at, name, foreign = dice.choice(bursts) + dice.random(), dice.choice(self.names), dice.random() < 0.1
            again = dice.random() < 0.3
            self.loop.later(at, self._ask, number, name, foreign, again)

    def _ask(self, number: int, name: str, foreign: bool, again: bool) -> None:  # noqa: FBT001 - private
        record: Record
        if self.aim is not None:
            record = self.aim.request
        else:
            record = request(number, unmappable=self.happens(Fault.MAPPING, 0.2))
        saga_id = None if foreign else self.ids.saga_id()
        event_id = f"request-{number}" if saga_id is None else str(saga_id)
        event = Event(event_id, "agent/sim", record.contract.type, self.true_time(), saga_id, agent="sim")
        key = str(saga_id).encode() if saga_id else str(number).encode()
        message = Outgoing(topics.requests(name), key, self.codec.encode(record), event.headers())
        asked = Asked(message, event, record)
        self.asked.append(asked)
        self._publish(asked)
        if again and Fault.REQUEST_AGAIN in self.active:
            self.loop.later(self.dice.uniform(0.0, 30.0), self._publish_again, asked)

    def _publish(self, asked: Asked) -> None:
        if self.broker.away:
            self.loop.later(1.0, self._publish, asked)
            return
        self.broker.append(asked.message)
        asked.acknowledged = True
        self.sent(asked.message)

    def _publish_again(self, asked: Asked) -> None:
        self.fired[Fault.REQUEST_AGAIN] += 1
        # Another event id under the same saga id is the same saga, too.
        if asked.event.saga_id is not None and self.dice.random() < 0.5:
            event = replace(asked.event, id=str(self.ids.token()))
            asked = Asked(replace(asked.message, headers=event.headers()), event, asked.record)
        self._publish(asked)

    # -- the run -------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Play it to its end."""
        try:
            self.loop.run_until_complete(self._play())
        finally:
            self.loop.close()
        self.violations += [("", error) for error in self.loop.errors]

    async def _play(self) -> None:
        supervisors = [
            asyncio.ensure_future(self._supervise(f"{system or 'coordinator'}-{n}", system))
            for system in (None, *self.systems)
            for n in range(2 if system is None or system in self._crowded() else self._blueprints.randint(1, 2))
        ]
        self._plan_requests()
        self._schedule()
        await asyncio.sleep(self.window)
        self._calm()
        await self._settle()
        self.over = True
        for node in self.nodes.values():
            node.process.kill()
        await asyncio.gather(*supervisors)
        for _ in range(5):
            await asyncio.sleep(0)

    def _crowded(self) -> set[str | None]:
        """Systems that need a second worker, or nobody could do a thing again while the first is frozen."""
        if Fault.FREEZE not in self.plan.faults:
            return set()
        actions = [s.action for definition in self.definitions.values() for s in definition]
        return {action.contract.system for action in actions if action.contract.effect == "blind"}

    async def _supervise(self, name: str, system: str | None) -> None:
        """Start a process, and another when it has ended, as Kubernetes does."""
        number = 0
        while not self.over:
            number += 1
            node = self.nodes[name] = Node(self, f"{name}.{number}", system)
            self.tell("", f"{node.name} starts")
            await asyncio.wait([node.task])
            if not node.task.cancelled() and (exc := node.task.exception()) is not None:
                self.tell("", f"{node.name} ends: {type(exc).__name__}: {exc}")
                if not isinstance(exc, (BrokerFatal, StoreError, Stopped)):
                    self.wrong("", f"{node.name} died of {type(exc).__name__}: {exc}")
                node.process.kill()
                self.loop.later(_SESSION, self._forget, node)
            if not self.over:
                await asyncio.sleep(self.dice.uniform(0.5, 8.0))

    def _calm(self) -> None:
        """No more faults; what is away comes back, and what was paused goes on."""
        self.tell("", "no more faults")
        self.active, self.hazards = frozenset(), []
        self.database_away = 0.0
        self.broker.stalled.clear()
        self.targets.away.clear()
        self._broker_comes()

    async def _settle(self) -> None:
        """Until nothing moves any more."""
        self.quieting = True
        while self.loop.time() < _LONGEST:
            await asyncio.sleep(8.0)
            if self._at_rest() and not self._somebody_acts():
                return
        self.wrong("", "it does not come to rest")

    def _somebody_acts(self) -> bool:
        return self.operator.resume_paused() or self.operator.attend() or self.replays.attend()

    def _at_rest(self) -> bool:
        if self.replays.busy or self.store.held:
            return False
        if any(row.wake_at is not None for row in self.store.tables.sagas.values()):
            return False
        return not any(node.process.frozen for node in self.nodes.values()) and self.all_read()

    def all_read(self) -> bool:
        """Whether everything that was sent has been dealt with, and committed."""
        if self._all_read[0] != self.broker.moved:
            self._all_read = self.broker.moved, self._look_whether_all_read()
        return self._all_read[1]

    def _look_whether_all_read(self) -> bool:
        groups = [(GROUP, topics.inputs(self.names, self.systems))]
        groups += [(f"sim-{system}", [topics.commands(system)]) for system in self.systems]
        return all(self.has_read(group, names) for group, names in groups)

    def has_read(self, group: str, names: Sequence[str]) -> bool:
        """Whether that group has dealt with everything in those topics."""
        committed = self.broker.committed(group)
        places = [(name, partition) for name in names for partition in range(_PARTITIONS)]
        return all(committed.get(place, 0) >= self.broker.watermarks(place)[1] for place in places)

    @property
    def long_after(self) -> bool:
        """Whether only leases and deadlines of clocks that had leapt are waited for: no need to look often."""
        return self.loop.now > self.window + _SOON

    def patience(self, seconds: float) -> float:
        """How long the timers rest: up to the next deadline where nothing else is left to wait for."""
        if not self.quieting:
            return seconds
        if not self.all_read():
            return _SOON if self.long_after else seconds
        tables = self.store.tables
        dues = [row.wake_at for row in tables.sagas.values() if row.wake_at is not None]
        dues += [row.due_at for row in tables.held.values() if row is not None]
        if not dues:
            return seconds * 4
        return max(seconds, (min(dues) - self.database_time()).total_seconds())


class _Codec(Codec):
    """The real codec, which remembers: the records of runs are ever the same few."""

    def __init__(self) -> None:
        super().__init__(FixedIds())
        self._encoded: dict[int, tuple[Record, bytes]] = {}
        self._decoded: dict[bytes, Record] = {}

    def encode(self, record: Record) -> bytes:
        if record.contract.kind not in _FEW:
            return super().encode(record)
        # By identity; the record is kept, or another could come to have its id.
        known = self._encoded.get(id(record))
        if known is None:
            if len(self._encoded) >= _MOST_KNOWN:
                self._encoded.clear()
            known = self._encoded[id(record)] = (record, super().encode(record))
        return known[1]

    def decode(self, data: bytes) -> Record:
        known = self._decoded.get(data)
        if known is None:
            known = super().decode(data)
            if len(self._decoded) >= _MOST_KNOWN:
                self._decoded.clear()
            self._decoded[data] = known
        return known


_FEW = ("command", "completion", "request")
_MOST_KNOWN = 5000


@cache
def _codec() -> Codec:
    return _Codec()
