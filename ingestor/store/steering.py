"""What an operator does to a job: cancel, pause, resume, retry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from ingestor.errors import JobBusy
from ingestor.store.database import Database
from ingestor.store.ledger import end_job
from ingestor.store.queries import queries
from ingestor.vocabulary import ChunkState

_JOBS = queries("jobs")


@dataclass(frozen=True, slots=True)
class Turn:
    """What a command found when it changed a job's course.

    Attributes:
        changed: False where the job was so already, or has ended.
        waiting: Open chunks that no worker has.
        in_progress: Chunks that a worker has.
    """

    changed: bool
    waiting: int
    in_progress: int


async def cancel(database: Database, job_id: UUID) -> tuple[int, int]:
    """Cancels a job: (chunks cancelled, chunks that are being committed and will complete).

    Raises nothing where the job had ended: (0, 0).
    """
    async with database.connection() as connection, connection.transaction():
        if await connection.fetchval(_JOBS["request_cancel"], job_id) is None:
            return 0, 0
        cancelled = await connection.fetchval(_JOBS["cancel_chunks"], job_id)
        left = await connection.fetchval(_JOBS["open_chunks"], job_id)
    await end_job(database, job_id)
    return cancelled, left


async def finish_cancels(database: Database) -> dict[UUID, int]:
    """Cancels what earlier cancels left because somebody held the row: chunks of each job."""
    jobs = [row["job_id"] for row in await database.fetch(_JOBS["half_cancelled"])]
    return {
        job_id: await database.fetchval(_JOBS["cancel_chunks"], job_id) for job_id in sorted(jobs)
    }


async def pause(database: Database, job_id: UUID) -> Turn:
    """Keeps a job's chunks from being claimed; those in progress complete."""
    async with database.connection() as connection, connection.transaction():
        changed = await connection.fetchval(_JOBS["pause"], job_id) is not None
        await connection.execute(_JOBS["unqueue"], job_id)
        return Turn(changed, **await connection.fetchrow(_JOBS["waiting"], job_id))


async def resume(database: Database, job_id: UUID) -> Turn:
    """Lets a paused job go on; the scheduler queues its chunks."""
    async with database.connection() as connection, connection.transaction():
        changed = await connection.fetchval(_JOBS["resume"], job_id) is not None
        if changed:
            await connection.execute(_JOBS["forget_deferrals"], job_id)
        return Turn(changed, **await connection.fetchrow(_JOBS["waiting"], job_id))


async def retry(
    database: Database,
    job_id: UUID,
    states: Iterable[ChunkState],
    *,
    chunk_ids: Sequence[int] | None = None,
) -> int:
    """Puts ended chunks back to pending; how many. The job runs again where there are any.

    Args:
        chunk_ids: Only these; all of the job's unless given.

    Raises:
        JobBusy: A cancel of the job is not through yet: retried now, it would be lost.
    """
    async with database.connection() as connection, connection.transaction():
        if left := await connection.fetchval(_JOBS["being_cancelled"], job_id):
            raise JobBusy(
                f"job {job_id} is being cancelled: {left} of its chunks are still open",
                hint="ask again when `hdi status` tells that it has ended: a moment, or as long as "
                "loads take that are being committed",
            )
        count = await connection.fetchval(
            _JOBS["retry_chunks"], job_id, [str(state) for state in states], chunk_ids
        )
        if count:
            await connection.execute(_JOBS["reopen"], job_id)
        return int(count)
