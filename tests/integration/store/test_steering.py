"""Pause, resume, and retry of chosen chunks; cancel and retry of jobs are in test_ledger.py."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ingestor.errors import JobBusy
from ingestor.store import dispatch, ledger, letters, steering
from ingestor.store.database import Database
from ingestor.store.queries import queries
from ingestor.vocabulary import ChunkState, Priority
from tests.conftest import Place
from tests.plans import claimed, complete, submitted


@pytest.fixture
async def db(plain_place: Place) -> AsyncIterator[Database]:
    async with plain_place.open() as opened:
        yield opened


async def states(db: Database) -> list[str]:
    return [
        row["state"] for row in await db.fetch("SELECT state FROM ingest.chunks ORDER BY chunk_id")
    ]


async def enqueued(db: Database, window: int = 8) -> list[int]:
    return [each.chunk_id for each in await dispatch.enqueue(db, window=window, retry_grace_s=0)]


async def test_a_paused_job_hands_out_no_chunk_and_takes_them_off_the_queue(db: Database) -> None:
    """Messages that are on their way find nothing to claim."""
    job_id, ids = await submitted(db, 3)
    assert await enqueued(db) == ids
    mine = await claimed(db, ids[0])
    assert await steering.pause(db, job_id) == steering.Turn(True, waiting=2, in_progress=1)
    assert await states(db) == ["in_progress", "pending", "pending"]
    assert await ledger.claim(db, ids[1], worker="w/2", lease_s=60, max_lost=3) is None
    assert await enqueued(db) == []
    assert await complete(db, mine)


async def test_a_resumed_job_goes_on(db: Database) -> None:
    job_id, ids = await submitted(db, 2)
    await steering.pause(db, job_id)
    assert await steering.resume(db, job_id) == steering.Turn(True, waiting=2, in_progress=0)
    assert await enqueued(db) == ids
    assert await claimed(db, ids[0])


async def test_a_paused_job_leaves_the_window_to_others(db: Database) -> None:
    """A chunk that is queued as its job is paused does not count."""
    first, ids = await submitted(db, 4, priority=Priority.HIGH)
    assert await enqueued(db, window=4) == ids
    await db.fetch("UPDATE ingest.jobs SET paused = true WHERE job_id = $1", first)
    _, others = await submitted(db, 4)
    assert await enqueued(db, window=4) == others
    assert set(await dispatch.overdue(db, grace_s=0)) == set(others)


async def test_a_job_is_paused_once_and_an_ended_one_never(db: Database) -> None:
    job_id, [chunk] = await submitted(db)
    assert (await steering.pause(db, job_id)).changed
    assert not (await steering.pause(db, job_id)).changed
    await steering.resume(db, job_id)
    await complete(db, await claimed(db, chunk))
    await ledger.end_job(db, job_id)
    assert not (await steering.pause(db, job_id)).changed


async def test_a_paused_job_can_be_cancelled(db: Database) -> None:
    job_id, _ = await submitted(db, 2)
    await steering.pause(db, job_id)
    assert await steering.cancel(db, job_id) == (2, 0)
    assert await states(db) == ["cancelled", "cancelled"]


async def test_chosen_chunks_are_retried_and_the_others_stay_failed(db: Database) -> None:
    job_id, ids = await submitted(db, 3)
    for chunk in ids:
        await ledger.fail(db, await claimed(db, chunk), code="CorruptPayload", text="cut")
    await ledger.end_job(db, job_id)
    assert await steering.retry(db, job_id, [ChunkState.FAILED], chunk_ids=ids[1:2]) == 1
    assert await states(db) == ["failed", "pending", "failed"]
    assert await letters.count(db, letters.Choice()) == 2


async def test_a_letter_tells_request_payload_and_every_attempt(db: Database) -> None:
    """Attempts of earlier lives of the chunk, too."""
    job_id, [chunk] = await submitted(db)
    await ledger.fail(db, await claimed(db, chunk), code="LocalFault", text="no room")
    await steering.retry(db, job_id, [ChunkState.FAILED])
    await ledger.fail(db, await claimed(db, chunk), code="CorruptPayload", text="cut at 12")
    [letter] = await letters.letters(db, letters.Choice(chunk_ids=[chunk]))
    assert (letter.error_code, letter.error_text, letter.state) == (
        "CorruptPayload", "cut at 12", ChunkState.FAILED,
    )  # fmt: skip
    assert letter.payload is not None
    assert [each.error_code for each in letter.tried] == ["LocalFault", "CorruptPayload"]
    everything = await letters.letters(db, letters.Choice(open=False))
    assert [each.resolution for each in everything] == ["", "retried"]


async def test_a_discarded_letter_is_closed_with_its_reason(db: Database) -> None:
    """Its chunk stays failed: nothing was stored."""
    _, [chunk] = await submitted(db)
    await ledger.fail(db, await claimed(db, chunk), code="CorruptPayload", text="cut")
    assert await letters.discard(db, [chunk], note="the day is not needed") == [chunk]
    assert await letters.discard(db, [chunk], note="again") == []
    [letter] = await letters.letters(db, letters.Choice(open=False))
    assert (letter.resolution, letter.note) == ("discarded", "the day is not needed")
    assert await states(db) == ["failed"]


async def test_local_faults_are_counted_in_a_row(db: Database) -> None:
    """What is given back leaves the row alone; another fault of the chunk's own ends it."""
    _, [chunk] = await submitted(db)

    async def released(*, local: bool, give_back: bool = False) -> int:
        claim = await claimed(db, chunk)
        how = ledger.Release(
            "X", "x", 0, give_back=give_back, outcome="deferred" if give_back else "retrying",
            carried=False, local=local,
        )  # fmt: skip
        await ledger.release(db, claim, how)
        return int(await db.fetchval("SELECT local_faults FROM ingest.chunks"))

    assert await released(local=True) == 1
    assert await released(local=False, give_back=True) == 1
    assert await released(local=True) == 2
    assert await released(local=False) == 0


def deferred() -> ledger.Release:
    return ledger.Release(
        "X", "x", 0, give_back=True, outcome="deferred", carried=False, counted=True
    )


async def deferrals(db: Database) -> tuple[int, bool]:
    row = await db.fetchrow("SELECT deferrals, first_deferred_at FROM ingest.chunks")
    assert row is not None
    return row["deferrals"], row["first_deferred_at"] is not None


async def test_deferrals_are_counted_in_a_row(db: Database) -> None:
    """A failure between them tells that the provider answered: the wait begins anew."""
    _, [chunk] = await submitted(db)
    for _ in range(2):
        await ledger.release(db, await claimed(db, chunk), deferred())
    assert await deferrals(db) == (2, True)
    how = ledger.Release("X", "x", 0, give_back=False, outcome="retrying", carried=False)
    await ledger.release(db, await claimed(db, chunk), how)
    assert await deferrals(db) == (0, False)


async def test_the_time_that_a_job_was_paused_counts_for_no_deferral(db: Database) -> None:
    """Paused over a weekend, one more "come back later" would have ended the chunk."""
    job_id, [chunk] = await submitted(db)
    await ledger.release(db, await claimed(db, chunk), deferred())
    await steering.pause(db, job_id)
    assert await deferrals(db) == (1, True)
    await steering.resume(db, job_id)
    assert await deferrals(db) == (0, False)


async def test_no_chunk_of_a_cancelled_job_is_claimed(db: Database) -> None:
    """Its message may be on its way while the cancel goes on."""
    job_id, [chunk] = await submitted(db)
    await db.fetchval("UPDATE ingest.jobs SET cancel_requested_at = clock_timestamp() RETURNING 1")
    assert await ledger.claim(db, chunk, worker="w/1", lease_s=60, max_lost=3) is None
    assert await steering.finish_cancels(db) == {job_id: 1}
    assert await ledger.end_job(db, job_id) == "cancelled"


async def test_a_cancel_that_met_a_dispatcher_is_finished_later(db: Database) -> None:
    """The dispatcher held the row: the cancel went past it, and nothing else would come back."""
    job_id, ids = await submitted(db, 2)
    async with db.connection() as dispatcher:
        transaction = dispatcher.transaction()
        await transaction.start()
        await dispatcher.execute(
            "SELECT 1 FROM ingest.chunks WHERE chunk_id = $1 FOR UPDATE", ids[0]
        )
        assert await steering.cancel(db, job_id) == (1, 1)
        assert await steering.finish_cancels(db) == {job_id: 0}
        await transaction.rollback()
    assert await steering.finish_cancels(db) == {job_id: 1}
    assert await states(db) == ["cancelled", "cancelled"]
    assert await steering.finish_cancels(db) == {}


async def test_a_retry_waits_until_a_cancel_is_through(db: Database) -> None:
    """It would take the cancel back, and nobody would know."""
    job_id, ids = await submitted(db, 3)
    await ledger.fail(db, await claimed(db, ids[0]), code="X", text="x")
    async with db.connection() as dispatcher, dispatcher.transaction():
        await dispatcher.execute("SELECT 1 FROM ingest.chunks WHERE job_id = $1 FOR UPDATE", job_id)
        assert await steering.cancel(db, job_id) == (0, 2)
    with pytest.raises(JobBusy, match="2 of its chunks are still open"):
        await steering.retry(db, job_id, [ChunkState.FAILED])
    assert await steering.finish_cancels(db) == {job_id: 2}
    assert await steering.retry(db, job_id, [ChunkState.FAILED]) == 1


async def test_a_cancel_that_was_taken_back_by_a_retry_is_not_finished(db: Database) -> None:
    """The scheduler had seen it before."""
    job_id, _ = await submitted(db, 2)
    await steering.cancel(db, job_id)
    assert await steering.retry(db, job_id, [ChunkState.CANCELLED]) == 2
    assert await db.fetchval(queries("jobs")["cancel_chunks"], job_id) == 0
    assert await states(db) == ["pending", "pending"]
