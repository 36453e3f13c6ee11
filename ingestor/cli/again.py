"""Chunks that start again, put on the queue: the same for every command that sets them going."""

from __future__ import annotations

from ingestor.cli.enqueue import enqueue
from ingestor.cli.output import tell
from ingestor.errors import BrokerUnavailable
from ingestor.insights import presence_warnings
from ingestor.settings import Settings
from ingestor.store.database import Database


async def queued(database: Database, settings: Settings) -> BrokerUnavailable | None:
    """Fills the queue, and warns of what keeps work from going on.

    Returns:
        What to raise once the rest is told, where Redis is away: the ledger keeps the chunks.
    """
    try:
        await enqueue(database, settings)
    except BrokerUnavailable as error:
        return BrokerUnavailable(
            f"not queued yet: {error.message}",
            hint="nothing is lost: `hdi scheduler` queues them once Redis is back",
        )
    for notice in await presence_warnings(database):
        tell(f"warning: {notice}")
    return None
