"""Who is at work, what went wrong, and what keeps work from going on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from ingestor.store import chunk_rows, halts, insight_rows
from ingestor.store.chunk_rows import ChunkLine, Trouble
from ingestor.store.database import Database
from ingestor.store.halts import Halt
from ingestor.store.insight_rows import Presence, Worker
from ingestor.vocabulary import ChunkState


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that keeps work from going on, and what to do next."""

    what: str
    next: str

    def __str__(self) -> str:
        return f"{self.what}; {self.next}"


_READ_ONLY = Notice(
    "no chunk is claimed: the database is read-only",
    "name the primary in HDI_DATABASE_URL, or turn default_transaction_read_only off",
)


async def workers(database: Database) -> list[Worker]:
    """Worker processes and schedulers, with the chunk each one holds and its rows so far."""
    return await insight_rows.workers(database)


async def chunks(
    database: Database,
    job_id: UUID,
    *,
    states: Collection[ChunkState] = (),
    after: int = 0,
    limit: int = 10_000,
) -> list[ChunkLine]:
    """The chunks of a job with their receipts, in the order they were planned.

    Args:
        states: Only chunks in these; in all of them where none is named.
        after: Only chunks with a greater id: the last one of the page before.
    """
    wanted = states or tuple(ChunkState)
    return await chunk_rows.chunk_lines(database, job_id, wanted, after=after, limit=limit)


async def failures(database: Database, job_id: UUID, *, limit: int = 100) -> list[Trouble]:
    """Chunks that failed for good, latest first."""
    return await chunk_rows.troubles(database, job_id, [ChunkState.FAILED], limit=limit)


async def retries(database: Database, job_id: UUID, *, limit: int = 100) -> list[Trouble]:
    """Chunks whose last attempt failed and that will be tried again."""
    waiting = (ChunkState.RETRYING, ChunkState.QUEUED, ChunkState.IN_PROGRESS)
    return await chunk_rows.troubles(database, job_id, waiting, limit=limit)


async def presence_warnings(database: Database) -> tuple[Notice, ...]:
    """What keeps work from going on: no worker, no scheduler, a stopped line. As a rule empty."""
    if await halts.read_only(database):
        # Who is online cannot be written either.
        return (_READ_ONLY,)
    missing = notices(await insight_rows.presence(database))
    return missing + tuple(map(_stopped, await halts.standing(database)))


def _stopped(halt: Halt) -> Notice:
    since = halt.raised_at.strftime("%Y-%m-%d %H:%M:%S")
    tried = f"tried {halt.probes} times since, again in {halt.probe_in_s:.0f} s"
    return Notice(f"no chunk is claimed since {since} UTC: {halt.reason} ({tried})", halt.hint)


def notices(found: Presence) -> tuple[Notice, ...]:
    """What to tell of who is online."""
    told = []
    if not found.workers:
        told.append(Notice("0 workers online", "start one with `hdi worker`"))
    if not found.schedulers:
        silent = found.scheduler_silent_s
        what = "no scheduler online" if silent is None else f"no scheduler for {silent:.0f} s"
        told.append(Notice(what, "start one with `hdi scheduler`"))
    return tuple(told)
