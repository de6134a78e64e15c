"""Times as people write and read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from orchestrator.cli.errors import CliError, Exit

__all__ = ["age", "moment"]

_SPAN = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str | None, option: str) -> datetime | None:
    """A time: so long ago, or ISO 8601.

    Raises:
        CliError: it is neither, naming the option.

    """
    if text is None:
        return None
    span = _SPAN.fullmatch(text)
    try:
        if span:
            return datetime.now(UTC) - timedelta(**{_UNITS[span[2]]: int(span[1])})
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as exc:
        raise CliError("USAGE", f"{option} {text!r}: 30m, 12h, 7d, or an ISO time", exit_code=Exit.USAGE) from exc
    return found if found.tzinfo else found.astimezone()


def age(span: timedelta) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = max(0, int(span.total_seconds()))
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit} ago"
    return f"{seconds}s ago"
