"""No scheduler, five, and two that are left of them; and what is urgent behind 2,000 chunks."""

from __future__ import annotations

import asyncio
import datetime as dt
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from ingestor.settings import Settings
from ingestor.simulator.server import SimulatorOptions, running
from ingestor.store.database import Database
from ingestor.vocabulary import Schema
from tests.acceptance.commands import hdi, submit
from tests.gateways import facing
from tests.invariants import check_invariants
from tests.minute_bars import FIRST, SCHEMA, write_days
from tests.processes import Fleet, fleet, job_ended, until
from tests.values import served_so_far

pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]
DONE = "SELECT count(*) FROM ingest.chunks WHERE state LIKE 'completed%'"


@pytest.fixture
def service(settings: Settings, tmp_path: Path) -> Iterator[Fleet]:
    with fleet(settings, tmp_path) as made:
        yield made


async def completed(database: Database, service: Fleet, count: int) -> None:
    async def so_many() -> bool:
        return int(await database.fetchval(DONE)) >= count

    await until(f"{count} chunks are completed", so_many, timeout_s=90, fleet=service)


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_none_two_or_five_schedulers_lose_no_chunk_and_do_none_twice(
    service: Fleet, settings: Settings, database: Database, tmp_path: Path
) -> None:
    """Without one, what was queued is done and the rest waits. Five agree; three may be killed."""
    window = settings.scheduler.window_min
    expected = write_days(tmp_path / "first", window + 8)
    said = await asyncio.to_thread(submit, settings, "--path", tmp_path / "first")
    assert said.code == 0, said
    worker = service.worker(concurrency=2)
    await completed(database, service, window)
    states = await database.fetch("SELECT state, count(*) FROM ingest.chunks GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in states] == [("completed", window), ("pending", 8)]

    five = [service.scheduler(f"s{number}") for number in range(5)]
    await job_ended(database, service, timeout_s=60)
    expected += write_days(tmp_path / "second", 100, first=FIRST + 1_000)
    said = await asyncio.to_thread(submit, settings, "--path", tmp_path / "second")
    assert said.code == 0, said
    await completed(database, service, window + 8 + 10)
    for each in five[:3]:
        each.signal_all(signal.SIGKILL)
    with redis.Redis.from_url(settings.redis_dsn()) as client:
        client.flushall()
    await job_ended(database, service, timeout_s=60)

    outcomes = await database.fetch("SELECT outcome, count(*) FROM ingest.attempts GROUP BY 1")
    assert [tuple(row) for row in outcomes] == [("completed", window + 108)]
    assert [each.popen.poll() for each in (*five[3:], worker)] == [None] * 3
    await check_invariants(database, expected={SCHEMA: expected}, fleet=service)


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_high_chunk_behind_2000_chunks_completes_within_ten_chunk_times(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    """The one worker is the clock: it completes a chunk of the backfill in a chunk's time.

    Those take half a second here. Shorter ones would measure how long a command takes to start.
    """
    days = SimulatorOptions(
        first=dt.date(2015, 1, 1), past=dt.date(2024, 1, 1), per_day=10, limits=False
    )
    bars = write_days(tmp_path / "urgent", 1)
    with running(days) as gateway, fleet(facing(settings, gateway), tmp_path) as service:
        gateway.fault(kind="slow", delay_s=0.4, count=None)
        service.worker()
        service.scheduler()
        backfill = await asyncio.to_thread(
            submit, service.settings, "--dataset", "GLBX.MDP3", "--schema", "trades", "--symbols",
            "ESM4", "--start", "2015-01-01", "--end", "2020-07-01", "--chunk-days", 1, "--json",
        )  # fmt: skip
        assert backfill.code == 0, backfill
        assert backfill.json["chunks"]["total"] >= 2_000
        await completed(database, service, 15)
        urgent = ("--path", tmp_path / "urgent", "--priority", "high")
        said = await asyncio.to_thread(submit, service.settings, *urgent, "--wait", "--json")
        assert said.code == 0, said
        stopped = await asyncio.to_thread(hdi, service.settings, "cancel", backfill.json["job_id"])
        assert stopped.code == 0, stopped
        await job_ended(database, service, timeout_s=60)
        service.stop()
        trades = await served_so_far(database, Schema.TRADES, "ESM4", per_day=10)
        rows = {SCHEMA: bars, Schema.TRADES: trades}
        await check_invariants(database, expected=rows, fleet=service)
    found = await database.fetchrow(_WAITED, said.json["job_id"])
    assert found is not None
    print(f"it waited {found['waited_s']:.2f} s; {found['meanwhile']} chunks went before it")
    assert found["overtaken"] >= 1_900
    assert found["meanwhile"] <= 10


_WAITED = """
WITH urgent AS (
    SELECT j.created_at, k.finished_at FROM ingest.jobs j JOIN ingest.chunks k USING (job_id)
    WHERE j.job_id = $1::UUID
), others AS (
    SELECT k.finished_at FROM ingest.chunks k WHERE k.job_id <> $1::UUID
)
SELECT extract(epoch FROM u.finished_at - u.created_at)::FLOAT8 AS waited_s,
       (SELECT count(*) FROM others o
        WHERE o.finished_at BETWEEN u.created_at AND u.finished_at) AS meanwhile,
       (SELECT count(*) FROM others o WHERE o.finished_at > u.finished_at) AS overtaken
FROM urgent u
"""
