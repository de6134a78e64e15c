"""How often each system is called, by all its workers together."""

from alembic import op

revision = "e0002"
down_revision = "e0001"
branch_labels = None
depends_on = None

UPGRADE = [
    # One row for each system with a limit: when its next call may go, and by what rate that was counted.
    """
    CREATE TABLE effect_pace (
        system text PRIMARY KEY,
        rate double precision NOT NULL CHECK (rate > 0),
        next_at timestamptz NOT NULL
    )
    """,
]


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE effect_pace")
