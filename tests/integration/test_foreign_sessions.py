"""Sessions of a login that the scheduler may not end: it says so, and goes on with its duties."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ingestor.broker import Broker
from ingestor.job import Claim
from ingestor.store.database import Connection, Database
from ingestor.vocabulary import Role
from tests.conftest import Place, make_settings
from tests.plans import claimed, submitted
from workers.schedule import Scheduler

_LIVES = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE pid = $1)"
_NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
async def db(plain_place: Place) -> AsyncIterator[Database]:
    async with plain_place.open() as opened:
        yield opened


@pytest.fixture
def scheduler(plain_place: Place, db: Database, tmp_path: Path) -> Iterator[Scheduler]:
    settings = make_settings(plain_place, _NOWHERE, tmp_path)
    lease = settings.lease.model_copy(update={"duration_s": 0.2, "heartbeat_s": 0.1})
    broker = Broker(settings)
    yield Scheduler(settings.model_copy(update={"lease": lease}), db, broker)
    broker.close()


@asynccontextmanager
async def loading(place: Place, role: Role, claim: Claim) -> AsyncIterator[Connection]:
    """A load of that login that stands still with its chunk's row locked."""
    async with place.open(role) as database, database.connection() as connection:
        name = f"hdi:{claim.chunk_id}:{claim.fence}:w/1"
        await connection.execute("SELECT set_config('application_name', $1, false)", name)
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            "SELECT 1 FROM ingest.chunks WHERE chunk_id = $1 FOR UPDATE", claim.chunk_id
        )
        yield connection


async def lapse(db: Database) -> None:
    await db.fetchval("UPDATE ingest.leases SET lease_until = now() - INTERVAL '1 hour'")


async def states(db: Database) -> list[str]:
    rows = await db.fetch("SELECT state FROM ingest.chunks ORDER BY chunk_id")
    return [row["state"] for row in rows]


async def test_a_session_that_may_not_be_ended_keeps_no_other_chunk_from_being_reaped(
    plain_place: Place, db: Database, scheduler: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told of; the chunk that it holds comes back once it is gone."""
    _, ids = await submitted(db, 2)
    held = await claimed(db, ids[0])
    await claimed(db, ids[1])
    caplog.set_level(logging.WARNING)
    async with loading(plain_place, Role.OWNER, held) as connection:
        await lapse(db)
        await scheduler.end_sessions()
        assert "stuck session is another login's" in caplog.text
        assert await scheduler.reap()
        assert await states(db) == ["in_progress", "retrying"]
        assert await connection.fetchval("SELECT 1") == 1
    assert await scheduler.reap()
    assert await states(db) == ["retrying", "retrying"]


async def test_a_session_of_the_workers_login_is_ended_beside_one_that_may_not_be(
    plain_place: Place, db: Database, scheduler: Scheduler
) -> None:
    """One refusal does not keep the others."""
    _, ids = await submitted(db, 2)
    claims = [await claimed(db, each) for each in ids]
    async with loading(plain_place, Role.OWNER, claims[0]), plain_place.open() as worker:
        async with worker.session() as connection:
            name = f"hdi:{ids[1]}:{claims[1].fence}:w/1"
            await connection.execute("SELECT set_config('application_name', $1, false)", name)
            pid = await connection.fetchval("SELECT pg_backend_pid()")
            await lapse(db)
            await scheduler.end_sessions()
            async with asyncio.timeout(5):
                while await db.fetchval(_LIVES, pid):  # noqa: ASYNC110 - no event of ours tells
                    await asyncio.sleep(0.05)
        assert await scheduler.reap()
    assert await states(db) == ["in_progress", "retrying"]
