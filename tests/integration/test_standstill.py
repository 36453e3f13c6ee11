"""A database that stood still: nobody could renew a lease, so none has run out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ingestor.broker import Broker
from ingestor.store import ledger
from ingestor.store.database import Database
from tests.conftest import Place, make_settings
from tests.plans import claimed, submitted
from workers.schedule import Scheduler

_NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
async def db(plain_place: Place) -> AsyncIterator[Database]:
    async with plain_place.open() as opened:
        yield opened


@pytest.fixture
def scheduler(plain_place: Place, db: Database, tmp_path: Path) -> Iterator[Scheduler]:
    settings = make_settings(plain_place, _NOWHERE, tmp_path)
    lease = settings.lease.model_copy(update={"duration_s": 0.4, "heartbeat_s": 0.1})
    broker = Broker(settings)
    yield Scheduler(settings.model_copy(update={"lease": lease}), db, broker)
    broker.close()


async def lapsed(db: Database) -> int:
    _, [chunk_id] = await submitted(db)
    await claimed(db, chunk_id, lease_s=0)
    return chunk_id


async def test_a_lease_that_ran_out_in_the_open_is_taken_back_at_once(
    db: Database, scheduler: Scheduler
) -> None:
    await lapsed(db)
    assert await scheduler.reap()


async def test_after_a_standstill_every_lease_has_its_time_again(
    db: Database, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the database's clock an hour has passed since the scheduler last asked."""
    assert not await scheduler.reap()
    await lapsed(db)
    hour_later = await ledger.clock(db) + 3600

    async def clock(_: Database) -> float:
        return hour_later

    monkeypatch.setattr(ledger, "clock", clock)
    assert not await scheduler.reap()
    assert await db.fetchval("SELECT lost_count FROM ingest.chunks") == 0
    await asyncio.sleep(0.5)
    assert await scheduler.reap()
