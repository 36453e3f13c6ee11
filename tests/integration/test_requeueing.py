"""Chunks whose message the queue no longer holds: lost ones go on it again, taken ones do not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis

from ingestor.broker import Broker
from ingestor.store import dispatch
from ingestor.store.database import Database
from tests.conftest import Place, make_settings
from tests.plans import claimed, submitted
from workers.schedule import Scheduler

pytestmark = pytest.mark.redis
_LINE = "messages lost, chunks queued again"


@pytest.fixture
async def db(plain_place: Place) -> AsyncIterator[Database]:
    async with plain_place.open() as opened:
        yield opened


@pytest.fixture
def scheduler(
    plain_place: Place, db: Database, redis_url: str, tmp_path: Path
) -> Iterator[Scheduler]:
    settings = make_settings(plain_place, redis_url, tmp_path)
    broker = Broker(settings)
    yield Scheduler(settings, db, broker)
    broker.close()


async def waiting(scheduler: Scheduler, chunks: int) -> list[int]:
    """Chunks that wait on the queue for longer than the grace."""
    _, ids = await submitted(scheduler.database, chunks)
    messages = await dispatch.enqueue(scheduler.database, window=chunks, retry_grace_s=1)
    scheduler.broker.publish((m.chunk_id, m.dispatch, m.priority) for m in messages)
    await scheduler.database.fetch(
        "UPDATE ingest.chunks SET enqueued_at = enqueued_at - interval '1 minute'"
    )
    return ids


def take(scheduler: Scheduler, messages: int) -> None:
    """As a worker does, the first ones: they are on no queue any more."""
    with redis.Redis.from_url(scheduler.settings.redis_dsn()) as client:
        for _ in range(messages):
            assert client.rpop("hdi.normal")


async def test_a_message_that_a_worker_has_just_taken_is_not_lost(
    scheduler: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    """It claims the chunk moments after the scheduler has looked."""
    ids = await waiting(scheduler, 3)
    take(scheduler, 1)
    look = asyncio.create_task(scheduler.requeue())
    await asyncio.sleep(0.3)
    await claimed(scheduler.database, ids[0])

    assert not await look

    assert _LINE not in caplog.text
    assert scheduler.broker.held() == set(ids[1:])
    dispatched = "SELECT max(dispatch_count) FROM ingest.chunks"
    assert await scheduler.database.fetchval(dispatched) == 1


async def test_of_the_missed_only_the_lost_are_queued_again_and_counted(
    scheduler: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    """Of three messages gone, one was taken."""
    ids = await waiting(scheduler, 4)
    take(scheduler, 3)
    look = asyncio.create_task(scheduler.requeue())
    await asyncio.sleep(0.3)
    await claimed(scheduler.database, ids[1])

    assert await look

    assert f"'chunks': 2, 'event': '{_LINE}'" in caplog.text
    assert scheduler.broker.held() == {ids[0], ids[2], ids[3]}


async def test_a_loss_is_made_good_once(scheduler: Scheduler) -> None:
    """What two schedulers miss at the same time goes on the queue one time."""
    ids = await waiting(scheduler, 2)
    take(scheduler, 2)

    found = await asyncio.gather(scheduler.requeue(), scheduler.requeue())

    assert sorted(found) == [False, True]
    assert scheduler.broker.held() == set(ids)
    counts = await scheduler.database.fetch("SELECT dispatch_count FROM ingest.chunks")
    assert [row["dispatch_count"] for row in counts] == [2, 2]
