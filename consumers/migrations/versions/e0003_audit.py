"""The audit of calls: a chain of hashes for each system, and signed checkpoints of it.

Revision ID: e0003
Revises: e0002
"""

from __future__ import annotations

from alembic import op

revision = "e0003"
down_revision = "e0002"
branch_labels = None
depends_on = None

UPGRADE = [
    """
    CREATE TABLE audit_call (
        system text NOT NULL,
        number bigint NOT NULL CHECK (number > 0),
        at timestamptz NOT NULL,
        agent text NOT NULL,
        saga_id uuid NOT NULL,
        step text NOT NULL,
        direction text NOT NULL,
        attempt int NOT NULL,
        action text NOT NULL,
        send int NOT NULL,
        endpoint text NOT NULL,
        credential text NOT NULL,
        request text NOT NULL,
        status int,
        response text NOT NULL,
        error text,
        duration_ms double precision NOT NULL,
        hash bytea NOT NULL CHECK (length(hash) = 32),
        PRIMARY KEY (system, number)
    )
    """,
    "CREATE INDEX audit_call_saga ON audit_call (saga_id)",
    "CREATE INDEX audit_call_at ON audit_call (at)",
    # The end of each chain. Its row's lock makes the workers of a system take turns.
    """
    CREATE TABLE audit_head (
        system text PRIMARY KEY,
        number bigint NOT NULL,
        hash bytea NOT NULL CHECK (length(hash) = 32)
    )
    """,
    """
    CREATE TABLE audit_checkpoint (
        system text NOT NULL,
        number bigint NOT NULL,
        hash bytea NOT NULL,
        at timestamptz NOT NULL,
        key_id text NOT NULL,
        signature bytea NOT NULL,
        PRIMARY KEY (system, number, key_id)
    )
    """,
    # No protection against an administrator, who is found out by the chain; against a slip it is.
    """
    CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the audit is only added to';
    END $$
    """,
    """
    CREATE TRIGGER audit_call_kept BEFORE UPDATE OR DELETE ON audit_call
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_kept()
    """,
]


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for table in ("audit_checkpoint", "audit_head", "audit_call"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION audit_is_kept()")
