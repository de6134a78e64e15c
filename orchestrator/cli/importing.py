"""Reads requests from a file, row by row, and says what is wrong with which line."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from orchestrator.cli.errors import CliError, Exit
from orchestrator.core.definition import Saga
from schemas.models import Request

__all__ = ["STDIN", "RowError", "read_requests", "read_rows"]

STDIN = "-"

_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with one row. `line` counts from 1, the header included."""

    line: int
    message: str

    def as_json(self) -> dict[str, Any]:
        """For `-o json`."""
        return {"line": self.line, "error": self.message}


def read_requests(path: Path, definition: Saga) -> tuple[list[Request], list[RowError]]:
    """The requests of a `.jsonl` or `.csv` file, or of JSON lines on standard input (`-`), and the rows that hold none.

    Two rows with one business key are an error of the later one: the same vendor twice in a file is a mistake.

    Raises:
        CliError: the file cannot be read at all, or a column is missing.

    """
    requests: list[Request] = []
    errors: list[RowError] = []
    first: dict[str, int] = {}
    for line, row in read_rows(path, lambda columns: _check_columns(path, columns, definition)):
        if isinstance(row, RowError):
            errors.append(row)
            continue
        try:
            request = definition.request.model_validate_json(json.dumps(row))
        except ValidationError as exc:
            errors.append(RowError(line, "; ".join(_describe(error) for error in exc.errors())))
            continue
        assert isinstance(request, Request)
        key = definition.key_of(request)
        if key and key in first:
            errors.append(RowError(line, f"{key!r} stands in line {first[key]} already"))
            continue
        first[key] = line
        requests.append(request)
    return requests, errors


def read_rows(
    path: Path, check: Callable[[list[str]], None] = lambda _: None
) -> Iterator[tuple[int, Mapping[str, Any] | RowError]]:
    """The rows of such a file, each with its line; `check` is given the columns of a table.

    Raises:
        CliError: the file cannot be read at all.

    """
    try:
        data = sys.stdin.buffer.read() if str(path) == STDIN else path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as exc:
        raise CliError("UNREADABLE", f"{path}: {exc.strerror}", exit_code=Exit.USAGE) from exc
    except UnicodeDecodeError as exc:
        line = exc.object[: exc.start].count(b"\n") + 1
        text = f"{path}, line {line}: not UTF-8 (byte {exc.object[exc.start]:#04x}); save the file as UTF-8"
        raise CliError("WRONG_ENCODING", text, exit_code=Exit.USAGE) from exc
    kind = path.suffix.lower()
    if kind == ".csv":
        yield from _csv_rows(path, text, check)
    elif kind in {".jsonl", ".ndjson"} or str(path) == STDIN:
        yield from _json_rows(text)
    else:
        raise CliError("UNKNOWN_FORMAT", f"{path}: a file ends in .jsonl or .csv", exit_code=Exit.USAGE)


def _json_rows(text: str) -> Iterator[tuple[int, Mapping[str, Any] | RowError]]:
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        try:
            row = json.loads(content)
        except (ValueError, RecursionError) as exc:
            yield line, RowError(line, f"no JSON: {exc}")
            continue
        yield line, row if isinstance(row, dict) else RowError(line, "no JSON object")


def _csv_rows(
    path: Path, text: str, check: Callable[[list[str]], None]
) -> Iterator[tuple[int, Mapping[str, Any] | RowError]]:
    # Not `splitlines`, which also ends lines at characters that a cell may hold, such as U+2028.
    table = _csv_table(csv.reader(io.StringIO(text, newline=""), strict=True))
    line, columns = next(table, (1, []))
    if isinstance(columns, RowError):
        raise CliError("UNREADABLE", f"{path}, line {line}: {columns.message}", exit_code=Exit.USAGE)
    check(columns)
    for line, cells in table:
        if isinstance(cells, RowError):
            yield line, cells
        elif len(cells) > len(columns):
            yield line, RowError(line, f"more cells than the {len(columns)} columns")
        else:
            # An empty cell is a missing value: CSV has no other way to say it.
            yield line, {name: cell for name, cell in zip(columns, cells, strict=False) if cell}


def _csv_table(reader: Any) -> Iterator[tuple[int, list[str] | RowError]]:
    """Each row that is not blank, with the line in which it begins."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as exc:
            yield line, RowError(line, str(exc))
            continue
        if cells:
            yield line, cells


def _check_columns(path: Path, columns: list[str], definition: Saga) -> None:
    fields = definition.request.model_fields
    missing = [name for name, field in fields.items() if field.is_required() and name not in columns]
    if missing:
        found = f"it has {', '.join(columns)[:300]}" if columns else "it is empty"
        text = f"{path}: no column {', '.join(missing)}; {found}"
        raise CliError("MISSING_COLUMN", text, exit_code=Exit.USAGE)
    double = [name for name in fields if columns.count(name) > 1]
    if double:
        text = f"{path}: more than one column {', '.join(double)}"
        raise CliError("DOUBLE_COLUMN", text, exit_code=Exit.USAGE)


def _describe(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "the row"
    given = str(error.get("input"))
    shown = given if len(given) <= _LONGEST_SHOWN else f"{given[:_LONGEST_SHOWN]}… ({len(given)} characters)"
    if error["type"] == "missing":
        return f"{where}: missing"
    return f"{where}: {error['msg']} (it is {shown!r})"
