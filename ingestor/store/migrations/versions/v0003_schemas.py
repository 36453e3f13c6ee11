"""Quotes at trades, statistics and definitions; views for people; a ledger that keeps its receipts."""

from __future__ import annotations

from alembic import context, op

from ingestor.store.migrations.statements import record_statements, statements

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for statement in statements("0003_ledger"):
        op.execute(statement)
    for statement in record_statements("0003", context.config.attributes):
        op.execute(statement)
    for statement in statements("0003_views"):
        op.execute(statement)
