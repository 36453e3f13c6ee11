"""Faults: halts of the whole line, local faults in a row, notes on dead letters."""

from __future__ import annotations

from alembic import op

from ingestor.store.migrations.statements import statements

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for statement in statements("0006_faults"):
        op.execute(statement)
