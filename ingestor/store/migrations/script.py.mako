"""${message}"""

from __future__ import annotations

from alembic import op

from ingestor.store.migrations.statements import statements

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    for statement in statements("NAME"):
        op.execute(statement)
