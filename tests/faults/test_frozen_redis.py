"""Redis accepts connections and answers none: nobody waits for it for ever, nothing is lost."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

import pytest

from ingestor.store.database import Database
from tests.acceptance.commands import submit
from tests.attempts import LONG_LEASE, frozen, holder, thaw
from tests.brokers import OwnRedis, broker, running_redis, service
from tests.faults.odd_worker import odd_worker
from tests.invariants import check_invariants
from tests.minute_bars import SCHEMA, record, write_days
from tests.processes import Fleet, Process, job_ended, until

__all__ = ["broker", "running_redis", "service"]
pytestmark = [
    pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults, pytest.mark.slow,
]  # fmt: skip
GAVE_UP: Final = "cannot be reached: TimeoutError"
SHIPPED_S: Final = 30
"""No answer of Redis is waited for longer."""
FROZEN_S: Final = 90
"""A minute longer than anybody waits."""


async def at_its_commit(database: Database, service: Fleet) -> int:
    """The process of the worker that stands before the commit of a chunk."""
    _, child = await holder(database, service)
    await frozen(child, service)
    return child


@pytest.mark.timeout(240)
async def test_a_redis_frozen_longer_than_anybody_waits_stops_nobody_for_good(
    broker: OwnRedis, service: Fleet, database: Database, tmp_path: Path
) -> None:
    """A chunk that ends meanwhile is not acknowledged.

    Counted as under way for ever, it would keep the worker from asking for another one. The
    worker here gives up on an answer after 2 s; what is shipped is tested below.
    """
    expected = write_days(tmp_path / "dbn", 20)
    await record(database, tmp_path / "dbn")
    arm = tmp_path / "failpoint"
    arm.write_text("before_commit:stop")
    scheduler = service.scheduler(**LONG_LEASE)
    worker = odd_worker(service, "w", patience=2, env={"HDI_FAILPOINT": f"@{arm}", **LONG_LEASE})
    child = await at_its_commit(database, service)
    arm.write_text("")
    broker.server.freeze()
    thaw(child)

    async def noticed() -> bool:
        return GAVE_UP in scheduler.text() and "Couldn't ack" in worker.text()

    await until("everybody has noticed", noticed, timeout_s=60, fleet=service)
    assert worker.text().count('"chunk loaded"') == 1
    broker.server.thaw()
    await job_ended(database, service, timeout_s=90)

    assert [each.popen.poll() for each in (scheduler, worker)] == [None, None]
    await check_invariants(database, expected={SCHEMA: expected}, fleet=service)


@pytest.mark.timeout(240)
async def test_with_the_timeouts_that_are_shipped_all_go_on_once_redis_is_thawed(
    broker: OwnRedis, service: Fleet, database: Database, tmp_path: Path
) -> None:
    """Frozen for 90 s, of which nobody waits longer than 30; a chunk is committed meanwhile.

    A command that submits meanwhile says that the job is kept. Once Redis answers again, all is
    done within 30 s.
    """
    expected = write_days(tmp_path / "dbn", 20)
    await record(database, tmp_path / "dbn")
    arm = tmp_path / "failpoint"
    arm.write_text("before_commit:stop")
    scheduler = service.scheduler()
    worker = service.worker(HDI_FAILPOINT=f"@{arm}", **LONG_LEASE)
    child = await at_its_commit(database, service)
    arm.write_text("")
    broker.server.freeze()
    began = time.monotonic()
    thaw(child)
    said = await asyncio.to_thread(submit, service.settings, "--path", tmp_path / "dbn", "--quiet")
    assert said.code == 6, said
    assert GAVE_UP in said.err

    async def over() -> bool:
        waited = time.monotonic() - began
        return GAVE_UP in scheduler.text() and waited > FROZEN_S

    await until("it was frozen for long, and noticed", over, timeout_s=FROZEN_S + 15, fleet=service)
    assert await database.fetchval("SELECT count(*) FROM ingest.chunks WHERE receipt NOTNULL") >= 1
    broker.server.thaw()
    await job_ended(database, service, timeout_s=SHIPPED_S)

    assert ended_none(scheduler, worker), service.logs_text()
    await check_invariants(database, expected={SCHEMA: expected}, fleet=service)


def ended_none(*processes: Process) -> bool:
    return [each.popen.poll() for each in processes] == [None] * len(processes)
