"""Who is at a saga that waits for a person.

A claim is no decision: it keeps two people from working on the same thing, and holds nobody back who knows better. It
is made at a revision of the saga, and is void as soon as the saga has another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from orchestrator.database import translated

__all__ = ["Claim", "Claims"]


@dataclass(frozen=True, slots=True)
class Claim:
    """Who is at it since when, at which revision of the saga, and what they say of it."""

    saga_id: UUID
    actor: str
    at: datetime
    revision: int
    note: str


_COLUMNS = "c.saga_id, c.actor, c.at, c.revision, c.note"

_HELD = f"""
SELECT {_COLUMNS} FROM review_claim c JOIN saga s ON s.id = c.saga_id AND s.revision = c.revision
WHERE s.id = ANY(%(ids)s) AND s.id BETWEEN %(low)s AND %(high)s
"""  # noqa: S608 - no value is put into the text

# Of two at once the second waits for the first one's row, and then finds the WHERE no longer true. `at` tells the
# claim that a take-over was decided about from one that was made since.
_TAKE = f"""
INSERT INTO review_claim AS c (saga_id, actor, at, revision, note)
SELECT id, %(actor)s, saga_now(), revision, %(note)s FROM saga WHERE id = %(id)s
ON CONFLICT (saga_id) DO UPDATE
SET actor = EXCLUDED.actor, revision = EXCLUDED.revision,
    at = CASE WHEN c.actor = EXCLUDED.actor AND c.revision = EXCLUDED.revision THEN c.at ELSE EXCLUDED.at END,
    note = CASE WHEN c.actor = EXCLUDED.actor AND EXCLUDED.note = '' THEN c.note ELSE EXCLUDED.note END
WHERE c.actor = EXCLUDED.actor OR c.revision < EXCLUDED.revision
   OR (c.actor = %(over_actor)s AND c.at = %(over_at)s)
RETURNING {_COLUMNS}
"""  # noqa: S608

_RELEASE = """
DELETE FROM review_claim c
WHERE saga_id = %(id)s AND (actor = %(actor)s OR (actor = %(over_actor)s AND at = %(over_at)s))
RETURNING 1
"""


class Claims:
    """The table `review_claim`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def held(self, saga_ids: Sequence[UUID]) -> Mapping[UUID, Claim]:
        """The claims on those sagas that count now."""
        if not saga_ids:
            return {}
        bounds = {"ids": list(saga_ids), "low": min(saga_ids), "high": max(saga_ids)}
        with translated(), self._engine.connect() as connection:
            rows = connection.exec_driver_sql(_HELD, bounds).fetchall()
        return {row[0]: Claim(*row) for row in rows}

    def take(self, saga_id: UUID, actor: str, note: str = "", over: Claim | None = None) -> Claim | None:
        """Claim a saga at the revision that it has; None where somebody else holds it.

        `over` is the claim to be taken over. Where that is not the one that stands any more, it is not taken over.
        """
        return next((Claim(*row) for row in self._write(_TAKE, saga_id, actor, over, note=note)), None)

    def release(self, saga_id: UUID, actor: str, over: Claim | None = None) -> bool:
        """Give up one's own claim, or `over`. Says whether there was one."""
        return bool(self._write(_RELEASE, saga_id, actor, over))

    def _write(self, statement: str, saga_id: UUID, actor: str, over: Claim | None, **more: Any) -> Sequence[Any]:
        known = {"over_actor": over.actor if over else None, "over_at": over.at if over else None}
        with translated(), self._engine.begin() as connection:
            return connection.exec_driver_sql(statement, {"id": saga_id, "actor": actor, **known, **more}).fetchall()
