"""Monthly partitions by UUIDv7 id, which begins with the time in milliseconds (RFC 9562, section 5.7)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

__all__ = ["months", "partition_sql", "time_of", "uuid_at"]


def uuid_at(time: datetime) -> UUID:
    """The smallest id of that millisecond."""
    return UUID(int=int(time.timestamp() * 1000) << 80)


def time_of(saga_id: UUID) -> datetime | None:
    """When a UUIDv7 was made; None for an id of another kind, or of a time out of range."""
    if saga_id.version != 7:
        return None
    try:
        return datetime.fromtimestamp((saga_id.int >> 80) / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def months(now: datetime, before: int = 1, after: int = 2) -> Iterator[tuple[str, UUID, UUID]]:
    """(suffix, first id, id after the last) of the months around now."""
    for step in range(-before, after + 1):
        first, after_last = _month(now, step), _month(now, step + 1)
        yield f"{first:%Y_%m}", uuid_at(first), uuid_at(after_last)


def _month(now: datetime, step: int) -> datetime:
    index = now.year * 12 + now.month - 1 + step
    return datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC)


def partition_sql(now: datetime) -> Iterator[str]:
    """Statements that make the partitions that are missing. Each may run twice."""
    for suffix, low, high in months(now):
        for table in ("saga", "journal"):
            yield (
                f"CREATE TABLE IF NOT EXISTS {table}_{suffix} PARTITION OF {table} "
                f"FOR VALUES FROM ('{low}') TO ('{high}')"
            )
