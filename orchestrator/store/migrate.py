"""Brings a database to the newest migration. Each history has its own folder and version table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine

from orchestrator.store.errors import translated
from orchestrator.store.partitions import partition_sql

__all__ = ["SAGA_MIGRATIONS", "migrate", "migrate_sagas"]

SAGA_MIGRATIONS = Path(__file__).parent / "migrations"

# Several processes may migrate at once; one does the work and the others find it done.
_LOCK = "SELECT pg_advisory_xact_lock(7226470)"


def migrate(url: str, folder: Path) -> None:
    """Run one history up to its head.

    Raises:
        StoreError: the database is away or refuses.
    """
    with translated(), _connection(url) as connection:
        _upgrade(connection, folder)


def migrate_sagas(url: str) -> None:
    """Run the coordinator's history, and make the partitions around today."""
    with translated(), _connection(url) as connection:
        _upgrade(connection, SAGA_MIGRATIONS)
        for statement in partition_sql(datetime.now(UTC)):
            connection.exec_driver_sql(statement)


@contextmanager
def _connection(url: str) -> Iterator[Connection]:
    """A transaction under the migration lock; commits at the end."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(_LOCK)
            yield connection
    finally:
        engine.dispose()


def _upgrade(connection: Connection, folder: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
