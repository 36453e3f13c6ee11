"""What is told of a session that the server ended: what went wrong in it, not that it is gone."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from ingestor.errors import CorruptPayload, DatabaseUnavailable
from ingestor.store.database import Connection, Database
from tests.conftest import Place


async def gone(connection: Connection) -> None:
    """Waits until the pool has taken the connection back and refuses to say anything of it."""
    for _ in range(500):
        connection.is_closed()
        await asyncio.sleep(0.01)


async def cut_payload(database: Database) -> None:
    async with database.connection() as connection:
        await database.fetchval("SELECT pg_terminate_backend($1)", connection.get_server_pid())
        with pytest.raises(asyncpg.InterfaceError, match="released back to the pool"):
            await gone(connection)
        raise CorruptPayload("it is cut")


async def ended(database: Database) -> None:
    async with database.connection() as connection:
        pid = connection.get_server_pid()
        ending = asyncio.create_task(database.fetchval("SELECT pg_terminate_backend($1)", pid))
        try:
            await connection.fetchval("SELECT pg_sleep(30)")
        finally:
            await ending


async def test_an_error_of_ours_outlives_the_session_it_was_met_in(plain_place: Place) -> None:
    """A cut payload is no passing fault of the database, even where the session ended, too."""
    async with plain_place.open() as database:
        with pytest.raises(CorruptPayload, match="it is cut"):
            await cut_payload(database)


async def test_the_end_of_a_session_is_told_as_the_server_told_it(plain_place: Place) -> None:
    """Its SQLSTATE decides what is done about it: clearing up must not hide it."""
    async with plain_place.open() as database:
        with pytest.raises(DatabaseUnavailable) as caught:
            await ended(database)
    assert isinstance(caught.value.__cause__, asyncpg.PostgresError), caught.value
