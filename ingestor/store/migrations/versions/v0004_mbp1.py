"""Record tables: mbp1_data."""

from __future__ import annotations

from alembic import context, op

from ingestor.store.migrations.statements import record_statements

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for statement in record_statements("0004", context.config.attributes):
        op.execute(statement)
