"""Sagas, journal and what stands beside them."""

from alembic import op

revision = "s0001"
down_revision = None
branch_labels = None
depends_on = None

UPGRADE = [
    # The only clock. Tests replace this function to shift time.
    """
    CREATE FUNCTION saga_now() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT clock_timestamp() $$
    """,
    """
    CREATE TABLE saga (
        id uuid NOT NULL,
        definition text NOT NULL,
        version int NOT NULL CHECK (version > 0),
        status text NOT NULL CHECK (status IN
            ('running', 'compensating', 'review', 'completed', 'compensated', 'cancelled')),
        business_key text NOT NULL,
        agent text NOT NULL,
        request json NOT NULL,
        state json NOT NULL,
        revision bigint NOT NULL CHECK (revision > 0),
        wake_at timestamptz,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        ended_at timestamptz,
        PRIMARY KEY (id),
        CHECK ((ended_at IS NOT NULL) = (status IN ('completed', 'compensated', 'cancelled'))),
        CHECK (ended_at IS NULL OR wake_at IS NULL)
    ) PARTITION BY RANGE (id)
    """,
    "CREATE INDEX saga_wake_at ON saga (wake_at) WHERE wake_at IS NOT NULL",
    "CREATE INDEX saga_open ON saga (status, id) WHERE ended_at IS NULL",
    "CREATE INDEX saga_business_key ON saga (business_key) WHERE business_key <> ''",
    # Inbox, history, audit and outbox in one table: the key refuses a second application of the same message, and
    # `outputs` are sent again when it comes again.
    """
    CREATE TABLE journal (
        saga_id uuid NOT NULL,
        cause_id uuid NOT NULL,
        revision bigint NOT NULL,
        at timestamptz NOT NULL,
        entry json NOT NULL,
        input bytea NOT NULL,
        outputs bytea,
        PRIMARY KEY (saga_id, cause_id)
    ) PARTITION BY RANGE (saga_id)
    """,
    """
    CREATE TABLE input_offset (
        consumer_group text NOT NULL,
        topic text NOT NULL,
        partition int NOT NULL,
        next_offset bigint NOT NULL,
        PRIMARY KEY (consumer_group, topic, partition)
    )
    """,
    """
    CREATE TABLE foreign_event (
        source text NOT NULL,
        event_id text NOT NULL,
        saga_id uuid NOT NULL UNIQUE,
        PRIMARY KEY (source, event_id)
    )
    """,
    """
    CREATE TABLE held_message (
        saga_id uuid NOT NULL,
        cause_id uuid NOT NULL,
        message bytea NOT NULL,
        first_at timestamptz NOT NULL,
        due_at timestamptz NOT NULL,
        PRIMARY KEY (saga_id, cause_id)
    )
    """,
    "CREATE INDEX held_message_due_at ON held_message (due_at)",
    """
    CREATE TABLE definition (
        name text NOT NULL,
        version int NOT NULL,
        fingerprint text NOT NULL,
        first_seen timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (name, version)
    )
    """,
    """
    CREATE TABLE replica (
        id uuid PRIMARY KEY,
        definitions json NOT NULL,
        seen_at timestamptz NOT NULL
    )
    """,
    # The hottest rows are rewritten once per message: leave room on their pages, and visit them soon.
    "ALTER TABLE input_offset SET (fillfactor = 50)",
]

TABLES = ["replica", "definition", "held_message", "foreign_event", "input_offset", "journal", "saga"]


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION saga_now()")
