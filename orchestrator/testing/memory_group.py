"""A consumer group in memory: Kafka's eager protocol with the range assignor.

Whoever comes or goes makes all members give up their partitions and join again; when the last one has, a new
generation begins. Until then a member that has not heard of it goes on with its old share and may commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.messaging.message import TopicPartition

__all__ = ["Group", "Share"]


@dataclass(frozen=True, slots=True)
class Share:
    """A member's partitions in one generation, be it none."""

    generation: int
    places: Sequence[TopicPartition]


class Group:
    """Members are known by identity. `partition_count` tells how many partitions a topic has, 0 where it is unknown."""

    def __init__(self, partition_count: Callable[[str], int]) -> None:
        self.committed: dict[TopicPartition, int] = {}
        self._partition_count = partition_count
        self._members: dict[object, Sequence[str]] = {}
        self._awaited: set[object] = set()
        self._shares: dict[object, Share] = {}
        self._generation = 0

    @property
    def generation(self) -> int:
        """How often shares have been given out."""
        return self._generation

    @property
    def settling(self) -> bool:
        """Whether members have yet to join again before the next shares are given out."""
        return bool(self._awaited)

    def asks_to_join(self, member: object) -> bool:
        """Whether that member has to join, for the first time or again."""
        return member not in self._members or member in self._awaited

    def join(self, member: object, topics: Sequence[str]) -> None:
        """A new member, or one that has given up its share because others come or go."""
        if member not in self._members:
            self._members[member] = topics
            self._unsettle()
        self._awaited.discard(member)
        self._settle()

    def leave(self, member: object) -> None:
        """A member goes, or is taken for dead. Its last commit stays."""
        if self._members.pop(member, None) is not None:
            self._shares.pop(member, None)
            self._unsettle()

    def topics_changed(self, name: str) -> None:
        """A topic has been made: those who wait for it get it."""
        if any(name in topics for topics in self._members.values()):
            self._unsettle()

    def share(self, member: object) -> Share | None:
        """That member's share, once the group is settled."""
        return None if self._awaited else self._shares.get(member)

    def commit(self, member: object, generation: int, offsets: Mapping[TopicPartition, int]) -> bool:
        """Take a member's offsets; False where it speaks for a generation that is over."""
        share = self._shares.get(member)
        if share is None or share.generation != generation:
            return False
        self.committed.update(offsets)
        return True

    def _unsettle(self) -> None:
        self._awaited = set(self._members)

    def _settle(self) -> None:
        if self._awaited:
            return
        self._generation += 1
        places: dict[object, list[TopicPartition]] = {member: [] for member in self._members}
        for topic in sorted({topic for topics in self._members.values() for topic in topics}):
            readers = [member for member, topics in self._members.items() if topic in topics]
            for partition in range(count := self._partition_count(topic)):
                places[_reader(readers, partition, count)].append((topic, partition))
        self._shares = {member: Share(self._generation, found) for member, found in places.items()}


def _reader(readers: Sequence[object], partition: int, count: int) -> object:
    """Range: neighbours together, and the first readers get one more where it does not come out even."""
    each, more = divmod(count, len(readers))
    first = more * (each + 1)
    index = partition // (each + 1) if partition < first else more + (partition - first) // each
    return readers[index]
