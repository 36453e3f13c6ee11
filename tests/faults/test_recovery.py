"""How long a chunk waits whose worker was killed, with the scheduler's settings as they come."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest

from ingestor.settings import Settings
from ingestor.settings.sections import SchedulerSection
from ingestor.simulator.server import Gateway
from ingestor.store import steering
from ingestor.store.database import Database
from ingestor.vocabulary import Schema
from tests.acceptance.commands import submit
from tests.attempts import children, holder, online, outcomes, process_state, publish
from tests.day_files import submit_files, write_days
from tests.gateways import facing, gateway
from tests.invariants import check_invariants
from tests.processes import Fleet, Process, fleet, job_ended, until
from tests.values import served_so_far

__all__ = ["gateway"]
pytestmark = [
    pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults, pytest.mark.slow,
    pytest.mark.timeout(150),
]  # fmt: skip
LEASE_S: Final = 16.0
"""A moment longer than the reaper's pause: it looks just before the lease is over."""
PROMISED_S: Final = LEASE_S + 20
BACKLOG: Final = (
    "--dataset", "GLBX.MDP3", "--schema", "trades", "--symbols", "ESM4", "--chunk-days", 1,
    "--start", "2024-03-12", "--end", "2024-06-10",
)  # fmt: skip
_LONGEST: Final = """
SELECT extract(epoch FROM max(ended_at - started_at))::FLOAT8 FROM ingest.attempts
WHERE outcome LIKE 'completed%' AND chunk_id <> $1
"""


class Rescue:
    """A worker that is killed in the middle of a chunk, and another one of a single process."""

    def __init__(self, database: Database, started: Fleet) -> None:
        self.database = database
        self.fleet = started
        self.chunk = 0

    async def taken(self, folder: Path) -> tuple[Process, int]:
        """The worker that loads the folder's one file, and its child."""
        # A batch per record takes far longer than the test lets it.
        victim = self.fleet.worker("victim", HDI_STORE__BATCH_RECORDS="1")
        [self.chunk] = await submit_files(self.database, folder)
        publish(self.fleet.settings, self.chunk, 1)
        _, child = await holder(self.database, self.fleet)
        assert children(victim) == [child]
        return victim, child

    async def reaper_has_looked(self) -> None:
        """Once: the next time is in 15 s."""
        scheduler = self.fleet.scheduler()

        async def looked() -> bool:
            return "scheduler started" in scheduler.text()

        await until("the reaper has looked", looked, timeout_s=30, fleet=self.fleet)

    async def claimed_again(self) -> None:
        async def heir_has_it() -> bool:
            return await self.database.fetchval(
                "SELECT attempt = 2 FROM ingest.chunks WHERE chunk_id = $1", self.chunk
            )

        limit_s = PROMISED_S + 20
        await until("another has it", heir_has_it, timeout_s=limit_s, fleet=self.fleet)


async def kill(victim: Process, child: int, started: Fleet) -> float:
    """The main process alone, as the kernel does when memory runs out; its child ends with it."""
    os.kill(victim.popen.pid, signal.SIGKILL)
    killed = time.monotonic()

    async def gone() -> bool:
        return process_state(child) in ("", "Z")

    await until("the child has ended, too", gone, timeout_s=20, fleet=started)
    return killed


@pytest.fixture
def shipped(settings: Settings, gateway: Gateway) -> Settings:
    """The scheduler's settings as they come; a provider that takes a second for a chunk."""
    gateway.fault(kind="slow", delay_s=1, count=None, method="timeseries.get_range")
    lease = settings.lease.model_copy(update={"duration_s": LEASE_S, "heartbeat_s": 0.5})
    facts = facing(settings, gateway, read_timeout_s=20)
    return facts.model_copy(update={"lease": lease, "scheduler": SchedulerSection()})


async def test_a_killed_workers_chunk_completes_within_its_lease_and_twenty_seconds(
    database: Database, shipped: Settings, tmp_path: Path
) -> None:
    """At the worst moment: the reaper looks just before the lease is over, and next in 15 s."""
    expected = write_days(tmp_path / "dbn", 1, per_day=10_000)
    with fleet(shipped, tmp_path) as started:
        rescue = Rescue(database, started)
        victim, child = await rescue.taken(tmp_path / "dbn")
        started.worker("heir")
        await online(database, started, 2)
        await rescue.reaper_has_looked()
        assert await outcomes(database, rescue.chunk) == []
        killed = await kill(victim, child, started)
        await job_ended(database, started, timeout_s=PROMISED_S + 10)
        took = time.monotonic() - killed
        print(f"{took:.1f} s from SIGKILL to completion, lease {LEASE_S:g} s")
        assert await outcomes(database, rescue.chunk) == ["lost", "completed"]
        assert took <= PROMISED_S
        started.stop()
        await check_invariants(database, expected=expected, fleet=started)


async def test_a_killed_workers_chunk_goes_before_a_backlog_that_waits_for_the_same_process(
    database: Database, shipped: Settings, tmp_path: Path
) -> None:
    """The one process that is left ends the chunk it is at, and takes the lost one next."""
    expected = write_days(tmp_path / "dbn", 1, per_day=10_000)
    with fleet(shipped, tmp_path) as started:
        rescue = Rescue(database, started)
        victim, child = await rescue.taken(tmp_path / "dbn")
        backlog = await asyncio.to_thread(submit, shipped, *BACKLOG, "--json")
        assert backlog.code == 0, backlog.err
        started.worker("heir")
        await online(database, started, 2)
        await rescue.reaper_has_looked()
        assert await outcomes(database, rescue.chunk) == []
        killed = await kill(victim, child, started)
        await rescue.claimed_again()
        took = time.monotonic() - killed
        longest = await database.fetchval(_LONGEST, rescue.chunk)
        waiting = await database.fetchval("SELECT count(*) FROM ingest.chunks WHERE state='queued'")
        print(f"{took:.1f} s from SIGKILL to claim, {waiting} queued, chunks {longest:.1f} s")
        assert waiting >= SchedulerSection().window_per_slot - 1, "no backlog was left"
        assert took <= PROMISED_S + longest

        await steering.cancel(database, UUID(backlog.json["job_id"]))
        await job_ended(database, started, timeout_s=30)
        assert await outcomes(database, rescue.chunk) == ["lost", "completed"]
        started.stop()
        bought = await served_so_far(database, Schema.TRADES, "ESM4")
        done = {Schema.TRADES: expected[Schema.TRADES] + bought}
        await check_invariants(database, expected=done, fleet=started)
