"""A worker process is as large after many chunks as after some: counted in chunks, not in time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from ingestor.settings import Settings
from ingestor.store.database import Database
from tests.day_files import submit_files, write_days
from tests.processes import Fleet, fleet, job_ended

pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.slow]

WARM: Final = 40
"""Chunks until imports, prepared statements and the allocator's heaps are all there."""

CHUNKS: Final = 200
MOST_MIB: Final = 4.0
"""Up to 0.9 was seen.

A list of one row's bytes per record would be 22 MiB by then, an object per record far more.
"""


@pytest.fixture
def processes(settings: Settings, tmp_path: Path) -> Iterator[Fleet]:
    with fleet(settings, tmp_path) as started:
        yield started


def resident_mib(pid: int) -> float:
    """Memory of a process that is its own or shared, as it is now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"process {pid} has no memory")


@pytest.mark.timeout(300)
async def test_two_hundred_chunks_leave_a_worker_process_as_large_as_it_was(
    database: Database, processes: Fleet, tmp_path: Path
) -> None:
    """Its parent, which hands out the messages, too."""
    per_day = 200  # of each of three instruments
    await asyncio.to_thread(write_days, tmp_path / "first", WARM, per_day=per_day)
    await asyncio.to_thread(write_days, tmp_path / "rest", CHUNKS, first=WARM, per_day=per_day)
    processes.scheduler()
    worker = processes.worker(HDI_WORKER__MAX_TASKS_PER_CHILD="100000")

    await submit_files(database, tmp_path / "first")
    await job_ended(database, processes, timeout_s=60)
    [child] = await database.fetch("SELECT pid FROM ingest.workers WHERE role = 'worker'")
    before = [resident_mib(child["pid"]), resident_mib(worker.popen.pid)]

    await submit_files(database, tmp_path / "rest")
    await job_ended(database, processes, timeout_s=120)
    after = [resident_mib(child["pid"]), resident_mib(worker.popen.pid)]

    rows = await database.fetch("SELECT DISTINCT worker FROM ingest.attempts")
    assert [int(row["worker"].rpartition("/")[2]) for row in rows] == [child["pid"]]
    loaded = "SELECT count(*) FROM ingest.chunks WHERE state = 'completed'"
    assert await database.fetchval(loaded) == WARM + CHUNKS
    grown = [now - then for now, then in zip(after, before, strict=True)]
    assert max(grown) <= MOST_MIB, f"process, parent: {before} MiB before, {after} MiB after"
