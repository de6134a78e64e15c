"""The projection of the dead-letter topics, and what people have done about each letter."""

from alembic import op

revision = "s0002"
down_revision = "s0001"
branch_labels = None
depends_on = None

UPGRADE = [
    # Rebuildable from the topics. `identity` is the same for two copies of one letter, which a crash may leave.
    """
    CREATE TABLE dead_letter (
        topic text NOT NULL,
        partition int NOT NULL,
        "offset" bigint NOT NULL,
        identity uuid NOT NULL UNIQUE,
        key bytea,
        value bytea,
        headers bytea NOT NULL,
        reason text NOT NULL,
        stage text NOT NULL,
        original_topic text NOT NULL,
        failed_at timestamptz NOT NULL,
        message text NOT NULL,
        consumer_group text NOT NULL,
        attempts bigint NOT NULL,
        saga_id uuid,
        step text,
        direction text,
        definition text,
        system text,
        version bigint,
        origin text,
        replay_of uuid,
        replay_count bigint NOT NULL,
        edited bytea,
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'edited', 'replayed', 'discarded')),
        replays int NOT NULL DEFAULT 0,
        PRIMARY KEY (topic, partition, "offset")
    )
    """,
    # An origin is one letter, however often it is imported.
    "CREATE UNIQUE INDEX dead_letter_origin ON dead_letter (origin) WHERE origin IS NOT NULL",
    "CREATE INDEX dead_letter_waiting ON dead_letter (failed_at) WHERE state IN ('open', 'edited')",
    "CREATE INDEX dead_letter_saga ON dead_letter (saga_id) WHERE saga_id IS NOT NULL",
    "CREATE INDEX dead_letter_replay_of ON dead_letter (replay_of) WHERE replay_of IS NOT NULL",
    """
    CREATE TABLE dead_letter_offset (
        topic text NOT NULL,
        partition int NOT NULL,
        next_offset bigint NOT NULL,
        PRIMARY KEY (topic, partition)
    )
    """,
    # Survives a rebuild: it is nowhere else. `replaying` without `replayed` after it: sent or not, nobody knows.
    """
    CREATE TABLE dead_letter_act (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        identity uuid NOT NULL,
        topic text NOT NULL,
        partition int NOT NULL,
        "offset" bigint NOT NULL,
        kind text NOT NULL CHECK (kind IN ('replaying', 'replayed', 'edited', 'discarded')),
        at timestamptz NOT NULL,
        actor text NOT NULL CHECK (actor <> ''),
        reason text NOT NULL CHECK (reason <> ''),
        edit text NOT NULL DEFAULT '',
        new_saga_id uuid,
        edited bytea,
        CHECK ((kind = 'edited') = (edited IS NOT NULL))
    )
    """,
    "CREATE INDEX dead_letter_act_identity ON dead_letter_act (identity, id)",
    """
    CREATE FUNCTION dead_letter_act_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'dead_letter_act is append-only'; END $$
    """,
    """
    CREATE TRIGGER dead_letter_act_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON dead_letter_act
    FOR EACH STATEMENT EXECUTE FUNCTION dead_letter_act_is_final()
    """,
]


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for table in ("dead_letter_act", "dead_letter_offset", "dead_letter"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION dead_letter_act_is_final()")
