"""The sandbox's ledger: one JSON object a line, what was called and what was really done.

It is append-only and the only thing the sandbox persists: its state is the replay of the lines that changed it, so
what the ledger says was done and what the sandbox knows cannot differ, however it is killed. A line is one `write` to a
file opened with O_APPEND; several sandbox processes may share the file.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["Ledger", "LedgerWriter", "Line"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        at: when, ISO 8601 in UTC.
        system, action: whose, and what; the contracts' names.
        kind: call (raw, before any dedupe), applied (work was really done), seed (what the system knew beforehand).
        key: the idempotency key; of a mail the Message-ID. None where the call had none.
        ref: what people know it by: tax id, vendor id, invoice number, recipient.
        reference: the caller's own mark, the saga id.
        data: the whole line.

    """

    at: str
    system: str
    action: str
    kind: str
    key: str | None
    ref: str | None
    reference: str | None
    data: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """`system.action`."""
        return f"{self.system}.{self.action}"


class Ledger:
    """A ledger that was read. Lines stand in the order in which they were written, over all systems."""

    def __init__(self, lines: list[Line], torn: int = 0) -> None:
        self.lines = lines
        self.torn = torn

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read a ledger that may still be written to; a missing one is empty.

        A line that a kill tore is counted in `torn` and left out: what it was to say was not yet done.

        Raises:
            OSError: the file cannot be read.

        """
        lines, torn = [], 0
        for line in _lines(Path(path)):
            if line is None:
                torn += 1
            else:
                lines.append(line)
        return cls(lines, torn)

    def select(
        self,
        kind: str | None = None,
        *,
        system: str | None = None,
        action: str | None = None,
        key: str | None = None,
        ref: str | None = None,
        reference: str | None = None,
    ) -> list[Line]:
        """The lines that have all the values given."""
        wanted = {"kind": kind, "system": system, "action": action, "key": key, "ref": ref, "reference": reference}
        given = {name: value for name, value in wanted.items() if value is not None}
        return [line for line in self.lines if all(getattr(line, name) == given[name] for name in given)]

    def applied(self, key: str | None = None, **where: str) -> list[Line]:
        """Work that was really done."""
        return self.select("applied", key=key, **where)

    def calls(self, key: str | None = None, **where: str) -> list[Line]:
        """Raw calls."""
        return self.select("call", key=key, **where)

    def counts(self, kind: str = "applied") -> Counter[str]:
        """How many lines of that kind each `system.action` has."""
        return Counter(line.name for line in self.lines if line.kind == kind)

    def sequence(self, *, ref: str | None = None, reference: str | None = None) -> list[str]:
        """`system.action` of the work done for one business reference or one saga, in order."""
        return [line.name for line in self.select("applied", ref=ref, reference=reference)]

    def doubled(self) -> dict[str, int]:
        """Keys whose work was done more than once, and how often. Empty is what everybody wants to see."""
        times = Counter(line.key for line in self.applied() if line.key is not None)
        return {key: count for key, count in times.items() if count > 1}


class LedgerWriter:
    """Appends to a ledger. What it has written survives the end of the process, not of the machine."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")  # a kill tore the last line: keep the next one apart from it

    def append(
        self,
        kind: str,
        system: str,
        action: str,
        *,
        key: str | None,
        ref: str | None,
        reference: str | None = None,
        **more: Any,
    ) -> None:
        """Write one line; it is out of our hands when this returns.

        Raises:
            OSError: it could not be written whole.

        """
        line = {
            "at": datetime.now(UTC).isoformat(),
            "system": system,
            "action": action,
            "kind": kind,
            "key": key,
            "ref": ref,
            "reference": reference,
        }
        data = json.dumps(line | more, ensure_ascii=False, default=str).encode(errors="replace") + b"\n"
        if os.write(self._file, data) != len(data):
            msg = f"{self.path}: the line was written in part"
            raise OSError(msg)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _lines(path: Path) -> Iterator[Line | None]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        for raw in file:
            try:
                data = json.loads(raw) if raw.endswith(b"\n") else None
                yield _line(data) if isinstance(data, dict) else None
            except (ValueError, KeyError):
                if raw.strip():
                    yield None


def _line(data: dict[str, Any]) -> Line:
    return Line(
        at=data["at"],
        system=data["system"],
        action=data["action"],
        kind=data["kind"],
        key=data["key"],
        ref=data["ref"],
        reference=data.get("reference"),
        data=data,
    )
