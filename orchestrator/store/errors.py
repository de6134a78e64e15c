"""Errors of the stores: the class says what the caller should do.

    StoreError
    ├── StoreUnavailable    the database is away: back off and try again; nothing was lost
    ├── StoreConflict       another writer came first: roll back, take the batch again
    ├── BadData             the database refuses a value: bisect the batch, dead-letter the one
    ├── MissingPartition    no partition for the id: stop, and run `saga db migrate`
    └── DefinitionChanged   a definition changed without a new version: refuse to start
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError

__all__ = [
    "BadData",
    "DefinitionChanged",
    "MissingPartition",
    "StoreConflict",
    "StoreError",
    "StoreUnavailable",
    "translated",
]


class StoreError(Exception):
    """Something went wrong between us and PostgreSQL."""


class StoreUnavailable(StoreError):
    """The database cannot be reached, or the commit's outcome is unknown."""


class StoreConflict(StoreError):
    """Another writer changed the same saga."""


class BadData(StoreError):
    """The database refuses a value."""


class MissingPartition(StoreError):
    """There is no partition for this id; run `saga db migrate`."""


class DefinitionChanged(StoreError):
    """A definition's structure changed and its version did not; raise the version."""


_CONFLICTS = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into ours."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as exc:
        cause = exc.orig if isinstance(exc, DBAPIError) else exc
        raise _ours(cause)(str(cause).strip()) from exc


def _ours(cause: BaseException | None) -> type[StoreError]:
    if isinstance(cause, _CONFLICTS):
        return StoreConflict
    if isinstance(cause, psycopg.errors.CheckViolation) and "no partition" in str(cause):
        return MissingPartition
    if isinstance(cause, (psycopg.DataError, psycopg.errors.IntegrityError)):
        return BadData
    return StoreUnavailable
