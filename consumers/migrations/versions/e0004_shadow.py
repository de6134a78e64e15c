"""Effects that are only recorded, and how they compare with what the existing process did.

Revision ID: e0004
Revises: e0003
"""

from __future__ import annotations

from alembic import op

revision = "e0004"
down_revision = "e0003"
branch_labels = None
depends_on = None

UPGRADE = [
    # What an effect was begun as, which its undo goes by. NULL: nobody knows any more.
    "ALTER TABLE effect ADD COLUMN shadow boolean DEFAULT false",
    # What would have been sent: `request` is redacted. `command` and `output` are whole, since they are compared with
    # what the existing process did; whoever shows them redacts them.
    """
    CREATE TABLE shadow_effect (
        saga_id uuid NOT NULL,
        step text NOT NULL,
        direction text NOT NULL CHECK (direction IN ('do', 'undo')),
        round int NOT NULL,
        system text NOT NULL,
        action text NOT NULL,
        at timestamptz NOT NULL,
        agent text NOT NULL,
        request text NOT NULL,
        command jsonb NOT NULL,
        output jsonb NOT NULL,
        found text NOT NULL CHECK (found IN ('made-up', 'probed', 'not-asked')),
        PRIMARY KEY (saga_id, step, direction, round)
    )
    """,
    "CREATE INDEX shadow_effect_action ON shadow_effect (system, action, at)",
    # One row for each recorded effect that was compared, and one for each thing that only the existing process did.
    """
    CREATE TABLE shadow_finding (
        system text NOT NULL,
        action text NOT NULL,
        key text NOT NULL,
        saga_id uuid,
        step text,
        round int,
        result text NOT NULL CHECK (result IN ('agrees', 'differs', 'only-ours', 'only-theirs')),
        fields jsonb NOT NULL,
        source text NOT NULL,
        at timestamptz NOT NULL,
        CHECK ((saga_id IS NULL) = (step IS NULL) AND (saga_id IS NULL) = (round IS NULL)),
        CHECK (saga_id IS NOT NULL OR result = 'only-theirs')
    )
    """,
    "CREATE UNIQUE INDEX shadow_finding_effect ON shadow_finding (saga_id, step, round) WHERE saga_id IS NOT NULL",
    "CREATE INDEX shadow_finding_action ON shadow_finding (system, action)",
]


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE shadow_finding")
    op.execute("DROP TABLE shadow_effect")
    op.execute("ALTER TABLE effect DROP COLUMN shadow")
