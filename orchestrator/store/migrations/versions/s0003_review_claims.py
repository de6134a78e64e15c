"""Who is at a saga that waits for a person."""

from alembic import op

revision = "s0003"
down_revision = "s0002"
branch_labels = None
depends_on = None

# Beside the saga and not in its journal: an entry would raise the revision, and make stale what others have decided
# about it and the dead letters it left, by no more than somebody's looking at it. A claim counts while the saga's
# revision is this one. No foreign key: retention detaches the saga's partition, and an old claim harms nobody.
UPGRADE = [
    """
    CREATE TABLE review_claim (
        saga_id uuid PRIMARY KEY,
        actor text NOT NULL CHECK (actor <> ''),
        at timestamptz NOT NULL,
        revision bigint NOT NULL CHECK (revision > 0),
        note text NOT NULL
    )
    """,
]


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE review_claim")
