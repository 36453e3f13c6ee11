"""Jobs and their counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from ingestor.errors import UnknownJob
from ingestor.insights.counts import tally
from ingestor.receipt import JobCounts
from ingestor.store import insight_rows
from ingestor.store.database import Database
from ingestor.store.insight_rows import JobRow
from ingestor.vocabulary import ChunkState, JobState, Priority

_RECORDS = ("fetched", "stored", "quarantined", "already_stored", "flagged")


@dataclass(frozen=True, slots=True)
class JobStatus:
    """One job, counted.

    Attributes:
        chunks: Number of chunks in every state, zeros included.
        records: fetched, stored, quarantined, already_stored, flagged: sums of the receipts.
        quoted_usd: What the provider said it would cost; 0 where nobody bills.
        spent_usd: What it did cost; None where a provider bills and does not tell.
        elapsed_s: Since it was submitted, to its end or to now.
    """

    job_id: UUID
    name: str
    state: JobState
    chunks: Mapping[ChunkState, int]
    records: Mapping[str, int]
    elapsed_s: float
    quoted_usd: float = 0.0
    spent_usd: float | None = 0.0

    @property
    def total(self) -> int:
        return sum(self.chunks.values())

    @property
    def final(self) -> bool:
        return self.state.final

    @property
    def ended_chunks(self) -> int:
        return sum(count for state, count in self.chunks.items() if state.final)

    def as_json(self) -> dict[str, Any]:
        """The object of `docs/reference/status.schema.json`."""
        return {
            "schema_version": 1,
            "job_id": str(self.job_id),
            "name": self.name,
            "state": str(self.state),
            "chunks": {"total": self.total, **{str(k): n for k, n in self.chunks.items()}},
            "records": dict(self.records),
            "cost_usd": {"quoted": self.quoted_usd, "spent": self.spent_usd},
            "elapsed_s": round(self.elapsed_s, 3),
        }


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job in a list of jobs."""

    status: JobStatus
    source: str
    priority: Priority
    paused: bool
    cancelling: bool
    created_at: dt.datetime
    finished_at: dt.datetime | None

    def as_json(self) -> dict[str, Any]:
        facts = asdict(self) | {"priority": str(self.priority)}
        return {**self.status.as_json(), **{k: v for k, v in facts.items() if k != "status"}}


async def job_status(database: Database, job_id: UUID) -> JobStatus:
    """The job and its counts, those of an open job at most `CACHE_S` old.

    Raises:
        UnknownJob: There is no such job.
    """
    row = await job_row(database, job_id)
    counts = (await tally(database, job_id)).counts if row.counts is None else row.counts
    return status_of(row, counts)


async def jobs(
    database: Database, *, limit: int = 20, state: JobState | None = None
) -> list[JobLine]:
    """Jobs, newest first."""
    rows = await insight_rows.jobs(database, limit=limit, state=state)
    return [await _line(database, row) for row in rows]


async def _line(database: Database, row: JobRow) -> JobLine:
    counts = (await tally(database, row.job_id)).counts if row.counts is None else row.counts
    return JobLine(
        status_of(row, counts), row.source, row.priority, row.paused, row.cancelling,
        row.created_at, row.finished_at,
    )  # fmt: skip


async def job_row(database: Database, job_id: UUID) -> JobRow:
    """The job as the ledger has it.

    Raises:
        UnknownJob: There is no such job.
    """
    found = await insight_rows.jobs(database, limit=1, job_id=job_id)
    if not found:
        raise UnknownJob(f"no job has the id {job_id}", hint="`hdi jobs` lists them")
    return found[0]


def status_of(row: JobRow, counts: JobCounts) -> JobStatus:
    """A job and its counts, every state of a chunk named."""
    return JobStatus(
        job_id=row.job_id,
        name=row.name,
        state=row.state,
        chunks={state: counts.chunks.get(state, 0) for state in ChunkState},
        records={name: getattr(counts, name) for name in _RECORDS},
        elapsed_s=row.elapsed_s,
        quoted_usd=row.quoted_usd or 0.0,
        spent_usd=0.0 if row.quoted_usd is None else None,
    )
