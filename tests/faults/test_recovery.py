"""How long a chunk waits whose worker was killed, with the scheduler's settings as they come."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from ingestor.settings import Settings
from ingestor.settings.sections import SchedulerSection
from ingestor.store.database import Database
from tests.attempts import children, holder, online, outcomes, process_state
from tests.day_files import submit_files, write_days
from tests.faults.test_frozen_workers import publish
from tests.invariants import check_invariants
from tests.processes import fleet, job_ended, until

pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]
LEASE_S = 3.0
PROMISED_S = LEASE_S + 20


@pytest.mark.slow
async def test_a_killed_workers_chunk_completes_within_its_lease_and_twenty_seconds(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """At the worst moment: the reaper looks just before the lease is over, and next in 15 s.

    The main process is killed alone, as the kernel does when memory runs out: its child, in the
    middle of a load, ends with it.
    """
    expected = write_days(tmp_path / "dbn", 1, per_day=10_000)
    lease = settings.lease.model_copy(update={"duration_s": LEASE_S, "heartbeat_s": 1})
    shipped = settings.model_copy(update={"lease": lease, "scheduler": SchedulerSection()})
    with fleet(shipped, tmp_path) as started:
        # A batch per record takes far longer than the test lets it.
        victim = started.worker("victim", HDI_STORE__BATCH_RECORDS="1")
        [chunk] = await submit_files(database, tmp_path / "dbn")
        publish(settings, chunk, 1)
        _, child = await holder(database, started)
        assert children(victim) == [child]
        started.worker("heir")
        await online(database, started, 2)
        scheduler = started.scheduler()

        async def looked() -> bool:
            return "scheduler started" in scheduler.text()

        await until("the reaper has looked once", looked, timeout_s=30, fleet=started)
        assert await outcomes(database, chunk) == []
        os.kill(victim.popen.pid, signal.SIGKILL)
        killed = time.monotonic()

        async def gone() -> bool:
            return process_state(child) in ("", "Z")

        await until("the child has ended, too", gone, timeout_s=5, fleet=started)
        await job_ended(database, started, timeout_s=PROMISED_S + 10)
        took = time.monotonic() - killed
        print(f"{took:.1f} s from SIGKILL to completion, lease {LEASE_S:g} s")
        assert await outcomes(database, chunk) == ["lost", "completed"]
        assert took <= PROMISED_S
        started.stop()
        await check_invariants(database, expected=expected, fleet=started)
