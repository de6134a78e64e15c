"""Limits of calls, and what becomes of one as places are taken. No I/O: every effect store counts by these.

The generic cell rate algorithm (GCRA, ITU-T I.371): it is known when the next call may go, and whoever takes places
moves that on. What a system says of its limits slows it down for a while, and never makes it faster than it is set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["BURST_SECONDS", "Advice", "Granted", "Limit", "Taken", "Want", "granted", "taken"]

# What may be made up for after a pause, and what a worker takes at once.
BURST_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Limit:
    """Calls a second, `rate` of them, of all workers of all systems that share what is named."""

    name: str
    rate: float


@dataclass(frozen=True, slots=True)
class Advice:
    """What an answer says of its system's limit: for so many `seconds` only `rate` calls a second; 0 is none."""

    rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Want:
    """Places are wanted under that limit; `told` is what was heard of it since."""

    limit: Limit
    told: Advice | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """Places: seconds until the first, below 0 where that is past, and from each to the next."""

    first: float
    gap: float


@dataclass(frozen=True, slots=True)
class Taken:
    """A limit's row. Advice holds until `told_until`; an advice of 0 is a pause."""

    rate: float
    granted_at: datetime
    next_at: datetime
    told_rate: float | None = None
    told_until: datetime | None = None


def taken(before: Taken | None, now: datetime, calls: int, want: Want) -> Taken:
    """The row after so many places were taken; they begin at its `granted_at`.

    Under another rate what is taken already stays as many calls, not as many seconds. While advice holds, places are
    as far apart as it says, but none is put off beyond its end for that.
    """
    rate = want.limit.rate
    told_rate, told_until = _told(before, now, want.told)
    first = now - timedelta(seconds=BURST_SECONDS)
    if before is not None:
        ahead = before.next_at - now
        first = max(first, now + (ahead if told_until else ahead * (before.rate / rate)))
    if told_rate == 0 and told_until:
        first = max(first, told_until)
    after = first + timedelta(seconds=calls / (min(rate, told_rate) if told_rate else rate))
    if told_until:
        after = min(after, max(first, told_until) + timedelta(seconds=calls / rate))
    return Taken(rate, first, after, told_rate, told_until)


def _told(before: Taken | None, now: datetime, advice: Advice | None) -> tuple[float | None, datetime | None]:
    """The advice that holds: the latest, but a pause holds to its end."""
    old_rate, old_until = (before.told_rate, before.told_until) if before is not None else (None, None)
    if old_until is None or old_until <= now:
        old_rate = old_until = None
    if advice is None:
        return old_rate, old_until
    until = now + timedelta(seconds=advice.seconds)
    if old_until is not None and old_rate == 0 and (advice.rate > 0 or until < old_until):
        return old_rate, old_until
    return advice.rate, until


def granted(rows: Sequence[Taken], now: datetime, calls: int) -> Granted:
    """A call needs a place under each limit, so it goes when the last of them comes."""
    firsts = [(row.granted_at - now).total_seconds() for row in rows]
    gaps = [(row.next_at - row.granted_at).total_seconds() / max(calls, 1) for row in rows]
    return Granted(max(firsts), max(gaps))
