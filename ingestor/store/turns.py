"""One at a time: of two workers that would buy one payload, one buys and the other finds it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from ingestor.job import Claim
from ingestor.store.database import Database
from ingestor.store.queries import queries

_LOAD = queries("load")
_LOOK_S = 0.2


@contextlib.asynccontextmanager
async def own_turn(
    database: Database, key: str, claim: Claim, *, worker: str
) -> AsyncIterator[None]:
    """Waits until nobody else holds `key`, and holds it; a session that ends lets go of it.

    The session carries the claim's name, so that the reaper can end it where its worker is frozen.
    """
    async with database.connection() as connection:
        name = f"hdi:{claim.chunk_id}:{claim.fence}:{worker}"
        await connection.execute(_LOAD["name_session"], name[:63])
        # Asked again and again: a waiting statement would run into lock_timeout, and cannot be
        # left when the lease is lost.
        while not await connection.fetchval(_LOAD["take_turn"], key):  # noqa: ASYNC110 - another
            await asyncio.sleep(_LOOK_S)  # process holds it: no event of ours tells
        try:
            yield
        finally:
            await connection.fetchval(_LOAD["end_turn"], key)
