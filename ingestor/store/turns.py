"""One at a time: of two workers that would buy one payload, one buys and the other finds it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from ingestor.errors import DatabaseHalted, DatabaseUnavailable
from ingestor.job import Claim
from ingestor.logs import get_logger
from ingestor.store.database import Connection, Database, answered
from ingestor.store.queries import queries

log = get_logger(__name__)

_LOAD = queries("load")
_LOOK_S = 0.2
_BEAT_S = 1.0
_SILENCE_S = 10.0
_BACK_S = 5.0
"""By then whoever buys has noticed that the server restarted (a beat) and is back."""


@contextlib.asynccontextmanager
async def own_turn(
    database: Database, key: str, claim: Claim, *, worker: str
) -> AsyncIterator[None]:
    """Waits until nobody else holds `key`, and holds it; a session that ends lets go of it.

    The session carries the claim's name, so that the reaper can end it where its worker is frozen.
    It is none of the pool's: a download that outlives its chunk keeps its turn, and must not keep
    the next chunk's heartbeat waiting. Where the server ends it in the middle of a download, the
    turn is taken anew; where it restarts, before anybody who comes new.
    """
    taken = asyncio.Event()
    holder = asyncio.create_task(_hold(database, key, claim, worker, taken))
    waiter = asyncio.create_task(taken.wait())
    try:
        await asyncio.wait({holder, waiter}, return_when=asyncio.FIRST_COMPLETED)
        if not taken.is_set():
            holder.result()
        yield
    finally:
        for task in (holder, waiter):
            task.cancel()
        await asyncio.gather(holder, waiter, return_exceptions=True)


async def _hold(
    database: Database, key: str, claim: Claim, worker: str, taken: asyncio.Event
) -> None:
    """Takes the turn, and keeps it until cancelled. Errors are told until it was taken once."""
    while True:
        try:
            await _hold_session(database, key, claim, worker, taken)
        except (DatabaseUnavailable, DatabaseHalted) as error:
            if not taken.is_set():
                raise
            log.warning("turn to buy lost, taking it anew", chunk=claim.chunk_id,
                        reason=error.message)  # fmt: skip
            await asyncio.sleep(_LOOK_S)


async def _hold_session(
    database: Database, key: str, claim: Claim, worker: str, taken: asyncio.Event
) -> None:
    async with database.session() as connection:
        name = f"hdi:{claim.chunk_id}:{claim.fence}:{worker}"
        await connection.execute(_LOAD["name_session"], name[:63])
        behind_s = 0.0 if taken.is_set() else _BACK_S
        # Asked again and again: a waiting statement would run into lock_timeout, and cannot be
        # left when the lease is lost.
        while not await connection.fetchval(_LOAD["take_turn"], key, behind_s):  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_S)  # another process holds it: no event of ours tells
        taken.set()
        try:
            await _beat(connection)
        finally:
            await _let_go(connection, key)


async def _beat(connection: Connection) -> None:
    """Until cancelled, or the session ends."""
    while True:
        await asyncio.sleep(_BEAT_S)
        await answered(connection.fetchval("SELECT 1"), within_s=_SILENCE_S)


async def _let_go(connection: Connection, key: str) -> None:
    """At once for whoever waits; a session that has ended has let go already."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(_SILENCE_S):
            await connection.fetchval(_LOAD["end_turn"], key)
