"""Edits of a letter's headers, beside those of its value."""

from alembic import op

revision = "s0004"
down_revision = "s0003"
branch_labels = None
depends_on = None

# MessagePack, as `dead_letter.headers`: name and value, no value where the header is dropped. An act holds all that
# differ from the original then, so that the last one tells.
UPGRADE = [
    "ALTER TABLE dead_letter ADD COLUMN edited_headers bytea",
    "ALTER TABLE dead_letter_act ADD COLUMN edited_headers bytea",
    "ALTER TABLE dead_letter_act DROP CONSTRAINT dead_letter_act_check",
    """
    ALTER TABLE dead_letter_act ADD CONSTRAINT dead_letter_act_edit
    CHECK ((kind = 'edited') = (edited IS NOT NULL OR edited_headers IS NOT NULL))
    """,
]


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    # An act without a value would break the old rule; it is history, and stays.
    op.execute("ALTER TABLE dead_letter_act DROP CONSTRAINT dead_letter_act_edit")
    op.execute(
        "ALTER TABLE dead_letter_act ADD CONSTRAINT dead_letter_act_check "
        "CHECK ((kind = 'edited') = (edited IS NOT NULL)) NOT VALID"
    )
    for table in ("dead_letter_act", "dead_letter"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN edited_headers")
