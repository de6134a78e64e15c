"""Where shadows are recorded: what each would have sent, and what was answered in its place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import Engine

from consumers.claims import Identity
from orchestrator.database import plain_connection
from orchestrator.messaging.kafka import Run

__all__ = ["Found", "MemoryShadows", "PostgresShadows", "ShadowRow", "ShadowStore"]

# A worker that died before the outcome was kept recorded the same, perhaps at another time.
_RECORD = """
INSERT INTO shadow_effect
    (saga_id, step, direction, round, system, action, at, agent, request, command, output, found)
VALUES (%(saga_id)s, %(step)s, %(direction)s, %(round)s, %(system)s, %(action)s, %(at)s, %(agent)s, %(request)s,
        %(command)s, %(output)s, %(found)s)
ON CONFLICT (saga_id, step, direction, round) DO UPDATE
SET at = EXCLUDED.at, request = EXCLUDED.request, command = EXCLUDED.command, output = EXCLUDED.output,
    found = EXCLUDED.found
"""


class Found(StrEnum):
    """Where an output comes from: made up; what the system already had; or made up since it could not be asked."""

    MADE_UP = "made-up"
    PROBED = "probed"
    NOT_ASKED = "not-asked"


@dataclass(frozen=True, slots=True)
class ShadowRow:
    """One recorded effect. `request` is redacted; `command` and `output` are whole, since they are compared."""

    identity: Identity
    system: str
    action: str
    at: datetime
    agent: str
    request: Any
    command: Mapping[str, Any]
    output: Mapping[str, Any]
    found: Found


class ShadowStore(Protocol):
    """Keeps them."""

    async def record(self, row: ShadowRow) -> None:
        """Keep it; the same effect again in its place.

        Raises:
            StoreError: it is not kept.

        """
        ...


class PostgresShadows:
    """`ShadowStore` on PostgreSQL. Calls block, so they go through `run`."""

    def __init__(self, engine: Engine, run: Run) -> None:
        self._engine = engine
        self._run = run

    async def record(self, row: ShadowRow) -> None:
        """See `ShadowStore.record`."""
        await self._run(self._record, row)

    def _record(self, row: ShadowRow) -> None:
        parameters = {
            "saga_id": row.identity.saga_id,
            "step": row.identity.step,
            "direction": row.identity.direction.value,
            "round": row.identity.round,
            "system": row.system,
            "action": row.action,
            "at": row.at,
            "agent": row.agent,
            "request": _json(row.request),
            "command": _json(row.command),
            "output": _json(row.output),
            "found": row.found.value,
        }
        with plain_connection(self._engine, autocommit=True) as connection:
            connection.execute(_RECORD, parameters)


class MemoryShadows:
    """`ShadowStore` in memory, for tests and simulations."""

    def __init__(self) -> None:
        self.rows: dict[Identity, ShadowRow] = {}

    async def record(self, row: ShadowRow) -> None:
        """See `ShadowStore.record`."""
        self.rows[row.identity] = row


def _json(value: Any) -> str:
    return json.dumps(_kept(value), ensure_ascii=False, default=str)


def _kept(value: Any) -> Any:
    """As PostgreSQL takes it: it keeps no NUL and no half of a surrogate pair."""
    if isinstance(value, str):
        return value.replace("\x00", "\N{SYMBOL FOR NULL}").encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {_kept(name): _kept(part) for name, part in value.items()}
    return [_kept(part) for part in value] if isinstance(value, list | tuple) else value
