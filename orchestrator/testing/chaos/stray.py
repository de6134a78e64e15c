"""Records that nobody can read, and records that are too large: what becomes of them stands in the history."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.messaging.errors import BrokerUnavailable
from orchestrator.messaging.kafka import in_thread, producer_config
from orchestrator.messaging.kafka_outbox import KafkaOutbox
from orchestrator.messaging.message import Outgoing
from orchestrator.testing.chaos.arena import Arena
from orchestrator.testing.chaos.history import Type

__all__ = ["Stray", "digest", "oversized", "poison", "send_stray"]

# A topic takes 1,048,588 bytes by default, as they are compressed; a dead letter has a kilobyte more than its message.
_JUST_TAKEN = 1_040_000
_TOO_LARGE = 1_200_000
_LARGE_BUT_DENSE = 1_900_000


@dataclass(frozen=True, slots=True)
class Stray:
    """One record: `kind` is the nemesis' name."""

    kind: str
    message: Outgoing


def digest(value: bytes | None) -> str:
    """By which bytes are told apart."""
    return "none" if value is None else hashlib.blake2b(value, digest_size=16).hexdigest()


def poison(topic: str, chance: random.Random) -> list[Stray]:
    """A schema id that nobody has, no wire format at all, and nothing."""
    values = [b"\x00\x7f\xff\xff\xff" + chance.randbytes(20), b"\xff" + chance.randbytes(40), b""]
    return [Stray("poison", _message(topic, value, chance)) for value in values]


def oversized(topic: str, chance: random.Random) -> list[Stray]:
    """One that the topic just takes, one that it takes because it can be compressed, and one that it refuses."""
    values = [chance.randbytes(_JUST_TAKEN), b"\xffto" * (_LARGE_BUT_DENSE // 3), chance.randbytes(_TOO_LARGE)]
    return [Stray("oversized", _message(topic, value, chance)) for value in values]


def _message(topic: str, value: bytes, chance: random.Random) -> Outgoing:
    key = f"stray-{chance.getrandbits(64):016x}"
    return Outgoing(topic, key.encode(), value, (("stray", key.encode()),))


async def send_stray(arena: Arena, strays: Iterable[Stray]) -> int:
    """Send them, one by one; how many the broker has acknowledged."""
    outbox = KafkaOutbox(producer_config(arena.stack.settings().kafka_settings()), run=in_thread())
    taken = 0
    try:
        for stray in strays:
            message = stray.message
            key = (message.key or b"").decode()
            about = {"topic": message.topic, "digest": digest(message.value), "bytes": len(message.value or b"")}
            arena.history.write(Type.INVOKE, "stray", stray.kind, key, **about)
            try:
                receipt = await outbox.send([message])
            except BrokerUnavailable as exc:
                arena.history.write(Type.INFO, "stray", stray.kind, key, error=str(exc))
                continue
            answer = Type.FAIL if receipt.refused else Type.OK
            arena.history.write(answer, "stray", stray.kind, key)
            taken += answer is Type.OK
    finally:
        await outbox.close()
    return taken
