"""Alembic's environment: asyncpg, one upgrade at a time."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

# Two upgrades at once: one of them failed on the other's half-made catalogue.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('hdi.migrate'))"


def _upgrade(connection: Connection) -> None:
    context.configure(connection=connection, version_table_schema="ingest")
    with context.begin_transaction():
        connection.execute(text(_LOCK))
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS ingest"))
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        context.run_migrations()


async def _online() -> None:
    url = context.config.attributes["url"]
    engine = create_async_engine(url, poolclass=pool.NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade)
            await connection.commit()
    finally:
        await engine.dispose()


asyncio.run(_online())
