"""The ledger, roles, publishers, and the record tables of bars and trades."""

from __future__ import annotations

from alembic import context, op

from ingestor.store.migrations.statements import record_statements, statements

revision = "0001"
down_revision = None


def upgrade() -> None:
    for name in ("0001_ledger", "0001_publishers"):
        for statement in statements(name):
            op.execute(statement)
    for statement in record_statements("0001", context.config.attributes):
        op.execute(statement)
    for statement in statements("0001_roles"):
        op.execute(statement)
