"""Kafka in memory, as far as the loops can tell: topics, groups, and the two ends that the loops hold.

Single-threaded and the same in every run: time and waiting are given, nothing is random. `tests/contract` holds it and
the real adapters to one contract. What a real broker does otherwise:

- a member's share is found by the order of joining, where Kafka sorts by random member ids;
- a message without a key goes to the partitions in turn, where Kafka's client throws dice;
- sizes are those of keys, values and headers; Kafka counts some overhead and compresses first;
- a member joins with its first `poll` or `idle`, where Kafka's client joins by itself;
- the end of a partition is known as of the last `poll`; Kafka's client may know of it a little sooner or later.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from orchestrator.messaging.errors import BrokerFatal, BrokerUnavailable
from orchestrator.messaging.message import Incoming, Outgoing, TopicPartition
from orchestrator.messaging.offsets import start_of
from orchestrator.messaging.ports import OnAssign, Receipt, Refusal, Sleep
from orchestrator.testing.memory_group import Group
from orchestrator.testing.murmur2 import partition_of

__all__ = ["MemoryBroker", "MemoryInbox", "MemoryOutbox", "MemorySystems"]

LARGEST = 1_048_588
"""What a topic of Kafka takes by default, in bytes."""

_EPOCH = datetime.fromtimestamp(0, UTC)
_NAME = re.compile(r"[a-zA-Z0-9._-]{1,249}")


@dataclass(slots=True)
class _Partition:
    """A log from `low` on, each message with the time it was published."""

    low: int = 0
    messages: list[tuple[Incoming, datetime]] = field(default_factory=list)

    @property
    def high(self) -> int:
        return self.low + len(self.messages)


@dataclass(frozen=True, slots=True)
class _Topic:
    partitions: Sequence[_Partition]
    largest: int
    compacted: bool


async def _no_sleep(_: float) -> None:
    await asyncio.sleep(0)


class MemoryBroker:
    """One cluster.

    While `away` is true nobody is answered: sends and commits raise `BrokerUnavailable`, polls find nothing.

    Args:
        now: the clock of whoever publishes, aware; it stamps messages.
        sleep: how an inbox waits where nothing is there to read; by default it only lets the others run.

    """

    def __init__(self, now: Callable[[], datetime], sleep: Sleep = _no_sleep) -> None:
        self.away = False
        self._now = now
        self.sleep = sleep
        self._topics: dict[str, _Topic] = {}
        self._groups: dict[str, Group] = defaultdict(lambda: Group(self.partition_count))

    # -- what an administrator does ------------------------------------------------------------------------------------

    def create_topic(self, name: str, partitions: int = 4, *, largest: int = LARGEST, compacted: bool = False) -> None:
        """Make a topic; one that is there stays as it is. `largest` is in bytes.

        Nothing is ever compacted away, but a compacted topic refuses messages without a key.
        """
        if name not in self._topics:
            self._topics[name] = _Topic([_Partition() for _ in range(partitions)], largest, compacted)
            for group in self._groups.values():
                group.topics_changed(name)

    @property
    def topics(self) -> Mapping[str, int]:
        """All topics with their numbers of partitions."""
        return {name: len(topic.partitions) for name, topic in self._topics.items()}

    def partition_count(self, topic: str) -> int:
        """How many partitions a topic has; 0 where there is no such topic."""
        found = self._topics.get(topic)
        return len(found.partitions) if found else 0

    def trim(self, place: TopicPartition, before: int) -> None:
        """Retention: the messages below that offset are gone."""
        log = self._log(place)
        gone = max(0, min(before, log.high) - log.low)
        del log.messages[:gone]
        log.low += gone

    def watermarks(self, place: TopicPartition) -> tuple[int, int]:
        """The first offset that is there and the one that the next message will get."""
        log = self._log(place)
        return log.low, log.low + len(log.messages)

    def messages(self, topic: str) -> Sequence[Incoming]:
        """Everything that is in a topic now, partition by partition."""
        found = self._topics.get(topic)
        return [message for log in found.partitions for message, _ in log.messages] if found else ()

    def committed(self, group: str) -> Mapping[TopicPartition, int]:
        """The offsets that a group has committed."""
        return dict(self._groups[group].committed)

    def expel(self, inbox: MemoryInbox) -> None:
        """The group takes a member for dead while it lives on: it hears of it with its next `poll` or `idle`."""
        inbox.group.leave(inbox)

    # -- what clients do -----------------------------------------------------------------------------------------------

    def append(self, message: Outgoing, partition: int | None = None) -> Incoming:
        """Publish one message, as anybody may. `partition` overrides the key.

        Raises:
            LookupError: there is no such topic or partition.

        """
        logs = self._topics[message.topic].partitions
        if partition is None:
            turn = sum(log.high for log in logs)
            partition = turn % len(logs) if message.key is None else partition_of(message.key, len(logs))
        log = logs[partition]
        stored = Incoming(message.topic, partition, log.high, message.key, message.value, message.headers)
        at = self._now()
        log.messages.append((stored, at.replace(microsecond=at.microsecond // 1000 * 1000)))
        return stored

    def refusal(self, message: Outgoing) -> str | None:
        """Why that message will never be taken, as Kafka's client says it; None where it will be."""
        topic = self._topics.get(message.topic)
        if topic is None and not _NAME.fullmatch(message.topic):
            return "TOPIC_EXCEPTION"
        if topic is not None and message.size + len(message.key or b"") > topic.largest:
            return "MSG_SIZE_TOO_LARGE"
        if topic is not None and topic.compacted and message.key is None:
            return "INVALID_RECORD"
        return None

    def read(self, place: TopicPartition, offset: int, most: int) -> Sequence[tuple[Incoming, datetime]]:
        """The next messages of a partition with their times.

        Raises:
            BrokerFatal: that offset is not in the log.

        """
        log = self._log(place)
        if not log.low <= offset <= log.high:
            msg = f"{place[0]}/{place[1]}: offset {offset} is out of range"
            raise BrokerFatal(msg)
        return log.messages[offset - log.low : offset - log.low + most]

    def group(self, name: str) -> Group:
        """That consumer group; made on first sight."""
        return self._groups[name]

    def _log(self, place: TopicPartition) -> _Partition:
        return self._topics[place[0]].partitions[place[1]]


class MemoryInbox:
    """`Inbox` in memory: a member of a group, by the rules of `KafkaInbox`.

    A rebalance is heard of in `poll` and in `idle`; its start offsets are looked up by the `poll` after.
    """

    def __init__(self, broker: MemoryBroker, group: str, topics: Sequence[str], on_assign: OnAssign) -> None:
        self.group = broker.group(group)
        self._broker = broker
        self._topics = tuple(topics)
        self._on_assign = on_assign
        self._generation = 0
        self._pending: Sequence[TopicPartition] | None = None
        self._assigned: frozenset[TopicPartition] = frozenset()
        self._joined = False
        self._ended = False
        self._turn = 0
        # Next offset and time of the last message that was read, and the end of the log as of the last poll.
        self._read: dict[TopicPartition, tuple[int, datetime]] = {}
        self._ends: dict[TopicPartition, int] = {}

    async def poll(self, most: int, timeout: float) -> Sequence[Incoming]:
        """See `Inbox.poll`. Waits the whole `timeout` where nothing is there at first."""
        if self._pending is not None:
            await self._start(self._pending)
        self._serve()
        found = self._take(most)
        if not found and self._pending is None:
            await self._broker.sleep(timeout)
            self._serve()
            found = self._take(most)
        return found

    def _take(self, most: int) -> list[Incoming]:
        """What is there, from each partition in turn, so that a full one does not keep the others waiting."""
        if self._broker.away:
            return []
        places = sorted(self._assigned)
        self._turn += 1
        found: list[Incoming] = []
        for index in range(len(places)):
            place = places[(self._turn + index) % len(places)]
            at, high = self._read[place][0], self._broker.watermarks(place)[1]
            self._ends[place] = high
            for message, stamp in self._broker.read(place, at, most - len(found)) if at != high else ():
                found.append(message)
                self._read[place] = (message.offset + 1, stamp)
        return found

    def _serve(self) -> None:
        """What Kafka's client does whenever it is polled: hear of the group."""
        if self._ended:
            msg = "this member has left its group"
            raise BrokerFatal(msg)
        if self._broker.away:
            return
        if self.group.asks_to_join(self):
            self._revoke()
            self.group.join(self, self._topics)
        share = self.group.share(self)
        if share is not None and share.generation != self._generation:
            self._generation = share.generation
            self._pending = share.places

    def _revoke(self) -> None:
        self._pending = None
        self._assigned = frozenset()
        self._joined = False

    async def _start(self, places: Sequence[TopicPartition]) -> None:
        known = await self._on_assign(places)
        self._reach()
        starts, rewinds = {}, {}
        for place in places:
            committed = self.group.committed.get(place)
            starts[place] = start_of(place, committed, known.get(place), *self._broker.watermarks(place))
            if committed is not None and starts[place] < committed:
                rewinds[place] = starts[place]
        if rewinds and not self.group.commit(self, self._generation, rewinds):
            msg = "ILLEGAL_GENERATION: the group has gone on without us"
            raise BrokerUnavailable(msg)
        self._pending = None
        self._assigned = frozenset(places)
        self._read = {place: (offset, _EPOCH) for place, offset in starts.items()}
        self._ends = {}
        self._joined = True

    def _reach(self) -> None:
        if self._broker.away:
            msg = "the broker is away"
            raise BrokerUnavailable(msg)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """See `Inbox.commit`. What the group does not take from us any more is ignored."""
        ours = {place: offset for place, offset in offsets.items() if place in self._assigned}
        if ours:
            self._reach()
            self.group.commit(self, self._generation, ours)

    async def rewind(self, offsets: Mapping[TopicPartition, int]) -> None:
        """See `Inbox.rewind`."""
        for place, offset in offsets.items():
            if place in self._assigned:
                self._read[place] = (offset, _EPOCH)

    async def idle(self, seconds: float) -> None:
        """See `Inbox.idle`."""
        self._serve()
        await self._broker.sleep(seconds)
        self._serve()

    def assigned(self) -> frozenset[TopicPartition]:
        """See `Inbox.assigned`."""
        return self._assigned

    def joined(self) -> bool:
        """See `Inbox.joined`."""
        return self._joined

    def heard_until(self, partition: int) -> datetime | None:
        """See `Inbox.heard_until`."""
        unread = [
            at
            for place, (offset, at) in self._read.items()
            if place[1] == partition and (place not in self._ends or self._ends[place] > offset)
        ]
        return min(unread, default=None)

    async def close(self) -> None:
        """See `Inbox.close`."""
        self.crash()

    def crash(self) -> None:
        """The process is gone, and so much time has passed that the group knows. Nothing is committed."""
        self.group.leave(self)
        self._revoke()
        self._ended = True


class MemoryOutbox:
    """`Outbox` in memory. What is sent is in the broker when `send` returns."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    async def send(self, messages: Sequence[Outgoing]) -> Receipt:
        """See `Outbox.send`. What can be delivered is, also where the rest makes the whole fail."""
        if not messages:
            return Receipt()
        await asyncio.sleep(0)
        if self._broker.away:
            msg = "the broker is away"
            raise BrokerUnavailable(msg)
        refused: list[Refusal] = []
        last: dict[TopicPartition, int] = {}
        unknown: set[str] = set()
        for message in messages:
            if (code := self._broker.refusal(message)) is not None:
                refused.append(Refusal(message, code))
            elif self._broker.partition_count(message.topic) == 0:
                unknown.add(message.topic)
            else:
                stored = self._broker.append(message)
                last[stored.place] = stored.offset
        if unknown:
            msg = f"UNKNOWN_TOPIC_OR_PART: {', '.join(sorted(unknown))}"
            raise BrokerUnavailable(msg)
        return Receipt(refused, last)

    async def close(self) -> None:
        """See `Outbox.close`."""


class MemorySystems:
    """`Systems` in memory: `names` are away until somebody says otherwise."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    async def away(self) -> frozenset[str]:
        """See `Systems.away`."""
        return frozenset(self.names)

    async def close(self) -> None:
        """See `Systems.close`."""
