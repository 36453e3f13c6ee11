"""Workers that are asked to end at any moment, and children that are replaced after every chunk."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest

from ingestor.settings import Settings
from ingestor.store.database import Database
from tests.attempts import counted
from tests.day_files import submit_files, write_days
from tests.invariants import check_invariants
from tests.processes import Fleet, Process, fleet, job_ended, until

pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]
SEED = int(os.environ.get("HDI_TEST_SEED", "20240311"))
ROUNDS, AT_ONCE = 2, 3
CHUNKS = 40


@pytest.mark.slow
async def test_sigterm_at_any_moment_loses_no_chunk_and_costs_none_an_attempt(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """While it starts, works, ends: what a worker holds is completed or handed back, never lost.

    The leases would outlast the test: a chunk that was not handed back would keep the job open.
    """
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    expected = write_days(tmp_path / "dbn", CHUNKS, per_day=300)
    lease = settings.lease.model_copy(update={"duration_s": 300, "heartbeat_s": 20})
    worker = settings.worker.model_copy(update={"soft_shutdown_s": 0.5})
    lasting = settings.model_copy(update={"lease": lease, "worker": worker})
    with fleet(lasting, tmp_path) as started:
        started.scheduler()
        await submit_files(database, tmp_path / "dbn")
        codes = [await _round(started, number, chance) for number in range(ROUNDS)]
        started.worker("last")
        await job_ended(database, started, timeout_s=60)
        kinds = await _outcomes(database)
        print(f"exit codes {codes}, outcomes {kinds}")
        assert await counted(database) == {"completed": CHUNKS}
        assert kinds["handed_back"] > 0
        assert set(kinds) == {"completed", "handed_back"}
        assert await database.fetchval("SELECT max(attempt) FROM ingest.chunks") == 1
        started.stop()
        await check_invariants(database, expected=expected, fleet=started)


async def _round(started: Fleet, number: int, chance: random.Random) -> list[int]:
    """Some workers, each of them asked to end at a moment of its own; their exit codes."""
    # A batch per record: a chunk takes about a second, twice the grace.
    pack = [
        started.worker(f"w{number}-{place}", HDI_STORE__BATCH_RECORDS="1")
        for place in range(AT_ONCE)
    ]
    # The first of them before it has started.
    moments = [(place > 0, chance.uniform(0.0, 2.5)) for place in range(AT_ONCE)]
    ends = (_ended_at(each, *moment, started) for each, moment in zip(pack, moments, strict=True))
    return await asyncio.gather(*ends)


async def _ended_at(worker: Process, at_work: bool, moment_s: float, started: Fleet) -> int:
    async def ready() -> bool:
        return " ready." in worker.text()

    if at_work:
        await until("the worker is ready", ready, timeout_s=60, fleet=started)
    await asyncio.sleep(moment_s)
    worker.terminate()
    return await asyncio.to_thread(worker.wait, 30)


@pytest.mark.slow
async def test_a_worker_that_replaces_its_child_after_every_chunk_loads_each_once(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """A process per chunk; none of them leaves a session, a lease or a name in the ledger."""
    chunks = 8
    expected = write_days(tmp_path / "dbn", chunks)
    with fleet(settings, tmp_path) as started:
        worker = started.worker(concurrency=2, HDI_WORKER__MAX_TASKS_PER_CHILD="1")
        await submit_files(database, tmp_path / "dbn")
        started.scheduler()
        await job_ended(database, started, timeout_s=90)
        assert await _outcomes(database) == {"completed": chunks}
        workers = await database.fetchval("SELECT count(DISTINCT worker) FROM ingest.attempts")
        assert workers == chunks
        worker.terminate()
        assert await asyncio.to_thread(worker.wait, 30) == 0
        assert not await database.fetch("SELECT worker FROM ingest.workers WHERE role = 'worker'")
        started.stop()
        await check_invariants(database, expected=expected, fleet=started)


async def _outcomes(database: Database) -> dict[str, int]:
    rows = await database.fetch("SELECT outcome, count(*) AS n FROM ingest.attempts GROUP BY 1")
    return {row["outcome"]: row["n"] for row in rows}
