"""What one sandbox system knows, and how its rules look to the rest of the sandbox. No I/O."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Books", "Business", "Change", "Done", "Fields", "Look", "Operation", "Refused", "Row", "fingerprint"]

Fields = Mapping[str, Any]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One row as it is from now on."""

    table: str
    id: str
    row: Row


@dataclass(frozen=True, slots=True)
class Done:
    """The work can be done: the change to keep, and the answer."""

    status: int
    reply: dict[str, Any]
    change: Change


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing is done."""

    status: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Operation:
    """A request that changes something. `required` are text fields of the body or query that must be there."""

    action: str
    method: str
    path: str
    ref: str
    run: Callable[[Books, Fields], Done | Refused]
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """A request that only looks: active rows of a table whose fields equal the query's."""

    action: str
    path: str
    table: str
    ref: str


@dataclass(frozen=True, slots=True)
class Business:
    """One HTTP system: what it does, and which operation its seed data goes through.

    `keyed`: it honours idempotency keys. One that does not still writes them into the ledger, for those who count.
    """

    name: str
    operations: tuple[Operation, ...]
    looks: tuple[Look, ...]
    seeded_by: str
    keyed: bool = True


@dataclass(slots=True)
class Books:
    """Tables of one system, and the answers it has given under idempotency keys."""

    tables: dict[str, dict[str, Row]] = field(default_factory=dict)
    replies: dict[str, tuple[str, int, dict[str, Any]]] = field(default_factory=dict)

    def apply(self, change: Change) -> None:
        """Keep a row."""
        self.tables.setdefault(change.table, {})[change.id] = change.row

    def remember(self, key: str, print_: str, status: int, reply: dict[str, Any]) -> None:
        """Keep the answer given under a key. Only success is kept: a refusal did nothing and may be asked again."""
        self.replies[key] = (print_, status, reply)

    def next_id(self, table: str, prefix: str) -> str:
        """The next number of a table, never given twice: rows are never deleted."""
        return f"{prefix}-{len(self.tables.get(table, {})) + 1:06d}"

    def active(self, table: str, **where: Any) -> list[Row]:
        """Active rows that have these values."""
        return [
            row
            for row in self.tables.get(table, {}).values()
            if row["active"] and all(row.get(name) == value for name, value in where.items())
        ]

    def end(self, table: str, what: str, where: Fields) -> Done | Refused:
        """End the one active row that has these values; None among them says nothing."""
        found = self.active(table, **{name: value for name, value in where.items() if value is not None})
        if not found:
            return Refused(404, "NOT_FOUND", f"no such {what}")
        row = found[0]
        return Done(200, {"id": row["id"], "active": False}, Change(table, row["id"], row | {"active": False}))


def fingerprint(method: str, path: str, fields: Fields) -> str:
    """What makes two requests the same."""
    text = json.dumps([method, path, fields], sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=16).hexdigest()
