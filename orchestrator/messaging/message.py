"""Kafka messages as plain data, and their packed form in the journal and the effect table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypeAlias

from fastavro import parse_schema, schemaless_reader, schemaless_writer

__all__ = ["Headers", "Incoming", "Outgoing", "TopicPartition", "pack", "unpack"]

Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]
TopicPartition: TypeAlias = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Incoming:
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


# Binary, because keys, values and header values are; Avro, because it is here already.
_PACKED: Any = parse_schema(
    {
        "type": "array",
        "items": {
            "type": "record",
            "name": "Packed",
            "fields": [
                {"name": "topic", "type": "string"},
                {"name": "key", "type": ["null", "bytes"]},
                {"name": "value", "type": ["null", "bytes"]},
                {
                    "name": "headers",
                    "type": {
                        "type": "array",
                        "items": {
                            "type": "record",
                            "name": "Header",
                            "fields": [
                                {"name": "name", "type": "string"},
                                {"name": "value", "type": ["null", "bytes"]},
                            ],
                        },
                    },
                },
            ],
        },
    }
)


def pack(messages: Iterable[Outgoing]) -> bytes:
    """Messages as bytes, for a column."""
    rows = [
        {
            "topic": message.topic,
            "key": message.key,
            "value": message.value,
            "headers": [{"name": name, "value": value} for name, value in message.headers],
        }
        for message in messages
    ]
    buffer = BytesIO()
    schemaless_writer(buffer, _PACKED, rows)
    return buffer.getvalue()


def unpack(data: bytes | None) -> Sequence[Outgoing]:
    """What `pack` packed; nothing for None."""
    if not data:
        return ()
    rows: Any = schemaless_reader(BytesIO(data), _PACKED, None)
    return [
        Outgoing(
            row["topic"], row["key"], row["value"], tuple((header["name"], header["value"]) for header in row["headers"])
        )
        for row in rows
    ]
