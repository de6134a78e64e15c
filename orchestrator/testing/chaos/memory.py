"""How much memory the workers take, over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import linear_regression, median

from orchestrator.testing.chaos.arena import Arena
from orchestrator.testing.chaos.history import Event, Type

__all__ = ["Growth", "growth", "sample"]

_RSS = "rss"
_FIRST_SECONDS = 60.0
# Four minutes more: a backlog that is read in one go leaves a step behind, which would pass for a slope.
_LEAST_SAMPLES = 120
_KB_PER_MB, _SECONDS_PER_HOUR = 1024, 3600

Growth = Mapping[str, tuple[float, float]]
"""Kind of process → MB at the end, and MB an hour: medians of its processes."""


def sample(arena: Arena) -> None:
    """Write down the resident memory of every worker, in KB."""
    for kind, children in arena.workers().items():
        found = {str(child.pid): kb for child in list(children) if (kb := _rss(child.pid)) is not None}
        arena.history.write(Type.NOTE, "sampler", _RSS, kind, kb=found)


def _rss(pid: int) -> int | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return None  # it has just been killed, or there is no /proc here
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), None)


def growth(events: Sequence[Event]) -> Growth:
    """By the straight line through a process' samples after its first minute; of those that lived on for a while."""
    samples: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for event in events:
        if event.what == _RSS:
            for pid, kb in event.more["kb"].items():
                samples[event.id, pid].append((event.at, kb / _KB_PER_MB))
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for (kind, _), taken in samples.items():
        later = [(at, mb) for at, mb in taken if at >= taken[0][0] + _FIRST_SECONDS]
        if len(later) >= _LEAST_SAMPLES:
            slope = linear_regression(*zip(*later, strict=True)).slope
            found[kind].append((later[-1][1], slope * _SECONDS_PER_HOUR))
    return {kind: (median(mb for mb, _ in lived), median(slope for _, slope in lived)) for kind, lived in found.items()}
