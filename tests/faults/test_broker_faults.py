"""Redis dies, forgets or fills up: the ledger knows what is to be done; it is done."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from ingestor.broker import Broker
from ingestor.store import dispatch
from ingestor.store.database import Database
from ingestor.vocabulary import Priority
from tests.acceptance.commands import submit
from tests.attempts import online
from tests.brokers import OwnRedis, broker, running_redis, service
from tests.invariants import check_invariants
from tests.minute_bars import FIRST, SCHEMA, record, write_days
from tests.processes import Fleet, Process, job_ended, until

__all__ = ["broker", "running_redis", "service"]
pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]


async def some_done(database: Database, service: Fleet, count: int) -> None:
    async def done() -> bool:
        found = "SELECT count(*) FROM ingest.chunks WHERE state = 'completed'"
        return int(await database.fetchval(found)) >= count

    await until(f"{count} chunks are completed", done, timeout_s=60, fleet=service)


def loads(worker: Process) -> int:
    """Chunks that a worker has loaded."""
    return worker.text().count('"chunk loaded"')


def connected(worker: Process) -> int:
    """How often a worker has found Redis."""
    return worker.text().count("Connected to redis")


# --- a message that nobody holds any more ---------------------------------------------------------


async def test_a_message_that_died_with_its_worker_before_it_was_noted_is_sent_again(
    broker: OwnRedis, service: Fleet, database: Database, tmp_path: Path
) -> None:
    """Redis hands it to a frozen worker's socket: it is on no queue and not unacknowledged."""
    expected = write_days(tmp_path / "dbn", 1)
    [chunk_id] = await record(database, tmp_path / "dbn")
    assert await dispatch.enqueue(database, window=1, retry_grace_s=1)
    idle = service.worker("idle")
    publisher = Broker(service.settings)

    async def gone_with_it() -> bool:
        """A worker asks for a second at a time: it must be frozen while Redis owes it an answer."""
        idle.signal_all(signal.SIGSTOP)
        if blocked(broker):
            publisher.publish([(chunk_id, 1, Priority.NORMAL)])
            if not broker.waiting():
                return True
            with broker.client() as client:
                client.delete("hdi.normal")
        idle.signal_all(signal.SIGCONT)
        return False

    await online(database, service, 1)
    await until("the message is on its way", gone_with_it, timeout_s=60, fleet=service)
    publisher.close()
    assert (broker.waiting(), broker.unacknowledged()) == (0, 0)
    idle.stop()
    assert await database.fetchval("SELECT state FROM ingest.chunks") == "queued"

    scheduler = service.scheduler()
    service.worker("heir")
    await job_ended(database, service, timeout_s=60)

    assert "messages lost, chunks queued again" in scheduler.text()
    assert await database.fetchval("SELECT dispatch_count FROM ingest.chunks") == 2
    await check_invariants(database, expected={SCHEMA: expected}, fleet=service)


def blocked(broker: OwnRedis) -> bool:
    """Whether a worker has asked for a message and was not answered."""
    with broker.client() as client:
        return any("b" in each["flags"] for each in client.client_list())


# --- Redis dies -----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_workers_go_on_by_themselves_whenever_redis_was_killed_and_came_back(
    broker: OwnRedis, service: Fleet, database: Database, tmp_path: Path
) -> None:
    """Three times in the middle of a job, for none, half of and three seconds, and once idle.

    After each, both workers take part again; what was under way is neither lost nor done twice.
    """
    expected = write_days(tmp_path / "long", 900)
    await record(database, tmp_path / "long")
    service.scheduler()
    both = [service.worker("one"), service.worker("two", concurrency=2)]
    await some_done(database, service, 5)
    for away_s in (0, 0.5, 3):
        assert broker.server.kill() == 1
        await asyncio.sleep(away_s)
        broker.server.start()
        before = [loads(each) for each in both]

        async def each_goes_on(before: list[int] = before) -> bool:
            return all(loads(worker) > n for worker, n in zip(both, before, strict=True))

        await until("both load again", each_goes_on, timeout_s=60, fleet=service)
    assert await database.fetchval("SELECT count(*) FROM ingest.jobs WHERE finished_at IS NULL")
    await job_ended(database, service, timeout_s=120)

    expected += write_days(tmp_path / "next", 200, first=FIRST + 2_000)
    known = [connected(each) for each in both]
    assert broker.server.kill() == 1
    broker.server.start()

    async def each_is_back() -> bool:
        return all(connected(worker) > n for worker, n in zip(both, known, strict=True))

    await until("both are connected again", each_is_back, timeout_s=60, fleet=service)
    before = [loads(each) for each in both]
    await record(database, tmp_path / "next")
    await job_ended(database, service, timeout_s=60)

    assert all(loads(worker) > n for worker, n in zip(both, before, strict=True))
    outcomes = await database.fetch("SELECT outcome, count(*) FROM ingest.attempts GROUP BY 1")
    assert [tuple(row) for row in outcomes] == [("completed", 1_100)]
    await check_invariants(database, expected={SCHEMA: expected}, fleet=service)


# --- Redis is full --------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_with_redis_full_a_job_is_kept_and_goes_on_once_there_is_room(
    broker: OwnRedis, service: Fleet, database: Database, tmp_path: Path
) -> None:
    """`noeviction` refuses messages: the command says so; workers and scheduler live on.

    Messages that had got in before are taken out all the same, though none can be noted as taken.
    """
    expected = write_days(tmp_path / "before", 30)
    ids = await record(database, tmp_path / "before")
    wide = {"HDI_SCHEDULER__WINDOW_MIN": "100"}
    publisher = Broker(service.settings)
    publisher.publish([(chunk_id, 1, Priority.NORMAL) for chunk_id in ids])
    publisher.close()
    await dispatch.enqueue(database, window=100, retry_grace_s=1)
    processes = [service.scheduler(**wide), service.worker("one"), service.worker("two")]
    await some_done(database, service, 2)
    broker.fill()

    expected += write_days(tmp_path / "full", 5, first=FIRST + 2_000)
    said = await asyncio.to_thread(submit, service.settings, "--path", tmp_path / "full", "--quiet")
    assert said.code == 6, said
    assert "is accepted, not queued yet: Redis at 127.0.0.1:" in said.errors[0], said.err
    assert "is full (maxmemory)" in said.errors[0], said.err

    async def told() -> bool:
        return "is full" in processes[0].text()

    await until("the scheduler says so", told, timeout_s=30, fleet=service)
    late = service.worker("late")  # it cannot even say that it is there
    await online(database, service, 3)
    broker.make_room()
    await job_ended(database, service, timeout_s=90)

    assert [each.popen.poll() for each in (*processes, late)] == [None] * 4, service.logs_text()
    await check_invariants(database, expected={SCHEMA: expected}, fleet=service)


# --- Redis may forget -----------------------------------------------------------------------------


async def test_a_worker_refuses_to_start_on_a_redis_that_may_drop_its_queue(
    broker: OwnRedis, service: Fleet
) -> None:
    """It names the setting and the value it must have."""
    with broker.client() as client:
        before = client.config_get("maxmemory-policy")["maxmemory-policy"]
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            worker = service.worker()
            code = await asyncio.to_thread(worker.wait, 45)
        finally:
            client.config_set("maxmemory-policy", before)
    assert code == 2, worker.text()
    assert "maxmemory-policy allkeys-lru" in worker.text()
    assert "set maxmemory-policy noeviction" in worker.text()
    assert "Traceback" not in worker.text()
