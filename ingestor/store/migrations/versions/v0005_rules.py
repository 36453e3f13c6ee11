"""Rules: readable and resolved quarantined records, flagged ones, rechecks, chunks that replay."""

from __future__ import annotations

from alembic import op

from ingestor.store.migrations.statements import statements

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for statement in statements("0005_rules"):
        op.execute(statement)
