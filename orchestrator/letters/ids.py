"""Ids that follow from a letter and its edit, so that the same decision made twice is one message."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from orchestrator.messaging.message import Headers

__all__ = ["content_hash", "edit_hash", "event_id", "identity_of", "new_saga_id"]

# The coordinator takes ids that are up to 28 days old and a day ahead; the message may lie unread for a while, and the
# letter may be from a machine whose clock leads ours.
_OLDEST = timedelta(days=21)
_CLOCK_LEAD = timedelta(hours=12)


def _digest(parts: Sequence[str], size: int) -> bytes:
    # Each part with its length: no two lists have the same bytes.
    text = b"".join(len(raw := part.encode(errors="replace")).to_bytes(4, "big") + raw for part in parts)
    return hashlib.blake2b(text, digest_size=size).digest()


def identity_of(parts: Sequence[str]) -> UUID:
    """The id of a letter."""
    return UUID(bytes=_digest(parts, 16))


def content_hash(key: bytes | None, value: bytes | None) -> str:
    """Hash of key and value: a topic that was made anew begins at the same offsets with other messages."""
    found = hashlib.blake2b(digest_size=16)
    for part in (key, value):
        found.update(b"-" if part is None else len(part).to_bytes(8, "big") + part)
    return found.hexdigest()


def edit_hash(edited: bytes | None, header_edits: Headers = ()) -> str:
    """Short hash of what was edited, value and headers; empty where the letter is as it was written."""
    if not header_edits:
        return hashlib.blake2b(edited, digest_size=8).hexdigest() if edited is not None else ""
    # Marked, so that no value alone has the hash of a value with headers.
    found = hashlib.blake2b(digest_size=8, person=b"headers")
    for part in (edited, *(part for name, value in header_edits for part in (name.encode(), value))):
        found.update(b"-" if part is None else b"+" + len(part).to_bytes(8, "big") + part)
    return found.hexdigest()


def event_id(identity: UUID, *decision: str) -> str:
    """The `ce_id` of the message that a decision about a letter becomes."""
    return str(identity_of(["event", str(identity), *decision]))


def new_saga_id(identity: UUID, failed_at: datetime, now: datetime, *decision: str) -> UUID:
    """A UUIDv7 (RFC 9562, section 5.7) whose time is the letter's, as long as the coordinator takes that.

    For an older letter it is the day of the replay: whoever replays twice on different days has to remember the first.
    """
    made = failed_at if now - _OLDEST <= failed_at <= now + _CLOCK_LEAD else _day(now)
    milliseconds = int(made.timestamp() * 1000)
    random = int.from_bytes(_digest(["saga", str(identity), *decision], 10), "big")
    value = milliseconds << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def _day(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
