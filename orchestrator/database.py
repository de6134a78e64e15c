"""PostgreSQL for whoever keeps tables in it: engine, errors, migrations. Knows no table.

StoreError
├── StoreUnavailable    the database is away: back off and try again; nothing was lost
│   └── NotMigrated     its tables are older than this code: run `saga db migrate`
├── StoreConflict       another writer came first: roll back, take the batch again
├── BadData             the database refuses a value: bisect the batch, dead-letter the one
└── MissingPartition    no partition for the id: stop, and run `saga db migrate`
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg.types.json import set_json_loads
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError

__all__ = [
    "WORKER_IDLE_SECONDS",
    "BadData",
    "MissingPartition",
    "NotMigrated",
    "StoreConflict",
    "StoreError",
    "StoreUnavailable",
    "connect",
    "migrate",
    "migration_connection",
    "plain_connection",
    "translated",
]


class StoreError(Exception):
    """Something went wrong between us and PostgreSQL."""


class StoreUnavailable(StoreError):
    """The database cannot be reached, or the commit's outcome is unknown."""


class NotMigrated(StoreUnavailable):
    """A table or column is missing; run `saga db migrate`."""


class StoreConflict(StoreError):
    """Another writer changed the same saga."""


class BadData(StoreError):
    """The database refuses a value."""


class MissingPartition(StoreError):
    """There is no partition for this id; run `saga db migrate`."""


_CONFLICTS = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
)


# ProgramLimitExceeded is an OperationalError to the driver, but means a value, too long for an index or an array.
_BAD_DATA = (psycopg.DataError, psycopg.errors.IntegrityError, psycopg.errors.ProgramLimitExceeded)


_NO_SUCH = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedFunction)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into ours."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as exc:
        cause = exc.orig if isinstance(exc, DBAPIError) else exc
        kind = _ours(cause)
        text = str(cause).strip()
        raise kind(f"{text.splitlines()[0]}: run `saga db migrate`" if kind is NotMigrated else text) from exc
    except UnicodeError as exc:
        # Half a surrogate pair, say: it fails while it is encoded, before the driver sees it.
        raise BadData(str(exc)) from exc


def _ours(cause: BaseException | None) -> type[StoreError]:
    if isinstance(cause, _CONFLICTS):
        return StoreConflict
    if isinstance(cause, psycopg.errors.CheckViolation) and "no partition" in str(cause):
        return MissingPartition
    if isinstance(cause, _BAD_DATA):
        return BadData
    if isinstance(cause, _NO_SUCH):
        return NotMigrated
    return StoreUnavailable


WORKER_IDLE_SECONDS = 10
"""Of a worker that stands still in mid-transaction, the server lets go as soon as Kafka does: see `connect`."""


def connect(url: str, *, pool_size: int = 2, idle_seconds: int = 60, generic_plans: bool = False) -> Engine:
    """An engine for short transactions. Connects when first used.

    TCP keep-alives and a user time-out find a dead server in half a minute instead of two hours. The server ends a
    session that does nothing in mid-transaction for `idle_seconds`: one whose process is frozen or whose host is gone
    holds its locks that long, and whoever has taken over its partitions waits for them. With `generic_plans` a prepared
    statement is planned once: the statements that run for every message cost as much to plan as to run, and their plan
    is the same whatever the values are: by their indexes, also where it is made while a table is still empty.
    """
    set_json_loads(msgspec.json.decode)
    arguments = {
        "connect_timeout": 10,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
        "options": f"-c timezone=UTC -c statement_timeout=60000 "
        f"-c idle_in_transaction_session_timeout={idle_seconds * 1000}"
        f"{' -c plan_cache_mode=force_generic_plan -c enable_seqscan=off' if generic_plans else ''}",
    }
    return create_engine(url, pool_size=pool_size, pool_pre_ping=False, connect_args=arguments)


@contextmanager
def plain_connection(engine: Engine, *, autocommit: bool = False) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """The driver's own connection out of the engine's pool; what is not committed is rolled back at the end.

    For statements that run for every message: SQLAlchemy's wrapping costs nearly as much as the shortest of them.
    With `autocommit` each statement is a transaction of its own: one round trip to the server instead of three.

    Raises:
        StoreError: as `translated` makes them.

    """
    with translated():
        lent = engine.raw_connection()
        try:
            connection: Any = lent.driver_connection
            if autocommit:
                connection.autocommit = True
            yield connection
        except psycopg.OperationalError as exc:
            lent.invalidate(exc)
            raise
        finally:
            if autocommit and lent.driver_connection is not None and not lent.driver_connection.closed:
                lent.driver_connection.autocommit = False
            lent.close()


# Several processes may migrate at once; one does the work and the others find it done.
_LOCK = "SELECT pg_advisory_xact_lock(7226470)"


def migrate(url: str, folder: Path) -> None:
    """Bring one history to its head. Each history has its own folder and version table.

    Raises:
        StoreError: the database is away or refuses.

    """
    with migration_connection(url, folder):
        pass


@contextmanager
def migration_connection(url: str, folder: Path) -> Iterator[Connection]:
    """A transaction in which that history has just been brought to its head; commits at the end."""
    # Imported here: alembic is needed by one command only.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    engine = create_engine(url)
    try:
        with translated(), engine.begin() as connection:
            connection.exec_driver_sql(_LOCK)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            yield connection
    finally:
        engine.dispose()
