"""Alembic's entry point; the connection comes from `orchestrator.store.migrate`."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table="effect_migration")
with context.begin_transaction():
    context.run_migrations()
