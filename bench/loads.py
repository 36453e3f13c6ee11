"""The load itself, in this process, as a worker does it: submit, claim, all the rooms, receipt."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from servers import Place

from ingestor.job import Claim, JobPlan
from ingestor.origins import open_sources
from ingestor.pipeline import run_chunk
from ingestor.receipt import Receipt
from ingestor.settings import Settings
from ingestor.store import ledger
from ingestor.store.database import Database

WORKER = "hdi@bench/1"
_PATIENCE_S = 20.0
# Rows of hypertables live in tables of TimescaleDB's own.
_ROW_STATS = """
SELECT coalesce(sum(n_dead_tup), 0)::BIGINT AS dead, coalesce(sum(n_tup_upd), 0)::BIGINT AS updated
FROM pg_stat_all_tables
WHERE relname = 'trades_data'
   OR (schemaname = '_timescaledb_internal' AND relname LIKE '\\_hyper\\_%')"""
_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_FINGERPRINT = """
SELECT count(*) AS rows, sum(price) AS price, sum(size) AS size, sum(sequence) AS sequence,
    sum(ordinal) AS ordinal, sum(ts_event_ns) AS ts_event_ns, sum(ts_recv_ns) AS ts_recv_ns,
    sum(flags) AS flags, sum(ts_in_delta) AS ts_in_delta, sum(instrument_id) AS instrument_id,
    sum(extract(epoch FROM ts_event)) AS ts_event, sum(extract(epoch FROM ts_recv)) AS ts_recv,
    count(*) FILTER (WHERE action = 'T') AS trades, count(*) FILTER (WHERE side = 'A') AS asks
FROM trades_data"""
_OF_DAY = f"{_FINGERPRINT} WHERE ts_event >= $1 AND ts_event < $2"
_CHUNK = "SELECT chunk_id FROM ingest.chunks WHERE job_id = $1"


@dataclass(frozen=True, slots=True)
class Loaded:
    """One load.

    Attributes:
        wall_s: From the submission's transaction to the receipt's commit.
        own_cpu_s: Processor time of this process in it; the server's is not in it.
    """

    receipt: Receipt
    wall_s: float
    own_cpu_s: float


@dataclass(frozen=True, slots=True)
class RowStats:
    """Rows of all record tables that PostgreSQL counts as dead, and as updated so far."""

    dead: int
    updated: int


def load(place: Place, job: JobPlan, **changed: Any) -> Loaded:
    """Loads the only chunk of `job`; the pool is open already, as a worker's is.

    Args:
        changed: Settings that are not as usual.
    """
    settings = place.settings().model_copy(update=changed)
    return asyncio.run(_load(place, job, settings))


async def _load(place: Place, job: JobPlan, settings: Settings) -> Loaded:
    async with place.open() as database:
        started, cpu = time.perf_counter(), time.process_time()
        receipt = await run_chunk(
            database,
            await submitted(database, job, settings),
            settings,
            open_sources(settings),
            worker=WORKER,
        )
        ended, cpu_ended = time.perf_counter(), time.process_time()
    return Loaded(receipt, ended - started, cpu_ended - cpu)


async def submitted(database: Database, job: JobPlan, settings: Settings) -> Claim:
    """Records a job of one chunk and claims that chunk."""
    accepted = await ledger.submit(database, job, max_attempts=1)
    chunk_id = await database.fetchval(_CHUNK, accepted.job_id)
    claim = await ledger.claim(
        database, chunk_id, worker=WORKER, lease_s=settings.lease.duration_s, max_lost=1
    )
    assert claim is not None
    return claim


def row_stats(place: Place) -> RowStats:
    return asyncio.run(_row_stats(place))


async def _row_stats(place: Place) -> RowStats:
    async with place.open() as database:
        # A session's counts are complete once it has ended.
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            if not await database.fetchval(_OTHERS):
                break
            await asyncio.sleep(0.05)
        else:
            raise RuntimeError("other sessions go on: their rows are not counted yet")
        row = await database.fetchrow(_ROW_STATS)
    assert row is not None
    return RowStats(row["dead"], row["updated"])


def fingerprint(place: Place, day: int | None = None) -> Mapping[str, object]:
    """Count and sums of the stored trades: equal for ways that stored the same rows.

    Args:
        day: The day of ts_event they are of, UTC nanoseconds at midnight; None for all.
    """
    return asyncio.run(_fingerprint(place, day))


async def _fingerprint(place: Place, day: int | None) -> Mapping[str, object]:
    async with place.open() as database:
        if day is None:
            row = await database.fetchrow(_FINGERPRINT)
        else:
            start = dt.datetime.fromtimestamp(day // 10**9, dt.UTC)
            row = await database.fetchrow(_OF_DAY, start, start + dt.timedelta(days=1))
    assert row is not None
    return dict(row)
