"""The ledger, roles, publishers, and the record tables of bars and trades."""

from __future__ import annotations

from alembic import context, op

from ingestor.store.migrations.statements import statements

revision = "0001"
down_revision = None


def upgrade() -> None:
    for name in ("0001_ledger", "0001_publishers", "0001_records"):
        for statement in statements(name):
            op.execute(statement)
    if context.config.attributes["timescaledb"]:
        interval = context.config.attributes["trades_interval"]
        for statement in statements("0001_hypertables"):
            op.execute(statement.replace(":trades_interval", f"INTERVAL '{interval}'"))
    for table in context.config.attributes["time_index"]:
        op.execute(f"CREATE INDEX {table}_time_idx ON public.{table} (ts_event DESC)")
    for statement in statements("0001_roles"):
        op.execute(statement)
