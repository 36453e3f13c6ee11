"""What the ledger knows of jobs and processes, as frozen values; nothing here writes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ingestor.receipt import JobCounts
from ingestor.store.database import Database
from ingestor.store.presence import ONLINE_S
from ingestor.store.queries import queries
from ingestor.vocabulary import ChunkState, Dataset, JobState, Priority, Schema

_INSIGHTS = queries("insights")
_RECORDS = ("fetched", "stored", "quarantined", "already_stored", "flagged")


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job without its counts, unless it has ended.

    Attributes:
        chunk_count: As planned.
        elapsed_s: Since it was submitted, to its end or to now, by the database's clock.
        counts: What was frozen at its end; None while it is open.
        quoted_usd: What the provider said it costs; None where nothing is bought.
    """

    job_id: UUID
    name: str
    state: JobState
    source: str
    priority: Priority
    paused: bool
    cancelling: bool
    chunk_count: int
    created_at: dt.datetime
    finished_at: dt.datetime | None
    elapsed_s: float
    counts: JobCounts | None
    quoted_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """A job's counts while it is open, and how far it is.

    Attributes:
        expected: Records of all chunks, as the plan counted them.
        settled: Of those, records of chunks that have ended.
    """

    counts: JobCounts
    expected: int
    settled: int


@dataclass(frozen=True, slots=True)
class Work:
    """The chunk that a worker holds.

    Attributes:
        start: Index timestamp, nanoseconds since 1970; `end` is exclusive.
        rows: Records taken so far, as of the last heartbeat.
        expected: Records in all; None where the plan could not count them.
        busy_s: Since the chunk was claimed.
    """

    chunk_id: int
    job_id: UUID
    dataset: Dataset
    schema: Schema
    start: int
    end: int
    attempt: int
    rows: int
    expected: int | None
    busy_s: float


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process or scheduler.

    Attributes:
        role: ``worker`` or ``scheduler``.
        silent_s: Since it was last heard of; past `ONLINE_S` it is not online.
        work: What it holds; None where it waits.
    """

    name: str
    role: str
    host: str
    pid: int
    version: str
    up_s: float
    silent_s: float
    online: bool
    work: Work | None


@dataclass(frozen=True, slots=True)
class Presence:
    """Who is online.

    Attributes:
        scheduler_silent_s: Since any scheduler was last heard of; None where none is known.
    """

    workers: int
    schedulers: int
    scheduler_silent_s: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What metrics tell.

    Attributes:
        chunks: State → chunks of jobs that have not ended.
        dead_letters: Error code → letters that nobody has retried or discarded.
        leases_over: Leases that ran out and that nobody has taken back yet.
        online: Role (worker, scheduler) → processes heard of lately.
        halts: SQLSTATEs that stop the line.
    """

    chunks: Mapping[str, int]
    open_jobs: int
    paused_jobs: int
    dead_letters: Mapping[str, int]
    leases_over: int
    online: Mapping[str, int]
    halts: Mapping[str, int]


async def figures(database: Database) -> Figures:
    """All of it as of one moment."""
    row = await database.fetchrow(_INSIGHTS["figures"], ONLINE_S)
    assert row is not None
    return Figures(**row)


async def jobs(
    database: Database, *, limit: int, state: JobState | None = None, job_id: UUID | None = None
) -> list[JobRow]:
    """Jobs, newest first."""
    return [_job(row) for row in await database.fetch(_INSIGHTS["jobs"], job_id, state, limit)]


def _job(row: Mapping[str, Any]) -> JobRow:
    return JobRow(
        job_id=row["job_id"],
        name=row["name"],
        state=JobState(row["state"]),
        source=row["source"],
        priority=list(Priority)[row["priority"]],
        paused=row["paused"],
        cancelling=row["cancelling"],
        chunk_count=row["chunk_count"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
        elapsed_s=row["elapsed_s"],
        counts=_frozen(row["counts"]),
        quoted_usd=row["quoted_usd"],
    )


def _frozen(counts: Mapping[str, Any] | None) -> JobCounts | None:
    if counts is None:
        return None
    chunks = {ChunkState(state): number for state, number in counts["chunks"].items()}
    return JobCounts(chunks, **{name: counts["records"][name] for name in _RECORDS})


async def tally(database: Database, job_id: UUID) -> Tally:
    """Counts the job's chunks: 150–220 ms for a million of them."""
    rows = await database.fetch(_INSIGHTS["tallies"], job_id)
    chunks = {ChunkState(row["state"]): row["chunks"] for row in rows}
    counts = JobCounts(chunks, **{name: sum(row[name] for row in rows) for name in _RECORDS})
    settled = sum(row["expected"] for row in rows if ChunkState(row["state"]).final)
    return Tally(counts, sum(row["expected"] for row in rows), settled)


async def underway(database: Database, job_id: UUID) -> int:
    """Records that the job's chunks in progress have taken so far."""
    return int(await database.fetchval(_INSIGHTS["underway"], job_id))


async def named(database: Database, name: str, *, limit: int) -> list[tuple[UUID, str]]:
    """Jobs of exactly this name, newest first."""
    return _pairs(await database.fetch(_INSIGHTS["named"], name, limit))


async def prefixed(database: Database, digits: str, *, limit: int) -> list[tuple[UUID, str]]:
    """Jobs whose id, written without dashes, begins with `digits`."""
    return _pairs(await database.fetch(_INSIGHTS["prefixed"], digits, limit))


async def recent(database: Database, *, limit: int) -> list[tuple[UUID, str]]:
    """Id and name of the jobs submitted last."""
    return _pairs(await database.fetch(_INSIGHTS["recent"], limit))


def _pairs(rows: Iterable[Mapping[str, Any]]) -> list[tuple[UUID, str]]:
    return [(row["job_id"], row["name"]) for row in rows]


async def workers(database: Database) -> list[Worker]:
    """Worker processes, then schedulers, those that are away included."""
    return [_worker(row) for row in await database.fetch(_INSIGHTS["workers"], ONLINE_S)]


def _worker(row: Mapping[str, Any]) -> Worker:
    facts = ("role", "host", "pid", "version", "up_s", "silent_s", "online")
    return Worker(name=row["worker"], work=_work(row), **{name: row[name] for name in facts})


def _work(row: Mapping[str, Any]) -> Work | None:
    if row["chunk_id"] is None:
        return None
    return Work(
        chunk_id=row["chunk_id"],
        job_id=row["job_id"],
        dataset=Dataset(row["dataset"]),
        schema=Schema(row["schema"]),
        start=int(row["start_ns"]),
        end=int(row["end_ns"]),
        attempt=row["attempt"],
        rows=row["rows"],
        expected=row["expected"],
        busy_s=row["busy_s"],
    )


async def presence(database: Database) -> Presence:
    """Who is online, by the database's clock."""
    row = await database.fetchrow(_INSIGHTS["presence"], ONLINE_S)
    assert row is not None
    return Presence(row["workers"], row["schedulers"], row["scheduler_silent_s"])
