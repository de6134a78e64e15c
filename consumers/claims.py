"""What becomes of a claim: the rules of `orchestrator.core.effects` over a step's two rows, and the rows that follow.

No I/O: every effect store judges by these, and differs in where it keeps the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from consumers.limit import Granted, Want
from orchestrator.core.effects import (
    Ask,
    EffectRow,
    Perform,
    Refuse,
    RowStatus,
    StayUnknown,
    Verdict,
    admit,
    begun_in,
)
from orchestrator.core.messages import Direction
from orchestrator.messaging.message import TopicPartition

__all__ = ["Admitted", "Claim", "EffectStore", "Identity", "Settlement", "Writes", "judge"]


class Identity(Struct, frozen=True):
    """An effect's identity."""

    saga_id: UUID
    step: str
    direction: Direction
    round: int


class Claim(Struct, frozen=True):
    """A worker asks to act. `owner` is new for each command it handles; `lease` is in seconds."""

    identity: Identity
    system: str
    ask: Ask
    owner: UUID
    lease: float
    unknown_reply: bytes | None = None


class Admitted(Struct, frozen=True):
    """The verdict on a claim, the effect's row after it, and the database's time."""

    verdict: Verdict
    row: EffectRow | None
    now: datetime


class Settlement(Struct, frozen=True):
    """How a claimed effect came out."""

    identity: Identity
    owner: UUID
    row: EffectRow


class EffectStore(Protocol):
    """The consumers' database."""

    async def claim(self, claims: Sequence[Claim]) -> Sequence[Admitted]:
        """Judge and record claims, each of them whole or not at all. At most one claim per step in one call."""
        ...

    async def renew(self, identity: Identity, owner: UUID, lease: float) -> bool:
        """Extend a claim; False where it is no longer ours."""
        ...

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[bool]:
        """Record outcomes with their replies; False for each claim that was no longer ours."""
        ...

    async def reserve(self, wants: Sequence[Want], calls: int) -> Granted:
        """Take places for so many calls under each of these limits (see `consumers.limit`), by this database's clock.

        With no calls it only writes down what was told of them.
        """
        ...

    async def watermarks(self, group: str) -> Mapping[TopicPartition, int]:
        """Up to where the group has dealt with everything."""
        ...

    async def mark(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Remember how far the group has dealt with everything."""
        ...

    async def close(self) -> None:
        """Let go of the database."""
        ...


@dataclass(slots=True)
class Writes:
    """Rows to insert, with their system, and rows to change."""

    new: list[tuple[Identity, str, EffectRow]] = field(default_factory=list)
    changed: list[tuple[Identity, EffectRow]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.new or self.changed)

    def put(self, identity: Identity, system: str, row: EffectRow, before: EffectRow | None) -> None:
        """Keep a row, in the place of the one `before`."""
        if before is None:
            self.new.append((identity, system, row))
        else:
            self.changed.append((identity, row))


def judge(claim: Claim, rows: Mapping[Identity, EffectRow], now: datetime, writes: Writes) -> Admitted:
    """What the rules say to a claim, given the rows of its step; the rows that follow from it go into `writes`."""
    identity = claim.identity
    do_identity = replace(identity, direction=Direction.DO)
    do, undo = rows.get(do_identity), rows.get(replace(identity, direction=Direction.UNDO))
    own = rows.get(identity)
    until = now + timedelta(seconds=claim.lease)
    if own is not None and own.owner == claim.owner:
        # Ours already: an earlier try of this very claim committed and we did not learn of it. The lease begins anew,
        # since the caller counts it from this try.
        row = replace(own, lease_until=until)
        writes.put(identity, claim.system, row, own)
        probe = own.doubtful and claim.ask.effect == "queryable"
        return Admitted(Perform(probe=probe, doubtful=own.doubtful), row, now)
    verdict = admit(claim.ask, do, undo, now)
    # The highest attempt stays: an old command that is delivered again must not let a newer one call again.
    attempt = claim.ask.attempt if own is None else max(own.attempt, claim.ask.attempt)
    kept = own
    if isinstance(verdict, Perform):
        shadow = begun_in(claim.ask, do, undo)
        kept = EffectRow(RowStatus.CLAIMED, attempt, claim.owner, until, verdict.doubtful, shadow=shadow)
        writes.put(identity, claim.system, kept, own)
    elif isinstance(verdict, StayUnknown):
        shadow = begun_in(claim.ask, do, undo)
        kept = EffectRow(RowStatus.UNKNOWN, attempt, doubtful=True, reply=claim.unknown_reply, shadow=shadow)
        writes.put(identity, claim.system, kept, own)
    if identity.direction is Direction.UNDO and isinstance(verdict, (Perform, StayUnknown)):
        _fence(claim, do_identity, do, writes)
    elif isinstance(verdict, Refuse) and do is None:
        writes.put(do_identity, claim.system, EffectRow(RowStatus.TOMBSTONE, claim.ask.attempt), None)
    return Admitted(verdict, kept, now)


def _fence(claim: Claim, do_identity: Identity, do: EffectRow | None, writes: Writes) -> None:
    """An undo begins: no do may come after it, neither one that has not arrived nor one whose worker is frozen."""
    if do is None:
        writes.put(do_identity, claim.system, EffectRow(RowStatus.TOMBSTONE, claim.ask.attempt), None)
    elif do.status is RowStatus.CLAIMED:
        lost = replace(do, status=RowStatus.UNKNOWN, owner=None, lease_until=None, doubtful=True)
        writes.put(do_identity, claim.system, lost, do)
