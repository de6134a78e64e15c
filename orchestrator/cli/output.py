"""Data on stdout, everything else on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.table import Table

__all__ = ["STYLES", "Format", "console", "emit", "json_line", "safe", "say", "stderr", "table"]

_PIPED_WIDTH = 240
_ID = 36

# rich honours NO_COLOR and a stream that is no terminal by itself.
# What is piped into a file or grep has no width: one row stays one line.
console = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPED_WIDTH)
stderr = Console(stderr=True)

STYLES = {
    "running": "cyan",
    "compensating": "yellow",
    "review": "bold red",
    "completed": "green",
    "compensated": "magenta",
    "cancelled": "dim",
}


class Format(StrEnum):
    """How data is printed."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"


def say(text: str) -> None:
    """Tell the person, on stderr."""
    stderr.print(text, highlight=False, soft_wrap=True)


def emit(rows: Iterable[Mapping[str, Any]], form: Format) -> None:
    """Print data as JSON: one array, or one object a line."""
    if form is Format.JSON:
        sys.stdout.write(json.dumps(list(rows), default=_plain, indent=2, ensure_ascii=False) + "\n")
    else:
        for row in rows:
            sys.stdout.write(json.dumps(row, default=_plain, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def json_line(row: Mapping[str, Any]) -> bytes:
    """One object of JSON lines."""
    return json.dumps(row, default=_plain, ensure_ascii=False).encode(errors="replace") + b"\n"


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, fold: bool = True) -> Table:
    """A plain table: no box, so that copy and paste gives text. Without `fold` a row is one line, cut where it must."""
    made = Table(title=title or None, box=None, title_justify="left", pad_edge=False, header_style="bold")
    for column in columns:
        whole = column in {"id", "when"}
        made.add_column(
            column,
            no_wrap=whole or not fold,
            overflow="fold" if fold else "ellipsis",
            min_width=_ID if column == "id" else None,
        )
    for row in rows:
        made.add_row(*[str(cell) for cell in row])
    return made


def safe(text: object) -> str:
    """What somebody else wrote, as it may be printed: no markup, and nothing that a terminal obeys."""
    return escape("".join(c if c.isprintable() or c == "\n" else "\N{MIDDLE DOT}" for c in str(text)))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    msg = f"no JSON for {type(value).__name__}"
    raise TypeError(msg)
