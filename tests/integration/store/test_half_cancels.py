"""A cancel that meets a row which somebody holds: the job still ends as cancelled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest

from ingestor.store import dispatch, ledger, steering
from ingestor.store.database import Database
from ingestor.store.queries import queries
from ingestor.vocabulary import JobState, Priority
from tests.conftest import Place
from tests.plans import claimed, complete, submitted

_GRACE_S: Final = 0.0
_WINDOW: Final = 8


@pytest.fixture
async def db(plain_place: Place) -> AsyncIterator[Database]:
    async with plain_place.open() as opened:
        yield opened


async def enqueue(connection: Any) -> list[int]:
    """What a dispatcher does in its transaction; the numbers that it publishes afterwards."""
    rows = await connection.fetch(
        queries("dispatch")["enqueue"], Priority.NORMAL.rank, _WINDOW, _GRACE_S
    )
    return [row["chunk_id"] for row in rows]


async def states(db: Database) -> list[str]:
    rows = await db.fetch("SELECT state FROM ingest.chunks ORDER BY chunk_id")
    return [row["state"] for row in rows]


async def claim(db: Database, chunk_id: int) -> ledger.Claim | None:
    return await ledger.claim(db, chunk_id, worker="w/1", lease_s=60, max_lost=3)


async def test_chunks_that_a_dispatcher_held_during_the_cancel_are_never_had_and_end_cancelled(
    db: Database,
) -> None:
    """It queues them after the cancel, and publishes: their messages find nothing to claim."""
    job_id, ids = await submitted(db, 3)
    async with db.connection() as dispatcher, dispatcher.transaction():
        assert await enqueue(dispatcher) == ids
        assert await steering.cancel(db, job_id) == (0, 3)
    assert await states(db) == ["queued"] * 3
    assert [await claim(db, each) for each in ids] == [None] * 3
    assert await dispatch.enqueue(db, window=_WINDOW, retry_grace_s=0) == []

    assert await steering.finish_cancels(db) == {job_id: 3}
    assert await ledger.end_jobs(db) == [(job_id, JobState.CANCELLED)]
    assert await states(db) == ["cancelled"] * 3
    assert await steering.finish_cancels(db) == {}


async def test_a_chunk_whose_commit_the_cancel_met_completes_and_the_rest_is_cancelled(
    db: Database,
) -> None:
    """However often half-done cancels are looked for meanwhile."""
    job_id, ids = await submitted(db, 2)
    mine = await claimed(db, ids[0])
    async with db.connection() as load, load.transaction():
        assert await ledger.lock(load, mine)
        assert await steering.cancel(db, job_id) == (1, 1)
        assert await steering.finish_cancels(db) == {job_id: 0}
    assert await complete(db, mine)
    assert await ledger.end_jobs(db) == [(job_id, JobState.CANCELLED)]
    assert await states(db) == ["completed", "cancelled"]


async def test_a_chunk_whose_commit_the_cancel_met_and_which_failed_is_cancelled(
    db: Database,
) -> None:
    """Its load was undone: nobody takes it up again, and its lease goes with it."""
    job_id, [chunk_id] = await submitted(db)
    mine = await claimed(db, chunk_id)
    async with db.connection() as load, load.transaction():
        assert await ledger.lock(load, mine)
        assert await steering.cancel(db, job_id) == (0, 1)
    assert await steering.finish_cancels(db) == {job_id: 1}
    assert not await complete(db, mine)
    assert await ledger.end_jobs(db) == [(job_id, JobState.CANCELLED)]
    assert not await db.fetchval("SELECT count(*) FROM ingest.leases")


async def test_a_lapsed_chunk_of_a_cancelled_job_is_taken_over_by_nobody(db: Database) -> None:
    """A worker that finds its message may not, whoever held the row during the cancel."""
    job_id, [chunk_id] = await submitted(db)
    await claimed(db, chunk_id, lease_s=0.001)
    async with db.connection() as other, other.transaction():
        await other.execute("SELECT 1 FROM ingest.chunks FOR UPDATE")
        assert await steering.cancel(db, job_id) == (0, 1)
    assert await claim(db, chunk_id) is None
    assert await steering.finish_cancels(db) == {job_id: 1}


async def test_another_jobs_chunks_are_left_alone(db: Database) -> None:
    first, _ = await submitted(db, 2)
    await submitted(db, 1)
    async with db.connection() as dispatcher, dispatcher.transaction():
        await enqueue(dispatcher)
        await steering.cancel(db, first)
    assert await steering.finish_cancels(db) == {first: 2}
    assert await states(db) == ["cancelled", "cancelled", "queued"]
