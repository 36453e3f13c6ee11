"""Filling the queue right after a submission: nobody waits for the scheduler's next round."""

from __future__ import annotations

import asyncio

from ingestor.broker import Broker
from ingestor.errors import BrokerUnavailable
from ingestor.settings import Settings
from ingestor.store import dispatch, presence
from ingestor.store.database import Database


async def enqueue(database: Database, settings: Settings) -> int:
    """Puts due chunks on the queue, up to the dispatcher's window; how many.

    Raises:
        BrokerUnavailable: Redis is away. Nothing is lost: what is marked as queued and was not
            published, the scheduler finds.
    """
    plan = settings.scheduler
    slots = await presence.slots(database)
    window = max(plan.window_min, plan.window_per_slot * slots)
    broker = Broker(settings)
    try:
        # Asked first: where Redis is away, chunks stay pending and go out as soon as it is back.
        await asyncio.to_thread(broker.ping)
        messages = await dispatch.enqueue(
            database, window=window, retry_grace_s=plan.requeue_grace_s
        )
        triples = [(m.chunk_id, m.dispatch, m.priority) for m in messages]
        return await asyncio.to_thread(broker.publish, triples)
    finally:
        broker.close()


__all__ = ["BrokerUnavailable", "enqueue"]
