"""Workers that are asked to stop: what is under way ends, or is handed back at once."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestor.settings import Settings
from ingestor.store.database import Database
from tests.attempts import LONG_LEASE, frozen, holder, online, outcomes, thaw
from tests.day_files import submit_files, write_days
from tests.invariants import check_invariants
from tests.processes import Fleet, Process, fleet, job_ended, until

pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]
SMALL_BATCHES = {"HDI_STORE__BATCH_RECORDS": "500"}


@pytest.fixture
def processes(settings: Settings, tmp_path: Path) -> Iterator[Fleet]:
    with fleet(settings, tmp_path) as started:
        yield started


async def ended(process: Process) -> int:
    """Exit code of a process that was asked to end."""
    try:
        return await asyncio.to_thread(process.wait, 45)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"it does not end:\n{process.text()}") from None


async def test_on_sigterm_the_chunk_under_way_ends_and_so_does_the_worker(
    database: Database, processes: Fleet, tmp_path: Path
) -> None:
    """The soft shutdown waits for it; nothing is given back, nothing is lost."""
    expected = write_days(tmp_path / "dbn", 1, per_day=1_500)
    [number] = await submit_files(database, tmp_path / "dbn")
    processes.scheduler()
    worker = processes.worker(
        HDI_FAILPOINT="copy@50:stop", HDI_WORKER__SOFT_SHUTDOWN_S="5", **SMALL_BATCHES, **LONG_LEASE
    )
    _, child = await holder(database, processes)
    await frozen(child, processes)
    worker.terminate()

    async def shutting_down() -> bool:
        return "oft shutdown" in worker.text() or "oft Shutdown" in worker.text()

    await until("the worker shuts down", shutting_down, timeout_s=60, fleet=processes)
    thaw(child)
    assert await ended(worker) == 0, worker.text()

    assert await outcomes(database, number) == ["completed"]
    assert not await database.fetchval("SELECT count(*) FROM ingest.workers WHERE role = 'worker'")
    await job_ended(database, processes, timeout_s=30)
    processes.stop()
    await check_invariants(database, expected=expected, fleet=processes)


@pytest.mark.parametrize("how", ["busy", "stuck"])
async def test_a_chunk_longer_than_the_grace_is_handed_back_at_once_and_costs_no_attempt(
    database: Database, processes: Fleet, tmp_path: Path, how: str
) -> None:
    """Another worker completes it long before the lease would have run out."""
    slowly = {
        # A batch per record takes a minute; asleep, the worker's event loop hears nothing.
        "busy": {"HDI_STORE__BATCH_RECORDS": "1"},
        "stuck": {"HDI_FAILPOINT": "copy@50:sleep", **SMALL_BATCHES},
    }[how]
    expected = write_days(tmp_path / "dbn", 1, per_day=30_000 if how == "busy" else 1_500)
    [number] = await submit_files(database, tmp_path / "dbn")
    processes.scheduler()
    leaving = processes.worker("leaving", HDI_WORKER__SOFT_SHUTDOWN_S="1", **slowly, **LONG_LEASE)
    await holder(database, processes)
    other = processes.worker("staying", **LONG_LEASE)
    await online(database, processes, 2)
    leaving.terminate()
    await ended(leaving)
    await job_ended(database, processes, timeout_s=30)

    found = await database.fetchrow("SELECT state, attempt, lost_count FROM ingest.chunks")
    assert found is not None
    assert tuple(found) == ("completed", 1, 0)
    assert await outcomes(database, number) == ["handed_back", "completed"]
    assert "chunks handed back" in leaving.text()
    assert "chunk loaded" in other.text()
    processes.stop()
    await check_invariants(database, expected=expected, fleet=processes)
