"""Many loads at once on the same days: nobody waits for ever, every row is there once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from ingestor.settings import Settings
from ingestor.simulator.market import DAY, INSTRUMENTS, MONDAY, make_trades, mappings
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Ask
from ingestor.store import ledger
from ingestor.store.database import Database
from ingestor.vocabulary import Priority, Schema
from tests.invariants import check_invariants
from tests.loads import write
from tests.processes import Fleet, fleet, job_ended
from tests.values import Row, wire_rows

pytestmark = [
    pytest.mark.faults, pytest.mark.slow, pytest.mark.timescaledb, pytest.mark.redis,
    pytest.mark.timeout(240),
]  # fmt: skip

LOADERS = 8
_RECEIPTS = """
SELECT sum((receipt->>'fetched')::INTEGER) AS fetched, sum((receipt->>'stored')::INTEGER) AS stored,
       sum((receipt->>'already_stored')::INTEGER) AS already_stored FROM ingest.chunks
"""
_AT_ONCE = """
SELECT max(others) FROM (
    SELECT (SELECT count(*) FROM ingest.attempts b
            WHERE b.started_at <= a.started_at AND b.ended_at > a.started_at) AS others
    FROM ingest.attempts a) AS counted
"""


@pytest.fixture
def loaders(settings: Settings, tmp_path: Path) -> Iterator[Fleet]:
    """A scheduler, and one worker of eight processes; on two cores they take their time."""
    patient = settings.lease.model_copy(update={"duration_s": 30})
    with fleet(settings.model_copy(update={"lease": patient}), tmp_path) as started:
        started.scheduler()
        started.worker("w", concurrency=LOADERS)
        yield started


async def submit(database: Database, path: Path, **ask: Any) -> None:
    plan = DbnFiles().plan(Ask(uuid4().hex, Priority.NORMAL, path=path, **ask))
    await ledger.submit(database, plan, max_attempts=5)


def write_span(path: Path, records: np.ndarray, first: int, past: int) -> Path:
    """The trades of [first, past) days from Monday, as a delivery of these days holds them."""
    start, end = MONDAY + first * DAY, MONDAY + past * DAY
    inside = (records["ts_recv"] >= start) & (records["ts_recv"] < end)
    return write(
        path, records[inside], start=start, end=end,
        symbols=[each.symbol for each in INSTRUMENTS], mappings=mappings(INSTRUMENTS, start, end),
    )  # fmt: skip


async def nobody_was_in_the_way(database: Database) -> None:
    """Not one deadlock, not one attempt that was broken off."""
    outcomes = await database.fetch("SELECT outcome, count(*) FROM ingest.attempts GROUP BY 1")
    assert {row["outcome"] for row in outcomes} <= {"completed", "completed_empty"}
    assert not await database.fetchval(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )


async def test_eight_processes_on_fifty_fresh_days_do_not_deadlock(
    database: Database, loaders: Fleet, tmp_path: Path
) -> None:
    """All need every day's hypertable chunk, and none of these is there yet."""
    days = 70
    expected: Counter[Row] = Counter()
    for number in range(LOADERS):
        records = make_trades(600, seed=number, days=days)
        records["sequence"] = number
        expected += wire_rows(Schema.TRADES, records)
        await submit(database, write_span(tmp_path / f"{number}.dbn.zst", records, 0, days))
    await job_ended(database, loaders, timeout_s=120)
    await check_invariants(database, expected={Schema.TRADES: expected}, fleet=loaders)
    await nobody_was_in_the_way(database)
    assert await database.fetchval("SELECT count(DISTINCT worker) FROM ingest.attempts") == LOADERS
    made = "SELECT count(*) FROM timescaledb_information.chunks WHERE hypertable_name = $1"
    assert await database.fetchval(made, "trades_data") >= 50


async def test_jobs_that_overlap_store_their_union_once(
    database: Database, loaders: Fleet, tmp_path: Path
) -> None:
    """Single days, one file of some of them and one of all, loaded at the same time."""
    days = 14
    records = make_trades(6_000, seed=5, days=days)
    whole = write_span(tmp_path / "whole.dbn.zst", records, 0, days)
    middle = write_span(tmp_path / "middle.dbn.zst", records, 2, 11)
    for day in range(9):
        write_span(tmp_path / "days" / f"{day}.dbn.zst", records, day, day + 1)
    await submit(database, whole, chunk_days=3)
    await submit(database, tmp_path / "days")
    await submit(database, middle, chunk_days=1)
    await submit(database, write_span(tmp_path / "again" / "whole.dbn", records, 0, days))
    await job_ended(database, loaders, timeout_s=120)
    expected = wire_rows(Schema.TRADES, records)
    await check_invariants(database, expected={Schema.TRADES: expected}, fleet=loaders)
    await nobody_was_in_the_way(database)
    sums = await database.fetchrow(_RECEIPTS)
    assert sums is not None
    assert sums["stored"] == expected.total()
    assert sums["fetched"] == sums["stored"] + sums["already_stored"] > 3 * expected.total()
    assert await database.fetchval(_AT_ONCE) > 2
