"""Limits of credentials beside those of systems, and what the systems themselves say of them.

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
]


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE effect_pace DROP COLUMN granted_at, DROP COLUMN told_rate, DROP COLUMN told_until")
