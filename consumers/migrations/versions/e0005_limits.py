"""Limits of credentials beside those of systems, what the systems themselves say of them, and the watch.

Revision ID: e0005
Revises: e0004
"""

from __future__ import annotations

from alembic import op

revision = "e0005"
down_revision = "e0004"
branch_labels = None
depends_on = None

UPGRADE = [
    # `system` is the limit's name. That of a credential has a space in it, as no system's name has. `granted_at` is
    # where the places that were taken last begin; until `told_until` no more than `told_rate` calls a second are made.
    """
    ALTER TABLE effect_pace
        ADD COLUMN granted_at timestamptz,
        ADD COLUMN told_rate double precision CHECK (told_rate >= 0),
        ADD COLUMN told_until timestamptz,
        ADD CHECK ((told_rate IS NULL) = (told_until IS NULL))
    """,
    # What answers of an action look like, and how often it usually fails (`consumers.watch`). Names, no values.
    """
    CREATE TABLE watch_action (
        system text NOT NULL,
        action text NOT NULL,
        version int NOT NULL DEFAULT 1,
        shape jsonb,
        calls double precision NOT NULL DEFAULT 0,
        errors double precision NOT NULL DEFAULT 0,
        PRIMARY KEY (system, action)
    )
    """,
    # The last trouble of each kind. `told`: its beginning, or its end where it has one, is on the topic.
    """
    CREATE TABLE watch_alert (
        system text NOT NULL,
        action text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('drift', 'error-rate')),
        since timestamptz NOT NULL,
        seen_at timestamptz NOT NULL,
        ended_at timestamptz,
        changes jsonb NOT NULL,
        rate double precision,
        usual double precision,
        told boolean NOT NULL DEFAULT false,
        telling_until timestamptz,
        PRIMARY KEY (system, action, kind)
    )
    """,
]


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE watch_alert")
    op.execute("DROP TABLE watch_action")
    op.execute("ALTER TABLE effect_pace DROP COLUMN granted_at, DROP COLUMN told_rate, DROP COLUMN told_until")
