"""What processes use, as Linux' `/proc` tells: CPU seconds and resident memory, children included."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Usage", "usage"]

_TICKS = os.sysconf("SC_CLK_TCK")
_MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU in seconds since the start, and resident memory in MB. Memory that children share counts for each."""

    cpu: float
    rss: float


def usage(pids: Mapping[str, int]) -> dict[str, Usage]:
    """Of each process with all its children, of ours without; 0 of what has ended, or where there is no `/proc`."""
    return {name: _sum([pid] if pid == os.getpid() else _family(pid)) for name, pid in pids.items()}


def _sum(pids: Iterable[int]) -> Usage:
    cpu = rss = 0.0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            continue
        # proc(5): utime and stime are fields 14 and 15, rss is field 24; the first two were cut off.
        cpu += (int(fields[11]) + int(fields[12])) / _TICKS
        rss += int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / _MEGABYTE
    return Usage(cpu, rss)


def _family(pid: int) -> Iterable[int]:
    yield pid
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in file.read_text(encoding="ascii").split()]
        except OSError:
            continue
        for child in children:
            yield from _family(child)
