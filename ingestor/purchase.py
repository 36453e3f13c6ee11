"""A payload is bought by one worker at a time; the next finds it in the vault.

A download in a thread cannot be stopped. One whose chunk is cancelled or lost goes on, and keeps
its turn until it ends, or the next worker would buy the same beside it.
"""

from __future__ import annotations

import asyncio

from ingestor.job import Claim
from ingestor.logs import get_logger
from ingestor.sources.source import Payload, Source
from ingestor.store.database import Database
from ingestor.store.turns import own_turn

log = get_logger(__name__)

# The event loop itself holds its tasks by weak references only.
_UNDER_WAY: set[asyncio.Task[Payload]] = set()
_ABANDONED: set[asyncio.Task[Payload]] = set()


async def obtain(database: Database, origin: Source, claim: Claim, *, worker: str) -> Payload:
    """The claim's payload; where it has to be bought, in a turn of its own.

    Raises:
        IngestError: What the source or the database says.
    """
    key = origin.purchase(claim)
    if key is None:
        return await asyncio.to_thread(origin.fetch, claim)
    begun = asyncio.Event()
    work = asyncio.create_task(_fetched_alone(database, origin, claim, worker, key, begun))
    _UNDER_WAY.add(work)
    work.add_done_callback(_UNDER_WAY.discard)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        if begun.is_set():
            _abandon(work)
        else:
            work.cancel()
        raise


def abandoned() -> int:
    """Downloads of this process that go on although their chunk is over."""
    return len(_ABANDONED)


async def _fetched_alone(
    database: Database, origin: Source, claim: Claim, worker: str, key: str, begun: asyncio.Event
) -> Payload:
    async with own_turn(database, key, claim, worker=worker):
        begun.set()
        [outcome] = await asyncio.gather(
            asyncio.to_thread(origin.fetch, claim), return_exceptions=True
        )
    # Raised here: what a fetch says is nothing that the database said.
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def _abandon(work: asyncio.Task[Payload]) -> None:
    _ABANDONED.add(work)
    work.add_done_callback(_ABANDONED.discard)
    work.add_done_callback(_look_at)


def _look_at(done: asyncio.Task[Payload]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        log.info("abandoned fetch ended", reason=str(error))
