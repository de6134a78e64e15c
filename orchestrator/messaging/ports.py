"""What the loops need of Kafka, of ids and of time. The loops see these Protocols only; adapters do the I/O."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from orchestrator.messaging.message import Incoming, Outgoing, TopicPartition

__all__ = ["Ids", "Inbox", "OnAssign", "Outbox", "Receipt", "Refusal", "Sleep", "Systems"]

OnAssign = Callable[[Sequence[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Kafka will never take this message; `code` is Kafka's name for why."""

    message: Outgoing
    code: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of the messages that were sent: those refused for good, and the last offset per partition."""

    refused: Sequence[Refusal] = ()
    last: Mapping[TopicPartition, int] = field(default_factory=dict)


class Ids(Protocol):
    """Where new ids come from."""

    def saga_id(self) -> UUID:
        """A new UUIDv7."""
        ...

    def token(self) -> UUID:
        """A new random id."""
        ...


class Inbox(Protocol):
    """The reading end: one member of one consumer group.

    Offsets move only by `commit`. `poll` gives what is there, at most `most` messages, waiting at most `timeout`
    seconds for the first.
    """

    async def poll(self, most: int, timeout: float) -> Sequence[Incoming]:
        """Raises `BrokerFatal` where only a new process helps."""
        ...

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit the next offset of each partition. Raises `BrokerUnavailable`; partitions lost since are ignored."""
        ...

    async def rewind(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Read on from there; partitions lost since are ignored."""
        ...

    async def idle(self, seconds: float) -> None:
        """Wait without reading, and stay a member of the group. Raises `BrokerFatal` as `poll` does."""
        ...

    def assigned(self) -> frozenset[TopicPartition]:
        """The partitions that are ours now."""
        ...

    def joined(self) -> bool:
        """Whether the group has given us our share, be it nothing."""
        ...

    def heard_until(self, partition: int) -> datetime | None:
        """Up to when the partitions of that number have been read; None where nothing lies unread in any of them.

        All messages of a saga lie in partitions of one number (design §5).
        """
        ...

    async def close(self) -> None:
        """Leave the group."""
        ...


class Systems(Protocol):
    """What the consumers say of their systems on `saga.systems`."""

    async def away(self) -> frozenset[str]:
        """The systems whose commands wait, so that the silence of their steps means nothing.

        Those that are not called now, and those with more commands than their limit lets through.

        Raises:
            BrokerUnavailable: it cannot be read; try again.

        """
        ...

    async def close(self) -> None:
        """Let go of the broker."""
        ...


class Outbox(Protocol):
    """The writing end."""

    async def send(self, messages: Sequence[Outgoing]) -> Receipt:
        """Send, and wait until the broker has every one, or has refused it for good.

        Raises:
            BrokerUnavailable: some may not have arrived; send all of them again.
            BrokerFatal: only a new process helps.

        """
        ...

    async def close(self) -> None:
        """Let go of the broker."""
        ...
