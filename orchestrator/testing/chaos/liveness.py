"""How long nothing moved after a nemesis, by the journal. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.testing.chaos.evidence import Left
from orchestrator.testing.chaos.history import Event, Type, targets_of
from orchestrator.testing.chaos.plan import COORDINATOR, OUTAGES, Kind
from orchestrator.testing.murmur2 import partition_of

__all__ = ["Silence", "silences"]

# After a coordinator's death another takes over; after a server's return all find it again.
_AFTER_DEATH, _AFTER_RETURN = 15.0, 60.0
_NEVER = 365 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Silence:
    """After the strikes of one name, in seconds: until some saga moved again, at worst; and one of every partition.

    A coordinator owns partitions, so the second is what its death costs the sagas that were its own. `late` says where
    the first was longer than its limit.
    """

    times: int
    worst: float
    worst_partition: float
    late: Sequence[str]


def silences(events: Sequence[Event], left: Left) -> Mapping[str, Silence]:
    """Of every nemesis that struck under load.

    From its strike, or from a server's return. Where a server goes away before anything has moved, it is counted from
    its return, with the limit of that; where another coordinator dies, from that death.
    """
    asked = [event.time for event in events if event.type is Type.INVOKE]
    loaded = max(asked, default=None)
    moves: list[list[datetime]] = [[] for _ in range(left.partitions)]
    for entry in left.journal:
        moves[partition_of(str(entry.saga).encode(), left.partitions)].append(entry.at)
    for times in moves:
        times.sort()
    starts = {event.id: event for event in events if event.type is Type.START}
    strikes = [(starts[event.id], event) for event in events if event.type is Type.STOP]
    setbacks = sorted(
        (start.time, stop.time if stop.what in OUTAGES else start.time, _limit(start, stop))
        for start, stop in strikes
        if _limit(start, stop) < _NEVER
    )
    found: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    for start, stop in strikes:
        since, limit = stop.time if stop.what in OUTAGES else start.time, _limit(start, stop)
        for begin, end, its in setbacks:
            if end > since and begin <= since + timedelta(seconds=min(_wait(times, since) for times in moves)):
                since, limit = end, max(limit, its)
        if loaded is None or since >= loaded:
            continue
        waits = [_wait(times, since) for times in moves]
        silence = min(waits)
        late = f"{stop.what} ({stop.id}): nothing moved for {silence:.1f} s, more than {limit:g}"
        found[stop.what].append((silence, max(waits), late if silence > limit else ""))
    return {
        name: Silence(len(of), max(s for s, _, _ in of), max(p for _, p, _ in of), [late for *_, late in of if late])
        for name, of in found.items()
    }


def _limit(start: Event, stop: Event) -> float:
    """What is promised; for ever where nothing is."""
    if stop.what in OUTAGES:
        return _AFTER_RETURN
    killed = stop.what.startswith(Kind.KILL.value)
    return _AFTER_DEATH if killed and COORDINATOR in targets_of(start, stop) else _NEVER


def _wait(times: Sequence[datetime], since: datetime) -> float:
    """Seconds until the first that is not before; a year where there is none."""
    place = bisect_left(times, since)
    return (times[place] - since) / timedelta(seconds=1) if place < len(times) else _NEVER
