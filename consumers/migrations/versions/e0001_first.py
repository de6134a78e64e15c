"""The effect table of the consumers."""

from alembic import op

revision = "e0001"
down_revision = None
branch_labels = None
depends_on = None

UPGRADE = [
    # The only clock of leases. Tests replace this function to shift time.
    """
    CREATE FUNCTION effect_now() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT clock_timestamp() $$
    """,
    # One row per effect, keyed by its identity (design §4). What an effect has answered is in the same row, so that
    # recording the effect, its reply and its dedupe key is one write.
    """
    CREATE TABLE effect (
        saga_id uuid NOT NULL,
        step text NOT NULL,
        direction text NOT NULL CHECK (direction IN ('do', 'undo')),
        round int NOT NULL,
        system text NOT NULL,
        status text NOT NULL CHECK (status IN
            ('claimed', 'done', 'rejected', 'failed', 'unknown', 'tombstone')),
        attempt int NOT NULL,
        owner uuid,
        lease_until timestamptz,
        doubtful boolean NOT NULL DEFAULT false,
        reply bytea,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (saga_id, step, direction, round),
        CHECK ((status = 'claimed') = (owner IS NOT NULL)),
        CHECK ((status = 'claimed') = (lease_until IS NOT NULL)),
        CHECK (status <> 'tombstone' OR direction = 'do')
    )
    """,
    # Up to where a group has dealt with everything: a command below it without a row is unknown, not new.
    """
    CREATE TABLE effect_offset (
        consumer_group text NOT NULL,
        topic text NOT NULL,
        partition int NOT NULL,
        next_offset bigint NOT NULL,
        PRIMARY KEY (consumer_group, topic, partition)
    )
    """,
]


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE effect_offset")
    op.execute("DROP TABLE effect")
    op.execute("DROP FUNCTION effect_now()")
