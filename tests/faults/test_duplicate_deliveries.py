"""Redis hands a chunk out again, or a worker lives on another day: done once all the same."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ingestor.settings import Settings
from ingestor.simulator.server import Gateway
from ingestor.store import ledger
from ingestor.store.database import Database
from ingestor.vocabulary import Schema
from tests.acceptance.commands import submit
from tests.attempts import online, publish
from tests.faults.odd_worker import odd_worker
from tests.gateways import facing, gateway
from tests.halfway import lines
from tests.invariants import check_invariants
from tests.minute_bars import SCHEMA, record, write_days
from tests.processes import Fleet, Process, fleet, job_ended, until
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


async def attempts(database: Database) -> list[tuple[str, int]]:
    rows = await database.fetch(
        "SELECT outcome, count(*) FROM ingest.attempts GROUP BY 1 ORDER BY 1"
    )
    return [(row["outcome"], row["count"]) for row in rows]


# --- the same message, five times -----------------------------------------------------------------


async def test_a_chunk_delivered_five_times_at_once_is_claimed_by_one(
    service: Fleet, database: Database, tmp_path: Path
) -> None:
    """Each of twenty chunks is asked for by five processes in one instant; four find nothing.

    A lock on the table holds all five claims until the last has come. (SKIP LOCKED passes over
    locked rows, not over a locked table.)
    """
    expected = write_days(tmp_path / "dbn", 20)
    chunks = await record(database, tmp_path / "dbn")
    five = service.worker("five", concurrency=5, **LOUD)
    await online(database, service, 5)

    for done, chunk in enumerate(chunks):

        async def settled(done: int = done) -> bool:
            return (
                len(refused(five)) == 4 * (done + 1)
                and await attempts(database) == [("completed", done + 1)]
            )  # fmt: skip

        async with all_wait(database, service, 5):
            publish(service.settings, chunk, *range(5))
        await until("one has loaded it, four asked in vain", settled, timeout_s=30, fleet=service)
        assert len(set(refused(five)[-4:])) == 4

    await ledger.end_jobs(database)
    await check_invariants(database, expected={SCHEMA: expected}, fleet=service)


@asynccontextmanager
async def all_wait(database: Database, service: Fleet, claims: int) -> AsyncIterator[None]:
    """Within it claims wait; at its end so many do, and are let go together."""
    waiting = """SELECT count(*) FROM pg_locks
                 WHERE relation = 'ingest.chunks'::regclass AND NOT granted"""

    async def all_there() -> bool:
        return int(await database.fetchval(waiting)) == claims

    async with database.connection() as connection, connection.transaction():
        await connection.execute("LOCK TABLE ingest.chunks IN EXCLUSIVE MODE")
        yield
        await until(f"{claims} claims wait", all_there, timeout_s=9, fleet=service)


def refused(worker: Process) -> list[int]:
    """The process of every claim that found nothing."""
    return [line["pid"] for line in lines(worker) if line["event"] == "chunk not to be had"]


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
