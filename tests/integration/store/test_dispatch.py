"""The dispatcher: a bounded window, urgent jobs first, jobs in turn, nothing forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ingestor.store import dispatch, ledger, reaping, steering
from ingestor.store.database import Database
from ingestor.vocabulary import Priority
from tests.conftest import Place
from tests.plans import claimed, complete, submitted


@pytest.fixture
async def db(plain_place: Place) -> AsyncIterator[Database]:
    async with plain_place.open() as opened:
        yield opened


async def enqueue(db: Database, window: int = 100, grace_s: float = 0) -> list[int]:
    messages = await dispatch.enqueue(db, window=window, retry_grace_s=grace_s)
    return [message.chunk_id for message in messages]


def retrying(*, carried: bool) -> ledger.Release:
    return ledger.Release("X", "x", 0, give_back=False, outcome="retrying", carried=carried)


async def test_no_more_than_the_window_is_on_the_queue(db: Database) -> None:
    """Later rounds fill only what workers have taken."""
    _, ids = await submitted(db, 10)
    assert (await enqueue(db, 4), await enqueue(db, 4)) == (ids[:4], [])
    await claimed(db, ids[0])
    assert await enqueue(db, 4) == [ids[4]]


async def test_jobs_take_turns(db: Database) -> None:
    """A one-chunk top-up does not wait behind a long backfill of the same priority."""
    _, long = await submitted(db, 10)
    _, short = await submitted(db, 1)
    assert await enqueue(db, 4) == [long[0], short[0], long[1], long[2]]


async def test_higher_priorities_go_first(db: Database) -> None:
    """In order of rank, whatever came first."""
    _, low = await submitted(db, 2, priority=Priority.LOW)
    _, high = await submitted(db, 2, priority=Priority.HIGH)
    assert await enqueue(db, 3) == [*high, low[0]]


async def test_a_queue_full_of_backfill_leaves_room_for_what_is_urgent(db: Database) -> None:
    """The window is counted from a rank upwards."""
    await submitted(db, 5, priority=Priority.LOW)
    await enqueue(db, 3)
    _, high = await submitted(db, 2, priority=Priority.HIGH)
    assert await enqueue(db, 3) == high


@pytest.mark.parametrize("column", ["paused = true", "cancel_requested_at = now()"])
async def test_paused_and_cancelled_jobs_are_left_out(db: Database, column: str) -> None:
    """Their chunks stay where they are."""
    await submitted(db, 2)
    await db.fetchval(f"UPDATE ingest.jobs SET {column} RETURNING 1")
    assert await enqueue(db) == []


async def test_a_chunk_before_its_time_is_left_out(db: Database) -> None:
    """`not_before` holds for the dispatcher too."""
    _, [chunk_id] = await submitted(db)
    how = ledger.Release("X", "x", 60, give_back=False, outcome="retrying", carried=False)
    await ledger.release(db, await claimed(db, chunk_id), how)
    assert await enqueue(db) == []


async def test_a_retry_that_celery_carries_is_left_alone_for_its_grace(db: Database) -> None:
    """Else two messages would be under way for each retry; past the grace it is presumed lost."""
    _, [chunk_id] = await submitted(db)
    await ledger.release(db, await claimed(db, chunk_id), retrying(carried=True))
    assert await enqueue(db, grace_s=30) == []
    assert await enqueue(db, grace_s=0) == [chunk_id]


async def test_a_retry_that_nobody_carries_is_dispatched_at_once(db: Database) -> None:
    """The ledger waits it out, the dispatcher brings it back."""
    _, [chunk_id] = await submitted(db)
    await ledger.release(db, await claimed(db, chunk_id), retrying(carried=False))
    assert await enqueue(db, grace_s=30) == [chunk_id]


async def test_messages_are_numbered_by_dispatch(db: Database) -> None:
    """A chunk put on the queue again goes under another message id."""
    _, [chunk_id] = await submitted(db)
    [first] = await dispatch.enqueue(db, window=1, retry_grace_s=0)
    [second] = await dispatch.enqueue_again(db, [chunk_id], grace_s=0)
    assert (first.dispatch, second.dispatch, second.priority) == (1, 2, Priority.NORMAL)


async def test_only_one_dispatcher_works_at_a_time(db: Database) -> None:
    """Several would fill the window several times over."""
    await submitted(db, 5)
    async with db.connection() as connection, connection.transaction():
        await connection.fetchval("SELECT pg_advisory_xact_lock(hashtext('hdi.dispatch'))")
        assert await enqueue(db) == []


async def test_five_dispatchers_at_once_never_queue_a_chunk_twice(db: Database) -> None:
    """Whoever leads, each chunk gets one message."""
    _, ids = await submitted(db, 40)
    found: list[int] = []
    while len(found) < len(ids):
        rounds = await asyncio.gather(*(enqueue(db, 1000) for _ in range(5)))
        found += [each for some in rounds for each in some]
    assert sorted(found) == ids


async def test_what_was_queued_long_ago_and_not_claimed_is_overdue(db: Database) -> None:
    """Claimed and ended chunks are not; the caller asks Redis about the rest."""
    _, ids = await submitted(db, 3)
    await enqueue(db)
    await claimed(db, ids[0])
    await complete(db, await claimed(db, ids[1]))
    assert (await dispatch.overdue(db, grace_s=0), await dispatch.overdue(db, grace_s=60)) == (
        [ids[2]], [],
    )  # fmt: skip


async def test_a_chunk_claimed_meanwhile_is_not_queued_again(db: Database) -> None:
    """Between the question and the answer a worker may have taken it."""
    _, [chunk_id] = await submitted(db)
    await enqueue(db)
    await claimed(db, chunk_id)
    assert await dispatch.enqueue_again(db, [chunk_id], grace_s=0) == []


async def test_a_chunk_put_on_the_queue_meanwhile_is_not_queued_again(db: Database) -> None:
    """By another scheduler that missed its message, too, or by a retry."""
    _, [chunk_id] = await submitted(db)
    await enqueue(db)
    await db.fetch("UPDATE ingest.chunks SET enqueued_at = enqueued_at - interval '1 minute'")
    first = await dispatch.enqueue_again(db, [chunk_id], grace_s=30)
    assert [message.chunk_id for message in first] == [chunk_id]
    assert await dispatch.enqueue_again(db, [chunk_id], grace_s=30) == []


async def test_an_ended_job_leaves_nothing_open(db: Database) -> None:
    """Then the next look of the dispatcher may wait."""
    job_id, [chunk_id] = await submitted(db)
    opened = await dispatch.anything_open(db)
    await complete(db, await claimed(db, chunk_id))
    await ledger.end_job(db, job_id)
    assert (opened, await dispatch.anything_open(db)) == (True, False)


def test_lost_are_the_overdue_that_redis_does_not_hold() -> None:
    """In the order given."""
    held: Any = frozenset({2, 4})
    assert dispatch.lost([1, 2, 3, 4], held) == [1, 3]


async def test_what_was_lost_with_its_worker_goes_first_and_beyond_the_window(
    db: Database,
) -> None:
    """Behind a window of slow chunks it waited for more than a minute."""
    _, ids = await submitted(db, 6, priority=Priority.LOW)
    await claimed(db, ids[0], lease_s=0)
    assert await enqueue(db, 3) == ids[1:4]
    await reaping.reap(db, max_lost=3)
    [message] = await dispatch.enqueue(db, window=3, retry_grace_s=0)
    assert (message.chunk_id, message.priority) == (ids[0], Priority.HIGH)
    assert await claimed(db, ids[0])


async def test_what_was_begun_goes_before_what_was_not(db: Database) -> None:
    """Within the window and its own priority: an outage makes retries of everything."""
    _, ids = await submitted(db, 5)
    await ledger.release(db, await claimed(db, ids[4]), retrying(carried=True))
    assert await enqueue(db, 3, grace_s=30) == ids[:3]
    assert await enqueue(db, 3, grace_s=0) == []
    assert await enqueue(db, 4, grace_s=0) == [ids[4]]


async def test_of_lost_chunks_an_urgent_one_goes_first(db: Database) -> None:
    """Those of a backfill may be as many as there were workers."""
    _, low = await submitted(db, 2, priority=Priority.LOW)
    await claimed(db, low[0], lease_s=0)
    await reaping.reap(db, max_lost=3)
    _, high = await submitted(db, 1, priority=Priority.HIGH)
    assert await enqueue(db, 3) == [*high, low[1], low[0]]


async def test_what_was_lost_of_a_paused_job_waits(db: Database) -> None:
    job_id, [chunk_id] = await submitted(db)
    await claimed(db, chunk_id, lease_s=0)
    await reaping.reap(db, max_lost=3)
    await steering.pause(db, job_id)
    assert await enqueue(db) == []
