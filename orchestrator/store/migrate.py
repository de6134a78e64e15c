"""The coordinator's tables: migrations and the partitions around today."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from orchestrator.database import migration_connection
from orchestrator.store.partitions import partition_sql

__all__ = ["migrate_sagas"]

_FOLDER = Path(__file__).parent / "migrations"


def migrate_sagas(url: str) -> None:
    """Run the coordinator's history to its head, and make the partitions around today. May run again.

    Raises:
        StoreError: the database is away or refuses.

    """
    with migration_connection(url, _FOLDER) as connection:
        for statement in partition_sql(datetime.now(UTC)):
            connection.exec_driver_sql(statement)
