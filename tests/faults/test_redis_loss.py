"""FLUSHALL with 200 chunks queued: the job completes without a person, every row once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import redis

from ingestor.broker import Broker
from ingestor.settings import Settings
from ingestor.store.database import Database
from tests.acceptance.commands import submit
from tests.conftest import environment
from tests.invariants import check_invariants
from tests.minute_bars import SCHEMA, write_days
from tests.processes import fleet, job_ended, until

pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]
CHUNKS = 200
WIDE = {"HDI_SCHEDULER__WINDOW_MIN": "500"}


def forget(settings: Settings) -> None:
    with redis.Redis.from_url(settings.redis_dsn()) as client:
        client.flushall()


@pytest.mark.timeout(240)
async def test_a_job_whose_200_messages_redis_forgot_completes_without_a_person(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """The ledger knows what was queued; the scheduler notices that the queue does not."""
    expected = write_days(tmp_path / "dbn", CHUNKS)
    with fleet(settings, tmp_path) as started:
        said = await asyncio.to_thread(
            submit, {**environment(settings), **WIDE}, "--path", tmp_path / "dbn"
        )
        assert said.code == 0, said
        broker = Broker(settings)
        assert len(broker.held()) == CHUNKS
        forget(settings)
        assert not broker.held()
        broker.close()
        scheduler = started.scheduler(**WIDE)

        async def noticed() -> bool:
            return "messages lost" in scheduler.text()

        await until("the scheduler notices", noticed, timeout_s=60, fleet=started)
        started.worker("one")
        started.worker("two")
        await job_ended(database, started, timeout_s=150)
        started.stop()
        await check_invariants(database, expected={SCHEMA: expected}, fleet=started)
    job = await database.fetchrow("SELECT state, counts FROM ingest.jobs")
    assert job is not None
    assert job["state"] == "completed"
    assert job["counts"]["chunks"] == {"completed": CHUNKS}
    records = job["counts"]["records"]
    assert records["fetched"] == records["stored"] == expected.total()
    assert records["already_stored"] == 0
    assert await database.fetchval("SELECT count(*) FROM ingest.attempts") == CHUNKS


@pytest.mark.timeout(240)
async def test_a_queue_forgotten_while_workers_are_at_it_loses_and_doubles_nothing(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """FLUSHALL takes the unacknowledged messages of chunks under way, too."""
    expected = write_days(tmp_path / "dbn", 60)
    env = {**environment(settings), **WIDE}
    with fleet(settings, tmp_path) as started:
        said = await asyncio.to_thread(submit, env, "--path", tmp_path / "dbn")
        assert said.code == 0, said
        started.scheduler()
        started.worker("one")
        started.worker("two")

        async def some_done() -> bool:
            return await database.fetchval(
                "SELECT EXISTS (SELECT 1 FROM ingest.chunks WHERE state = 'completed')"
            )

        await until("some chunks are done", some_done, timeout_s=60, fleet=started)
        forget(settings)
        assert await database.fetchval("SELECT count(*) FROM ingest.chunks WHERE state = 'queued'")
        await job_ended(database, started, timeout_s=150)
        started.stop()
        await check_invariants(database, expected={SCHEMA: expected}, fleet=started)
    counts = await database.fetchval("SELECT counts FROM ingest.jobs")
    assert counts["chunks"] == {"completed": 60}
    assert counts["records"]["stored"] == expected.total()
