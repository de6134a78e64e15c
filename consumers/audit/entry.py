"""What is kept of one call to a system, and the chain that shows whether somebody changed it later. Pure.

Each row's hash covers its own content and the hash of the row before it, per system: to change, insert or leave out a
row, all later hashes have to be made anew, and then the signed checkpoints do not fit any more (the construction is
that of Haber and Stornetta, "How to time-stamp a digital document", 1991).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from orchestrator.redaction import current, kept_fields, redacted

__all__ = [
    "FIRST",
    "LOOKS",
    "SECRETS",
    "AuditRow",
    "Broken",
    "Exchange",
    "answer_summary",
    "chained",
    "digest",
    "summary",
    "verify",
]

FIRST = bytes(32)
# Chains that are of no system, whose name cannot begin so: who has read what is hidden by default.
LOOKS = "@looks"
# And who has been given which secret, or was not.
SECRETS = "@secrets"
_LONGEST = 2000
# Of a larger body only the size is kept: to look through a megabyte would hold up every other call.
_LARGEST = 65_536


@dataclass(frozen=True, slots=True)
class Exchange:
    """One send and what came back. `request` and `response` are summaries: redacted and cut.

    `status` is the protocol's (an HTTP status); None where no answer came. `credential` says which, never what it is.
    """

    endpoint: str
    duration_ms: float
    request: str = ""
    status: int | None = None
    response: str = ""
    error: str | None = None
    credential: str = ""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One row. `send` counts the sends of one attempt, from 1: what is above it were retries and probes."""

    system: str
    number: int
    at: datetime
    agent: str
    saga_id: UUID
    step: str
    direction: str
    attempt: int
    action: str
    send: int
    exchange: Exchange
    hash: bytes = b""


@dataclass(frozen=True, slots=True)
class Broken:
    """Where a chain does not hold, and why."""

    system: str
    number: int
    why: str


def summary(value: Any) -> str:
    """A body as the audit keeps it: redacted, as JSON, cut to two thousand characters.

    Takes whatever a system may say: the call has been made, and must not come to nothing by how it is written down.
    """
    if value is None:
        return ""
    if isinstance(value, bytes):
        if len(value) > _LARGEST:
            return f"<{len(value)} bytes>"
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, ValueError, RecursionError):
            value = value.decode(errors="replace")
    if isinstance(value, str) and len(value) > _LARGEST:
        return f"<{len(value)} characters>"
    plain = redacted(value)
    try:
        text = plain if isinstance(plain, str) else msgspec.json.encode(plain, enc_hook=str).decode()
    except (ValueError, OverflowError, RecursionError) as exc:
        return f"<not to be shown: {type(exc).__name__}>"
    # PostgreSQL keeps no NUL, and the driver no half of a surrogate pair.
    text = text.replace("\x00", "\N{SYMBOL FOR NULL}").encode(errors="replace").decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def answer_summary(body: bytes | None) -> str:
    """An answer as the audit keeps it: `summary` of those of its fields that the action's `keep` names."""
    keep = current().keep
    if keep is None or not body:
        return summary(body)
    try:
        if len(body) > _LARGEST:
            raise ValueError
        return summary(kept_fields(msgspec.json.decode(body), keep))
    except (msgspec.DecodeError, ValueError, RecursionError):
        return f"<{len(body)} bytes>"


def digest(before: bytes, row: AuditRow) -> bytes:
    """SHA-256 over the hash before and everything that the row says."""
    told = row.exchange
    content = [
        row.system, row.number, row.at.isoformat(timespec="microseconds"), row.agent, str(row.saga_id), row.step,
        row.direction, row.attempt, row.action, row.send, told.endpoint, told.credential, told.request, told.status,
        told.response, told.error, repr(told.duration_ms),
    ]  # fmt: skip
    return hashlib.sha256(before + msgspec.json.encode(content)).digest()


def chained(before: bytes, rows: Iterable[AuditRow]) -> Iterator[AuditRow]:
    """The rows with their hashes, each after the one before it."""
    for row in rows:
        before = digest(before, row)
        yield replace(row, hash=before)


def verify(rows: Iterable[AuditRow], before: bytes = FIRST, number: int = 0) -> Iterator[Broken]:
    """Every place where one system's rows, in their order, do not follow from each other; after one it goes on."""
    for row in rows:
        if row.number != number + 1:
            yield Broken(row.system, row.number, f"comes after number {number}: rows are missing or were added")
        if digest(before, row) != row.hash:
            yield Broken(row.system, row.number, "is not as it was written")
        before, number = row.hash, row.number
