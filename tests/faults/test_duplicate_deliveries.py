"""Redis hands a chunk out again, or a worker lives on another day: done once all the same."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from ingestor.broker import Broker
from ingestor.settings import Settings
from ingestor.simulator.server import Gateway
from ingestor.store import ledger
from ingestor.store.database import Database
from ingestor.vocabulary import Priority, Schema
from tests.acceptance.commands import submit
from tests.faults.odd_worker import odd_worker
from tests.gateways import facing, gateway
from tests.invariants import check_invariants
from tests.minute_bars import SCHEMA, record, write_days
from tests.processes import Fleet, fleet, job_ended, until
from tests.values import served

__all__ = ["gateway"]
pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]
A_DAY = 86_400
LOUD = {"HDI_LOG_LEVEL": "DEBUG"}


@pytest.fixture
def service(settings: Settings, tmp_path: Path) -> Iterator[Fleet]:
    with fleet(settings, tmp_path) as made:
        yield made


async def held(database: Database, service: Fleet) -> str:
    """The worker that holds the one chunk that is held, once one does."""

    async def somebody() -> bool:
        return bool(await database.fetchval("SELECT EXISTS (SELECT 1 FROM ingest.leases)"))

    await until("a worker holds the chunk", somebody, timeout_s=60, fleet=service)
    return str(await database.fetchval("SELECT worker FROM ingest.leases"))


async def online(database: Database, service: Fleet, count: int) -> None:
    async def all_of_them() -> bool:
        found = "SELECT count(*) FROM ingest.workers WHERE role = 'worker'"
        return int(await database.fetchval(found)) >= count

    await until(f"{count} workers are online", all_of_them, timeout_s=60, fleet=service)


async def attempts(database: Database) -> list[tuple[str, int]]:
    rows = await database.fetch(
        "SELECT outcome, count(*) FROM ingest.attempts GROUP BY 1 ORDER BY 1"
    )
    return [(row["outcome"], row["count"]) for row in rows]


# --- the same message, five times -----------------------------------------------------------------


async def test_a_chunk_delivered_five_times_at_once_is_claimed_by_one(
    service: Fleet, database: Database, tmp_path: Path
) -> None:
    """Five processes ask for each of twenty chunks; four of them find nothing."""
    expected = write_days(tmp_path / "dbn", 20)
    ids = await record(database, tmp_path / "dbn")
    service.worker("five", concurrency=5)
    await online(database, service, 5)
    broker = Broker(service.settings)
    broker.publish([(each, n, Priority.NORMAL) for each in ids for n in range(5)])

    async def all_done() -> bool:
        with redis.Redis.from_url(service.settings.redis_dsn()) as client:
            left = client.llen("hdi.normal") + client.hlen("unacked")
        return not left

    await until("every message is done with", all_done, timeout_s=60, fleet=service)
    broker.close()
    assert await attempts(database) == [("completed", 20)]
    await ledger.end_jobs(database)
    await check_invariants(database, expected={SCHEMA: expected}, fleet=service)


# --- a message that comes back while its chunk is under way ---------------------------------------


SLOWLY = {"patience_s": 2.0, "read_timeout_s": 20.0}
DAYS = ("--start", "2024-03-11", "--end", "2024-03-14")
NOT_OURS = '"chunk not to be had"'


@pytest.fixture
def buying(settings: Settings, gateway: Gateway, tmp_path: Path) -> Iterator[Fleet]:
    """Processes that wait for a slow provider; they say when a claim found nothing."""
    with fleet(facing(settings, gateway, **SLOWLY), tmp_path) as made:
        yield made


async def buy(buying: Fleet, *days: str) -> None:
    request = ("--dataset", "GLBX.MDP3", "--schema", "trades", "--symbols", "ESM4", *days)
    said = await asyncio.to_thread(submit, buying.settings, *request)
    assert said.code == 0, said


@pytest.mark.slow
async def test_a_chunk_that_outlasts_the_visibility_timeout_is_loaded_once(
    buying: Fleet, gateway: Gateway, database: Database
) -> None:
    """Its message comes back every second, to another worker too: its claim finds nothing."""
    gateway.fault(kind="slow", delay_s=8)
    buying.worker("slow")
    await online(database, buying, 1)
    await buy(buying, "--start", "2024-03-11", "--end", "2024-03-12")
    owner = await held(database, buying)
    impatient = odd_worker(buying, "impatient", LOUD, visibility=1)
    buying.scheduler()
    await job_ended(database, buying, timeout_s=90)

    assert await attempts(database) == [("completed", 1)]
    assert await database.fetchval("SELECT worker FROM ingest.attempts") == owner
    assert NOT_OURS in impatient.text(), "its message never came back"
    expected = served(Schema.TRADES, "2024-03-11", "2024-03-12", "ESM4")
    await check_invariants(database, expected={Schema.TRADES: expected}, fleet=buying)


# --- clocks that disagree -------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_workers_whose_clocks_are_a_day_off_keep_their_leases_and_retries(
    buying: Fleet, gateway: Gateway, database: Database
) -> None:
    """One is a day ahead, one a day behind: leases and waits go by the database's clock.

    The one ahead also thinks that every message under way was forgotten, and takes it again. Each
    chunk fails once in passing, so that its retry is due on another day, and is then asked for by a
    call that is longer than a lease.
    """
    workers = [odd_worker(buying, "ahead", LOUD, clock=A_DAY)]
    workers += [odd_worker(buying, "behind", LOUD, clock=-A_DAY)]
    buying.scheduler()
    await online(database, buying, 2)
    for day in ("2024-03-11", "2024-03-12", "2024-03-13"):
        gateway.fault(kind="cut_records", records=3, match={"start": day})
        gateway.fault(kind="slow", delay_s=5, skip=1, match={"start": day})
    await buy(buying, *DAYS)
    await job_ended(database, buying, timeout_s=90)

    assert gateway.waiting_faults() == []
    assert await attempts(database) == [("completed", 3), ("retrying", 3)]
    assert await database.fetchval("SELECT sum(lost_count) FROM ingest.chunks") == 0
    today = dt.datetime.now(dt.UTC).date()
    for worker, apart in zip(workers, (1, -1), strict=True):
        assert f"it is {today + dt.timedelta(days=apart)}" in worker.text(), "its clock was not off"
    expected = served(Schema.TRADES, "2024-03-11", "2024-03-14", "ESM4")
    await check_invariants(database, expected={Schema.TRADES: expected}, fleet=buying)
