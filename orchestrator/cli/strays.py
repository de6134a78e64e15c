"""Dead letters that no saga speaks of: whoever asks what needs a person has to see them too."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from orchestrator import bootstrap
from orchestrator.cli.output import safe, say, table
from orchestrator.cli.times import age
from orchestrator.settings import BadSettings, Settings

if TYPE_CHECKING:
    from orchestrator.letters.store import StrayRow

__all__ = ["stray_json", "stray_table", "strays"]

# For what is asked many times a day: rather the letters of a while ago than a wait for a broker that is away.
_SECONDS = 3.0


def strays(settings: Settings) -> Sequence[StrayRow]:
    """What PostgreSQL knows of them after the topics have been read. Where they cannot be, stderr says so."""
    from orchestrator.database import connect  # noqa: PLC0415 - loads the drivers
    from orchestrator.letters.store import LetterStore  # noqa: PLC0415

    problem = _refresh(settings)
    if problem is not None:
        say(f"[yellow]the dead letters are as of their last reading:[/] {safe(problem)}")
    return LetterStore(connect(settings.database_url)).strays()


def _refresh(settings: Settings) -> str | None:
    """Read the dead-letter topics, for a few seconds at most; what is in the way, if it cannot be done."""
    from orchestrator.letters.errors import LetterError  # noqa: PLC0415 - loads the drivers
    from orchestrator.messaging.errors import MessagingError  # noqa: PLC0415
    from schemas.errors import SchemaError  # noqa: PLC0415

    bootstrap.configure_logs(settings)
    try:
        with bootstrap.make_desk(settings) as desk:
            desk.refresh(seconds=_SECONDS)
    except (BadSettings, LetterError, MessagingError, SchemaError) as exc:
        return str(exc) or type(exc).__name__
    return None


def stray_json(row: StrayRow) -> dict[str, Any]:
    """One group as data."""
    return {
        "kind": "letters",
        "topic": row.topic,
        "reason": row.reason,
        "count": row.count,
        "oldest": row.oldest,
        "command": _command(row),
    }


def stray_table(rows: Sequence[StrayRow]) -> RenderableType:
    """All groups for people."""
    now = datetime.now(UTC)
    cells = [[row.topic, safe(row.reason), row.count, age(now - row.oldest), safe(_command(row))] for row in rows]
    return table("dead letters that no saga speaks of", ["topic", "reason", "letters", "oldest", "look at them"], cells)


def _command(row: StrayRow) -> str:
    return shlex.join(["saga", "dlq", "list", "--topic", row.topic, "--reason-code", row.reason])
