"""Kafka messages as plain data, and their packed form in the journal and the effect table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct

__all__ = ["Headers", "Incoming", "Outgoing", "TopicPartition", "pack", "unpack"]

Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]
TopicPartition: TypeAlias = tuple[str, int]


class Outgoing(Struct, frozen=True):
    """A message to send."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    @property
    def size(self) -> int:
        """What counts against Kafka's limit, in bytes."""
        size = len(self.value) if self.value else 0
        for name, text in self.headers:
            size += len(name) + (len(text) if text else 0)
        return size

    def is_over(self, limit: int) -> bool:
        """Whether it is larger than that, in bytes. Counts only where it comes near: this runs for every message."""
        return len(self.value or b"") + _HEADERS_BYTES > limit and self.size > limit


# More than the headers of our own messages ever have: twenty at 512 bytes each.
_HEADERS_BYTES = 16_384


class Incoming(Struct, frozen=True):
    """A message as it was read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    @property
    def place(self) -> TopicPartition:
        """Where it was read."""
        return self.topic, self.partition

    def again(self) -> Outgoing:
        """The same message, to be sent."""
        return Outgoing(self.topic, self.key, self.value, self.headers)


# MessagePack: binary, because keys, values and header values are; positional, because it is written for every message.
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[tuple[str, bytes | None, bytes | None, Headers]])


def pack(messages: Iterable[Outgoing]) -> bytes:
    """Messages as bytes, for a column."""
    return _ENCODER.encode([(m.topic, m.key, m.value, m.headers) for m in messages])


def unpack(data: bytes | None) -> Sequence[Outgoing]:
    """What `pack` packed; nothing for None."""
    return [Outgoing(*row) for row in _DECODER.decode(data)] if data else ()
