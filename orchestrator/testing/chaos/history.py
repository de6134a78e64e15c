"""What happened in a run, as one JSON object a line: written while it happens, read by the checker afterwards.

An operation is `invoke` and then one of `ok` (it happened), `fail` (it did not), `info` (it may have: nobody answered).
What has `invoke` alone is `info`, too. A nemesis is `start` and `stop`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

__all__ = ["Event", "History", "Type", "read_history", "targets_of"]


class Type(StrEnum):
    """What a line says."""

    INVOKE = "invoke"
    OK = "ok"
    FAIL = "fail"
    INFO = "info"
    START = "start"
    STOP = "stop"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Event:
    """One line.

    Attributes:
        at: seconds since the run began, by a clock that is never set.
        time: the same moment by the wall's clock, which is the database's too.
        type: see `Type`.
        process: who: an agent, a nemesis' number, the supervisor.
        what: the operation or the kind of nemesis.
        id: what `invoke` and its answer, `start` and its `stop`, have in common.
        more: what else is known.

    """

    at: float
    time: datetime
    type: Type
    process: str
    what: str
    id: str
    more: dict[str, Any] = field(default_factory=dict)


def targets_of(start: Event, stop: Event) -> frozenset[str]:
    """The kinds of process that a nemesis struck; "" is all of them."""
    return frozenset(stop.more.get("targets") or [start.more["target"]])


class History:
    """Appends to the file; from any thread. Each line is out of our hands when `write` returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        self._began = time.monotonic()
        self._lock = threading.Lock()

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began

    def write(self, type_: Type, process: str, what: str, id_: str, **more: Any) -> Event:
        """Write one line, and return it."""
        with self._lock:  # the order in the file is the order of the times
            event = Event(round(self.now, 6), datetime.now(UTC), type_, process, what, id_, more)
            self._file.write(msgspec.json.encode(event) + b"\n")
        return event

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def read_history(path: Path) -> Sequence[Event]:
    """All lines of a history that is complete.

    Raises:
        OSError: it cannot be read.
        msgspec.DecodeError: a line is none.

    """
    decoder = msgspec.json.Decoder(Event)
    with path.open("rb") as file:
        return [decoder.decode(line) for line in file]
