"""Connections that see the database as it was at one moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from ingestor.query.reader import Reader

# One of the two may wait for hours until the other comes to the same day.
_PATIENT: Final = "SELECT set_config('idle_in_transaction_session_timeout', '24h', true)"
_EXPORT: Final = "SELECT pg_export_snapshot()"


@asynccontextmanager
async def snapshot(reader: Reader) -> AsyncIterator[tuple[Any, Any]]:
    """Two connections in transactions that only read: one streams, the other has a cursor."""
    async with transaction(reader) as first:
        await first.execute(_PATIENT)
        name = await first.fetchval(_EXPORT)
        async with transaction(reader) as second:
            # No value can travel as $1 here; the name is the server's own, of digits and hyphens.
            await second.execute(f"SET TRANSACTION SNAPSHOT '{name}'")
            await second.execute(_PATIENT)
            yield first, second


@asynccontextmanager
async def transaction(reader: Reader) -> AsyncIterator[Any]:
    """A connection in a transaction that only reads; after an error the reader closes it."""
    async with reader.connection() as connection:
        begun = connection.transaction(isolation="repeatable_read", readonly=True)
        await begun.start()
        yield connection
        # Not after an error: a COPY that was broken off (Ctrl-C, a full disk) leaves a connection
        # that cannot even roll back, and its complaint would hide the reason.
        await begun.rollback()
