"""Providers: the realm of a payload, what a job was quoted, membership of parents."""

from __future__ import annotations

from alembic import op

from ingestor.store.migrations.statements import statements

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for statement in statements("0002_provider"):
        op.execute(statement)
