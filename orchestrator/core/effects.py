"""When a consumer may call: the rules of design §7 over the rows of the effect table. Pure.

A row belongs to one effect: (saga, step path, direction, round). The do and the undo of a step are looked at
together, because an undo that has begun refuses the do for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.core.messages import Direction, Failure, Outcome, Succeeded

__all__ = [
    "Ask",
    "EffectRow",
    "Perform",
    "Refuse",
    "Repeat",
    "RowStatus",
    "StayUnknown",
    "Verdict",
    "Wait",
    "admit",
    "begun_in",
    "settled",
]

EffectClass = Literal["idempotent", "queryable", "blind"]


class RowStatus(StrEnum):
    """claimed: somebody is at it. tombstone: a do that must never happen. The rest: how it came out."""

    CLAIMED = "claimed"
    DONE = "done"
    REJECTED = "rejected"
    FAILED = "failed"
    UNKNOWN = "unknown"
    TOMBSTONE = "tombstone"


class EffectRow(Struct, frozen=True):
    """One row of the effect table. `doubtful`: some earlier attempt may have been done.

    `shadow`: it is only recorded, for as long as the row is; None where nobody knows whether it was.
    """

    status: RowStatus
    attempt: int
    owner: UUID | None = None
    lease_until: datetime | None = None
    doubtful: bool = False
    reply: bytes | None = None
    shadow: bool | None = False

    def held(self, now: datetime) -> bool:
        """Whether a worker that may be alive is at it."""
        return self.status is RowStatus.CLAIMED and self.lease_until is not None and self.lease_until > now


@dataclass(frozen=True, slots=True)
class Ask:
    """What a command asks. `seen_before`: it lies below the committed offset, so its row should exist.

    `shadow`: whether it is only recorded if it begins now. Of an undo, whether its do was: None where nobody has said.
    """

    direction: Direction
    attempt: int
    effect: EffectClass
    by_operator: bool = False
    resolved: str | None = None
    seen_before: bool = False
    shadow: bool | None = False

    @property
    def is_first(self) -> bool:
        """Whether it is a do that nobody can have begun, unless there is a row that says so."""
        return self.direction is Direction.DO and self.attempt == 1 and not self.seen_before


@dataclass(frozen=True, slots=True)
class Perform:
    """Claim it and call; with `probe`, ask the system first whether it was done already."""

    probe: bool = False
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Repeat:
    """Send the stored reply again; the system is not called."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """This do was undone, or its undo came first."""


@dataclass(frozen=True, slots=True)
class StayUnknown:
    """It may have been done and nobody can find out: a person has to."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Another worker is at this step until then, or longer."""

    until: datetime


Verdict: TypeAlias = Perform | Repeat | Refuse | StayUnknown | Wait


def admit(ask: Ask, do: EffectRow | None, undo: EffectRow | None, now: datetime) -> Verdict:
    """Whether this command may call the system now. `do` and `undo` are the step's rows of this round."""
    if ask.direction is Direction.DO:
        return Refuse() if undo is not None else _admit(ask, do, now, begun_in(ask, do, undo))
    if do is not None and do.held(now):
        assert do.lease_until is not None
        return Wait(do.lease_until)
    return _admit(ask, undo, now, begun_in(ask, do, undo))


def begun_in(ask: Ask, do: EffectRow | None, undo: EffectRow | None) -> bool | None:
    """Whether the effect is a shadow: by its own row, whatever the mode has become since.

    An undo goes by its do: there is nothing to undo of a shadow, and something real stays of all else. None where
    a row is lost that would say so, and it may have been one or the other.
    """
    if ask.direction is Direction.DO:
        if do is not None and do.shadow is not None:
            return do.shadow
        fresh = do is None and ask.is_first
        not_done = ask.resolved == "not-done" and not (do is None and ask.seen_before)
        return None if ask.shadow and not (fresh or not_done) else bool(ask.shadow)
    if undo is not None and undo.shadow is not None:
        return undo.shadow
    if do is not None and do.status is not RowStatus.TOMBSTONE and do.shadow is not None:
        return do.shadow
    return ask.shadow


def _admit(ask: Ask, row: EffectRow | None, now: datetime, shadow: bool | None) -> Verdict:  # noqa: FBT001 - private
    if row is None:
        if shadow is None:
            return StayUnknown()
        # A later attempt follows an earlier one through the same partition, so a missing row is a lost one.
        lost = ask.attempt > 1 or ask.seen_before
        return _resolve(ask, shadow, news=not ask.seen_before) if lost else Perform()
    if row.status is RowStatus.CLAIMED:
        if row.held(now):
            assert row.lease_until is not None
            return Wait(row.lease_until)
        return _resolve(ask, shadow, news=ask.attempt > row.attempt)
    if row.status is RowStatus.TOMBSTONE:
        return Refuse()
    newer = ask.attempt > row.attempt
    if newer and row.status is RowStatus.FAILED:
        return Perform(doubtful=row.doubtful)
    if newer and row.status is RowStatus.REJECTED and ask.by_operator:
        return Perform(doubtful=row.doubtful)
    if newer and row.status is RowStatus.UNKNOWN:
        return _resolve(ask, shadow, news=True)
    return Repeat()


def _resolve(ask: Ask, shadow: bool | None, *, news: bool) -> Verdict:  # noqa: FBT001 - private
    """It may have been done: by key, by probe, by a person. Never by hoping.

    `news`: the doubt is older than the command. What a person found out then says nothing of a worker that died
    while it carried out this very command.
    """
    if shadow or (ask.resolved == "not-done" and news):
        return Perform()  # of a shadow nothing can have been done
    if shadow is None:
        return StayUnknown()
    if ask.effect == "idempotent":
        return Perform(doubtful=True)
    if ask.effect == "queryable":
        return Perform(probe=True, doubtful=True)
    return StayUnknown()


def settled(
    claimed: EffectRow, effect: EffectClass, result: Succeeded | Failure
) -> tuple[EffectRow, Succeeded | Failure]:
    """The row after the call, and what may be said of it.

    After an unknown, "rejected" proves nothing: the target may be refusing its own duplicate. A target that honours
    the key binds its answer to it and would have told of its success. And "failed" is said of one attempt alone: it
    stays unknown what became of the earlier one, whose answer the coordinator may have missed. Of a shadow nothing is
    unknown: whatever broke, nothing was done.
    """
    if isinstance(result, Failure):
        if claimed.shadow and result.outcome is Outcome.UNKNOWN:
            result = replace(result, outcome=Outcome.FAILED)
        proves = result.outcome is Outcome.REJECTED and effect == "idempotent"
        if claimed.doubtful and not proves:
            result = replace(result, outcome=Outcome.UNKNOWN)
        doubtful = claimed.doubtful or result.outcome is Outcome.UNKNOWN
        status = RowStatus(result.outcome.value)
    else:
        doubtful, status = False, RowStatus.DONE
    return replace(claimed, status=status, owner=None, lease_until=None, doubtful=doubtful), result
