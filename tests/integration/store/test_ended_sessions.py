"""A session that the server has ended, met at its worst moment, is a database passing by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

import pytest

from ingestor.errors import DatabaseUnavailable
from ingestor.store.database import Database, DatabaseOptions
from ingestor.vocabulary import Role
from tests.conftest import Place

pytestmark = pytest.mark.timescaledb


class Relay:
    """Passes bytes between one client and a server, and keeps the client when the server goes."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self.gone = asyncio.Event()
        self.over = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        above, below = await asyncio.open_connection(*self._upstream)
        upwards = asyncio.create_task(_pass(reader, below))
        await _pass(above, writer)
        self.gone.set()
        await self.over.wait()
        upwards.cancel()
        writer.close()
        below.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


@asynccontextmanager
async def relayed(options: DatabaseOptions) -> AsyncIterator[tuple[Relay, DatabaseOptions]]:
    parts = urlsplit(options.dsn)
    assert parts.hostname is not None
    assert parts.port is not None
    relay = Relay(parts.hostname, parts.port)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    netloc = f"{parts.username}:{parts.password}@127.0.0.1:{port}"
    try:
        yield relay, replace(options, dsn=urlunsplit(parts._replace(netloc=netloc)))
    finally:
        relay.over.set()
        server.close()


async def test_the_servers_last_word_before_the_end_of_its_stream_is_no_fault_of_the_chunk(
    place: Place,
) -> None:
    """Between the two, the next statement fails inside asyncpg, with none of its usual errors.

    It was taken for something unforeseen, which ends a chunk at its first attempt.
    """
    options = place.options(Role.OWNER)
    async with (
        place.open(Role.OWNER) as owner,
        relayed(options) as (relay, via),
        Database(via, name="hdi:test") as database,
    ):
        with pytest.raises(DatabaseUnavailable):
            await _ended_meanwhile(database, owner, relay)
        relay.over.set()


async def _ended_meanwhile(database: Database, owner: Database, relay: Relay) -> None:
    async with database.connection() as connection:
        pid = await connection.fetchval("SELECT pg_backend_pid()")
        assert await owner.fetchval("SELECT pg_terminate_backend($1)", pid)
        await asyncio.wait_for(relay.gone.wait(), 10)
        # The client's own loop reads it in between.
        await asyncio.sleep(0.05)
        await connection.fetchval("SELECT 1")
