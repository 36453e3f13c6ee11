"""What is told of a session that the server ended: what went wrong in it, not that it is gone."""

from __future__ import annotations

import asyncio
import errno
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import asyncpg
import pytest

from ingestor.errors import CorruptPayload, DatabaseUnavailable
from ingestor.store.database import Connection, Database
from ingestor.vocabulary import Role
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


async def disk_full(held: AbstractAsyncContextManager[Connection]) -> None:
    async with held as connection:
        await connection.fetchval("SELECT 1")
        raise OSError(errno.ENOSPC, "No space left on device")


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


@pytest.mark.parametrize("held", ["connection", "session"])
async def test_what_this_host_says_while_a_connection_is_held_is_not_the_databases_word(
    plain_place: Place, held: str
) -> None:
    """A full disk under a spool was told as "the database cannot be reached", for hours."""
    async with plain_place.open() as database:
        with pytest.raises(OSError, match="No space left"):
            await disk_full(getattr(database, held)())
        assert await database.fetchval("SELECT 1") == 1


async def test_turns_leave_the_pool_alone(plain_place: Place) -> None:
    """Downloads that outlive their chunks hold one each; the heartbeat must not wait for them."""
    async with plain_place.open() as database, AsyncExitStack() as held:
        for _ in range(8):
            await held.enter_async_context(database.session())
        assert await asyncio.wait_for(database.fetchval("SELECT 1"), 2) == 1
    async with plain_place.open(Role.OWNER) as owner:
        count = (
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE application_name = $1 AND pid <> pg_backend_pid()"
        )
        for _ in range(100):
            if not (left := await owner.fetchval(count, database.name)):
                break
            await asyncio.sleep(0.05)
        assert left == 0
