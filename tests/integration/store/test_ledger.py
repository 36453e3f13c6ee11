"""The ledger's moves: who owns a chunk, who may write, and how every chunk and job comes to an end.

All of it is PostgreSQL's doing, so plain PostgreSQL proves it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from ingestor.errors import IngestError
from ingestor.job import Contents
from ingestor.store import ledger, presence, reaping, steering
from ingestor.store.database import Database
from ingestor.store.reaping import Stuck
from ingestor.vocabulary import ChunkState, JobState, Role
from tests.conftest import Place
from tests.plans import PAYLOAD, claimed, complete, final_state, job_plan, receipt, submitted

ROUNDS = 200


@pytest.fixture
async def db(plain_place: Place) -> AsyncIterator[Database]:
    async with plain_place.open() as opened:
        yield opened


@pytest.fixture
async def wide(plain_place: Place) -> AsyncIterator[Database]:
    """Twenty connections: as many workers at once."""
    options = replace(plain_place.options(), pool_size=20)
    async with Database(options, name="hdi:test") as opened:
        yield opened


async def chunk(db: Database, chunk_id: int) -> asyncpg.Record:
    row = await db.fetchrow("SELECT * FROM ingest.chunks WHERE chunk_id = $1", chunk_id)
    assert row is not None
    return row


async def take(db: Database, chunk_id: int, *, worker: str = "w/2", max_lost: int = 3) -> Any:
    return await ledger.claim(db, chunk_id, worker=worker, lease_s=60, max_lost=max_lost)


async def outcomes(db: Database, chunk_id: int) -> list[str]:
    rows = await db.fetch(
        "SELECT outcome FROM ingest.attempts WHERE chunk_id = $1 ORDER BY attempt_id", chunk_id
    )
    return [row["outcome"] for row in rows]


def how(*, delay_s: float = 0, deferred: bool = False, carried: bool = False) -> ledger.Release:
    outcome = "deferred" if deferred else "retrying"
    return ledger.Release(
        "SourceUnavailable", "it is away", delay_s, give_back=deferred, outcome=outcome,
        carried=carried, counted=deferred,
    )  # fmt: skip


# --- submit ---------------------------------------------------------------------------------------


async def test_a_job_submitted_twenty_times_at_once_is_one_job(wide: Database) -> None:
    """The idempotency key makes them one; only one of the twenty is told that it is fresh."""
    plan = job_plan(3)
    made = await asyncio.gather(*(ledger.submit(wide, plan, max_attempts=5) for _ in range(20)))
    assert len({each.job_id for each in made}) == 1
    assert sum(each.fresh for each in made) == 1
    assert await wide.fetchval("SELECT count(*) FROM ingest.chunks") == 3


async def test_ten_thousand_chunks_are_one_transaction(db: Database) -> None:
    """A job is in the ledger with all of its chunks or not at all."""
    job_id, ids = await submitted(db, 10_000)
    transactions = await db.fetchval(
        "SELECT count(DISTINCT xmin::TEXT) FROM ingest.chunks WHERE job_id = $1", job_id
    )
    assert (len(ids), transactions) == (10_000, 1)


async def test_symbols_are_kept_once_for_all_chunks(db: Database) -> None:
    """Two thousand symbols are 9 kB: they are never repeated per chunk or per job."""
    await submitted(db, 3)
    await submitted(db, 3)
    assert await db.fetchval("SELECT count(*) FROM ingest.symbol_groups") == 1


async def test_a_claim_carries_what_was_planned(db: Database) -> None:
    """Everything a worker needs stands in the ledger; the message holds the id only."""
    plan = job_plan(1)
    await ledger.submit(db, plan, max_attempts=5)
    claim = await claimed(db, await db.fetchval("SELECT chunk_id FROM ingest.chunks"))
    [request] = plan.requests
    [planned] = request.chunks
    assert (claim.source, claim.dataset, claim.schema, claim.symbols, claim.start, claim.end,
            claim.payload, claim.expected, claim.attempt, claim.last_slice) == (
        plan.source, request.dataset, request.schema, request.symbols, planned.start, planned.end,
        planned.payload, planned.contents.records, 1, planned.last,
    )  # fmt: skip


# --- claim ----------------------------------------------------------------------------------------


async def test_of_twenty_claims_at_once_one_succeeds(wide: Database) -> None:
    """The same chunk delivered twenty times is worked on once."""
    _, [chunk_id] = await submitted(wide)
    made = await asyncio.gather(*(take(wide, chunk_id, worker=f"w/{n}") for n in range(20)))
    assert sum(each is not None for each in made) == 1


async def test_a_chunk_is_not_had_before_its_time(db: Database) -> None:
    """`not_before` holds for every claim, whatever brought the message."""
    _, [chunk_id] = await submitted(db)
    await ledger.release(db, await claimed(db, chunk_id), how(delay_s=60))
    assert await take(db, chunk_id) is None


async def test_a_chunk_in_work_is_not_had(db: Database) -> None:
    """While the lease lasts the chunk has one owner."""
    _, [chunk_id] = await submitted(db)
    await claimed(db, chunk_id)
    assert await take(db, chunk_id) is None


async def test_a_finished_chunk_is_not_had(db: Database) -> None:
    """A message that comes late finds nothing to do."""
    _, [chunk_id] = await submitted(db)
    await complete(db, await claimed(db, chunk_id))
    assert await take(db, chunk_id) is None


async def test_an_unknown_chunk_is_not_had(db: Database) -> None:
    """A message of another database's chunk finds nothing to do."""
    assert await take(db, 999_999) is None


async def test_the_first_claim_starts_the_job(db: Database) -> None:
    """A job is pending until a worker takes one of its chunks."""
    job_id, [chunk_id] = await submitted(db)
    await claimed(db, chunk_id)
    state = await db.fetchval("SELECT state FROM ingest.jobs WHERE job_id = $1", job_id)
    assert state == JobState.RUNNING


async def test_a_takeover_counts_the_loss_and_changes_the_fence(db: Database) -> None:
    """An expired lease is taken over as a new attempt with a new fence; the loss is counted."""
    _, [chunk_id] = await submitted(db)
    first = await claimed(db, chunk_id, lease_s=0)
    second = await claimed(db, chunk_id, worker="w/2")
    assert (second.fence, second.attempt, second.lost_count) == (first.fence + 1, 2, 1)


async def test_a_takeover_traces_the_lost_attempt(db: Database) -> None:
    """The worker that went silent stands in the trace, with its fence and attempt."""
    _, [chunk_id] = await submitted(db)
    first = await claimed(db, chunk_id, lease_s=0)
    await claimed(db, chunk_id, worker="w/2")
    row = await db.fetchrow("SELECT worker, fence, attempt, outcome FROM ingest.attempts")
    assert tuple(row or ()) == ("w/1", first.fence, 1, "lost")


async def test_a_chunk_that_took_its_workers_down_is_not_taken_over(db: Database) -> None:
    """The claim leaves the last loss to the reaper, which fails the chunk as poison."""
    _, [chunk_id] = await submitted(db)
    for _ in range(3):
        await claimed(db, chunk_id, lease_s=0)
    assert await take(db, chunk_id) is None


async def test_of_two_takeovers_of_one_lease_exactly_one_succeeds(wide: Database) -> None:
    """200 rounds of four rivals: the re-read row must no longer match the lease they saw."""
    _, [chunk_id] = await submitted(wide)
    await claimed(wide, chunk_id, lease_s=0)
    for _ in range(ROUNDS):
        made = await asyncio.gather(
            *(
                ledger.claim(wide, chunk_id, worker=f"w/{n}", lease_s=60, max_lost=10**6)
                for n in range(4)
            )
        )
        assert sum(each is not None for each in made) == 1
        await wide.fetchval("UPDATE ingest.leases SET lease_until = '-infinity' RETURNING 1")


async def test_a_claim_and_the_reaper_never_both_get_a_chunk(wide: Database) -> None:
    """200 rounds: a lapsed chunk is taken over or reaped; its losses are counted once a round."""
    _, [chunk_id] = await submitted(wide)
    await claimed(wide, chunk_id, lease_s=0)
    for done in range(1, ROUNDS + 1):
        claim, reaped = await asyncio.gather(
            ledger.claim(wide, chunk_id, worker="w", lease_s=60, max_lost=10**6),
            reaping.reap(wide, max_lost=10**6),
        )
        row = await chunk(wide, chunk_id)
        # The claim may follow the reaper: then it takes a chunk that is retrying.
        assert (row["lost_count"], bool(claim or reaped)) == (done, True)
        if claim is None:
            await claimed(wide, chunk_id, lease_s=0)
        await wide.fetchval("UPDATE ingest.leases SET lease_until = '-infinity' RETURNING 1")


# --- the fence ------------------------------------------------------------------------------------


async def stale(db: Database) -> Any:
    """A claim whose chunk another worker has taken over."""
    _, [chunk_id] = await submitted(db)
    old = await claimed(db, chunk_id, lease_s=0)
    await claimed(db, chunk_id, worker="w/2")
    return old


async def test_a_stale_fence_cannot_renew(db: Database) -> None:
    """The heartbeat tells a worker that it lost its chunk."""
    assert not await ledger.renew(db, await stale(db), lease_s=60, rows=0, bytes_=0)


async def test_a_stale_fence_cannot_lock(db: Database) -> None:
    """A load that comes too late ends before its first row."""
    async with db.connection() as connection, connection.transaction():
        assert not await ledger.lock(connection, await stale(db))


async def test_a_stale_fence_cannot_finish(db: Database) -> None:
    """Even past the lock, the last statement holds the fence against the ledger."""
    old = await stale(db)
    async with db.connection() as connection, connection.transaction():
        proof = ledger.Proof(PAYLOAD, Contents(records=1), None)
        assert not await ledger.finish(connection, old, receipt(), proof)


async def test_a_stale_fence_cannot_release(db: Database) -> None:
    """A worker that woke up late cannot give away what another one works on."""
    assert await ledger.release(db, await stale(db), how()) is None


async def test_a_stale_fence_cannot_fail_a_chunk(db: Database) -> None:
    """Nor end it, nor leave a dead letter."""
    done = await ledger.fail(db, await stale(db), code="X", text="x")
    assert (done, await db.fetchval("SELECT count(*) FROM ingest.dead_letters")) == (False, 0)


async def test_a_stale_fence_is_not_settled(db: Database) -> None:
    """After a lost answer: the chunk completed under another fence was not this attempt's."""
    old = await stale(db)
    row = await chunk(db, old.chunk_id)
    await complete(db, replace(old, fence=row["fence"]))
    assert not await ledger.settled(db, old)


# --- heartbeat, release, hand back ----------------------------------------------------------------


async def test_a_heartbeat_renews_the_lease_and_tells_progress(db: Database) -> None:
    """The lease row is also where progress is read from."""
    _, [chunk_id] = await submitted(db)
    claim = await claimed(db, chunk_id, lease_s=0)
    await ledger.renew(db, claim, lease_s=60, rows=5, bytes_=70)
    row = await db.fetchrow("SELECT lease_until > now() + '50 s', rows, bytes FROM ingest.leases")
    assert tuple(row or ()) == (True, 5, 70)


async def test_a_heartbeat_does_not_wait_for_the_load(db: Database) -> None:
    """Leases have a table of their own, which a load never locks."""
    _, [chunk_id] = await submitted(db)
    claim = await claimed(db, chunk_id)
    async with db.connection() as connection, connection.transaction():
        await ledger.lock(connection, claim)
        renewed = await asyncio.wait_for(
            ledger.renew(db, claim, lease_s=60, rows=0, bytes_=0), timeout=2
        )
    assert renewed


async def test_a_retrying_release_costs_the_attempt(db: Database) -> None:
    """The next claim is attempt 2."""
    _, [chunk_id] = await submitted(db)
    await ledger.release(db, await claimed(db, chunk_id), how())
    assert (await claimed(db, chunk_id)).attempt == 2


async def test_a_deferred_release_gives_the_attempt_back(db: Database) -> None:
    """What is not the chunk's fault is counted apart, with the time of the first one."""
    _, [chunk_id] = await submitted(db)
    for _ in range(2):
        await ledger.release(db, await claimed(db, chunk_id), how(deferred=True))
    claim = await claimed(db, chunk_id)
    assert (claim.attempt, claim.deferrals, claim.first_deferred_s > 0) == (1, 2, True)


async def test_a_release_ends_the_lease_and_changes_the_fence(db: Database) -> None:
    """Nobody owns the chunk now, not even who released it."""
    _, [chunk_id] = await submitted(db)
    claim = await claimed(db, chunk_id)
    await ledger.release(db, claim, how())
    leases = await db.fetchval("SELECT count(*) FROM ingest.leases")
    assert (leases, (await chunk(db, chunk_id))["fence"]) == (0, claim.fence + 1)


async def test_a_release_of_a_cancelled_job_cancels(db: Database) -> None:
    """The person's wish holds for a chunk that was being committed when they asked."""
    job_id, [chunk_id] = await submitted(db)
    claim = await claimed(db, chunk_id)
    await cancel_while_locked(db, job_id, claim)
    assert await ledger.release(db, claim, how()) is ChunkState.CANCELLED


async def test_errors_are_kept_up_to_two_kilobytes(db: Database) -> None:
    """Cut on a character border."""
    _, [chunk_id] = await submitted(db)
    text = "é" * 3000
    await ledger.fail(db, await claimed(db, chunk_id), code="X", text=text)
    assert (await chunk(db, chunk_id))["error_text"] == "é" * 1024


async def test_a_worker_that_shuts_down_hands_its_chunks_back(db: Database) -> None:
    """Their attempts are given back, and they are due at once; others' chunks stay."""
    _, ids = await submitted(db, 3)
    for chunk_id, worker in zip(ids, ["a/1", "a/2", "b/1"], strict=True):
        await claimed(db, chunk_id, worker=worker)
    assert sorted(await ledger.hand_back(db, ["a/1", "a/2"])) == ids[:2]
    claim = await take(db, ids[0])
    assert (claim.attempt, await take(db, ids[2])) == (1, None)


async def test_a_chunk_handed_back_after_cancel_is_cancelled(db: Database) -> None:
    """Else nobody would ever dispatch it, and its job would stay open for good."""
    job_id, [chunk_id] = await submitted(db)
    claim = await claimed(db, chunk_id)
    await cancel_while_locked(db, job_id, claim)
    await ledger.hand_back(db, ["w/1"])
    assert (await chunk(db, chunk_id))["state"] == ChunkState.CANCELLED


# --- fail, reap -----------------------------------------------------------------------------------


async def test_a_failed_chunk_leaves_a_dead_letter(db: Database) -> None:
    """State, trace and letter are one statement: never one without the other."""
    job_id, [chunk_id] = await submitted(db)
    claim = await claimed(db, chunk_id)
    await ledger.fail(db, claim, code="CorruptPayload", text="cut")
    row = await db.fetchrow(
        "SELECT chunk_id, job_id, fence, attempts, error_code, error_text FROM ingest.dead_letters"
    )
    assert tuple(row or ()) == (chunk_id, job_id, claim.fence, 1, "CorruptPayload", "cut")
    assert await outcomes(db, chunk_id) == ["failed"]


async def test_the_reaper_takes_back_what_lapsed(db: Database) -> None:
    """Retrying at once, the loss counted and traced; a live lease is left alone."""
    _, ids = await submitted(db, 2)
    await claimed(db, ids[0], lease_s=0)
    await claimed(db, ids[1])
    [reaped] = await reaping.reap(db, max_lost=3)
    row = await chunk(db, ids[0])
    assert (reaped.chunk_id, reaped.state, row["lost_count"]) == (ids[0], ChunkState.RETRYING, 1)
    assert await outcomes(db, ids[0]) == ["lost"]


async def test_no_lease_is_over_while_its_worker_could_not_renew_it(db: Database) -> None:
    """A server that was down for a minute took no heartbeat: its workers live."""
    _, [chunk_id] = await submitted(db)
    await claimed(db, chunk_id, lease_s=-1)
    long = 10 * 365 * 86_400.0
    assert await reaping.reap(db, max_lost=3, grace_s=long) == []
    taken = await ledger.claim(db, chunk_id, worker="w/2", lease_s=60, max_lost=3, grace_s=long)
    assert taken is None
    assert len(await reaping.reap(db, max_lost=3)) == 1


async def test_a_chunk_lost_three_times_is_poison(db: Database) -> None:
    """It took three workers down: failed, with a dead letter that says so."""
    _, [chunk_id] = await submitted(db)
    states = []
    for _ in range(3):
        await claimed(db, chunk_id, lease_s=0)
        states += [each.state for each in await reaping.reap(db, max_lost=3)]
    letter = await db.fetchval("SELECT error_text FROM ingest.dead_letters")
    assert states == [ChunkState.RETRYING, ChunkState.RETRYING, ChunkState.FAILED]
    assert letter.startswith("poison: it took 3 workers down")


async def test_the_reaper_cancels_where_cancel_was_asked(db: Database) -> None:
    """A chunk that was being committed and whose worker died then does not run again."""
    job_id, [chunk_id] = await submitted(db)
    claim = await claimed(db, chunk_id, lease_s=0)
    await cancel_while_locked(db, job_id, claim)
    [reaped] = await reaping.reap(db, max_lost=3)
    assert reaped.state is ChunkState.CANCELLED


async def test_the_reaper_skips_a_row_that_a_live_load_holds(db: Database) -> None:
    """It does not wait for it either."""
    _, [chunk_id] = await submitted(db)
    claim = await claimed(db, chunk_id, lease_s=0)
    async with db.connection() as connection, connection.transaction():
        await ledger.lock(connection, claim)
        reaped = await asyncio.wait_for(reaping.reap(db, max_lost=3), timeout=2)
    assert reaped == []


async def test_a_frozen_load_is_ended_by_its_session(plain_place: Place, db: Database) -> None:
    """A client that stopped holds its row lock until its backend is terminated."""
    _, [chunk_id] = await submitted(db)
    claim = await claimed(db, chunk_id, lease_s=0)
    frozen = await asyncpg.connect(
        plain_place.urls[Role.WORKER],
        server_settings={"application_name": f"hdi:{chunk_id}:{claim.fence}:w/1"},
    )
    await frozen.execute("BEGIN")
    await ledger.lock(frozen, claim)
    assert await reaping.end_stuck_sessions(db, after_s=0) == [
        Stuck(frozen.get_server_pid(), chunk_id, ended=True)
    ]
    for _ in range(100):
        if reaped := await reaping.reap(db, max_lost=3):
            break
        await asyncio.sleep(0.05)
    assert [each.chunk_id for each in reaped] == [chunk_id]


@pytest.mark.parametrize(("unseen", "ended"), [("1 minute", True), ("1 second", False)])
async def test_a_frozen_workers_turn_to_fetch_ends_a_living_ones_does_not(
    plain_place: Place, db: Database, unseen: str, ended: bool
) -> None:
    """The chunk has gone on to another worker, which waits for the turn that the session holds."""
    _, [chunk_id] = await submitted(db)
    old = await claimed(db, chunk_id, worker="w/1", lease_s=0)
    await presence.seen(db, presence.Process("w/1", "worker", "w", 1, "0"))
    async with db.connection() as connection:
        await connection.execute(
            f"UPDATE ingest.workers SET last_seen = clock_timestamp() - INTERVAL '{unseen}'"
        )
    frozen = await asyncpg.connect(
        plain_place.urls[Role.WORKER],
        server_settings={"application_name": f"hdi:{chunk_id}:{old.fence}:w/1"},
    )
    assert await reaping.end_stale_sessions(db, unseen_s=30) == []  # its attempt is not over yet
    await claimed(db, chunk_id, worker="w/2")
    pid = frozen.get_server_pid()
    found = await reaping.end_stale_sessions(db, unseen_s=30)
    assert found == ([Stuck(pid, chunk_id, ended=True)] if ended else [])
    await frozen.close() if not ended else frozen.terminate()


async def test_a_session_of_another_chunk_is_left_alone(plain_place: Place, db: Database) -> None:
    """Chunk 1 fence 1 is not chunk 1 fence 12, nor chunk 11 fence 1."""
    _, [chunk_id] = await submitted(db)
    claim = await claimed(db, chunk_id, lease_s=0)
    names = [f"hdi:{chunk_id}:{claim.fence}2:w/1", f"hdi:{chunk_id}1:{claim.fence}:w/1", "hdi:w/1"]
    others = [
        await asyncpg.connect(
            plain_place.urls[Role.WORKER], server_settings={"application_name": name}
        )
        for name in names
    ]
    assert await reaping.end_stuck_sessions(db, after_s=0) == []
    for other in others:
        await other.close()


# --- cancel, retry, the end of a job --------------------------------------------------------------


async def cancel_while_locked(db: Database, job_id: Any, claim: Any) -> tuple[int, int]:
    """Cancels while the claim's load holds its row."""
    async with db.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        assert await ledger.lock(connection, claim)
        told = await steering.cancel(db, job_id)
        await transaction.rollback()
        return told


async def test_cancel_tells_what_is_being_committed(db: Database) -> None:
    """Of three open chunks two are cancelled; the one under commit will complete."""
    job_id, ids = await submitted(db, 3)
    claim = await claimed(db, ids[0])
    assert await cancel_while_locked(db, job_id, claim) == (2, 1)


async def test_a_chunk_under_commit_completes_after_cancel(db: Database) -> None:
    """Its rows are there, so its receipt is too; the job still ends as cancelled."""
    job_id, ids = await submitted(db, 2)
    claim = await claimed(db, ids[0])
    await cancel_while_locked(db, job_id, claim)
    assert await complete(db, claim)
    assert await ledger.end_job(db, job_id) == JobState.CANCELLED


async def test_cancel_ends_a_job_nobody_works_on(db: Database) -> None:
    """All chunks are cancelled and the job is over, with its counts frozen."""
    job_id, _ = await submitted(db, 4)
    await steering.cancel(db, job_id)
    row = await db.fetchrow(
        "SELECT state, counts->'chunks'->>'cancelled' FROM ingest.jobs WHERE job_id = $1", job_id
    )
    assert tuple(row or ()) == ("cancelled", "4")


async def test_cancel_takes_chunks_from_their_workers(db: Database) -> None:
    """Fence and lease are gone: the worker finds out at its next heartbeat."""
    job_id, [chunk_id] = await submitted(db)
    claim = await claimed(db, chunk_id)
    await steering.cancel(db, job_id)
    assert not await ledger.renew(db, claim, lease_s=60, rows=0, bytes_=0)
    assert await outcomes(db, chunk_id) == ["cancelled"]


async def test_cancel_of_an_ended_job_does_nothing(db: Database) -> None:
    """What is over stays as it is."""
    job_id, [chunk_id] = await submitted(db)
    await complete(db, await claimed(db, chunk_id))
    await ledger.end_job(db, job_id)
    assert await steering.cancel(db, job_id) == (0, 0)


async def test_retry_starts_failed_chunks_anew(db: Database) -> None:
    """Attempts and losses begin at nought, the fence goes on, the trace stays; the job runs."""
    job_id, [chunk_id] = await submitted(db)
    claim = await claimed(db, chunk_id)
    await ledger.fail(db, claim, code="X", text="x")
    await ledger.end_job(db, job_id)
    assert await steering.retry(db, job_id, [ChunkState.FAILED]) == 1
    again = await claimed(db, chunk_id)
    state = await db.fetchval("SELECT state FROM ingest.jobs WHERE job_id = $1", job_id)
    assert (again.attempt, again.fence > claim.fence, state) == (1, True, JobState.RUNNING)
    assert await outcomes(db, chunk_id) == ["failed"]


async def test_retry_resolves_dead_letters(db: Database) -> None:
    """A letter whose chunk runs again is no longer open."""
    job_id, [chunk_id] = await submitted(db)
    await ledger.fail(db, await claimed(db, chunk_id), code="X", text="x")
    await steering.retry(db, job_id, [ChunkState.FAILED])
    row = await db.fetchrow("SELECT resolution, resolved_at IS NULL FROM ingest.dead_letters")
    assert tuple(row or ()) == ("retried", False)


async def test_retry_takes_only_the_states_it_was_told(db: Database) -> None:
    """Completed and cancelled chunks stay where they are."""
    job_id, ids = await submitted(db, 3)
    await complete(db, await claimed(db, ids[0]))
    await ledger.fail(db, await claimed(db, ids[1]), code="X", text="x")
    await steering.cancel(db, job_id)
    await steering.retry(db, job_id, [ChunkState.FAILED])
    states = [(await chunk(db, each))["state"] for each in ids]
    assert states == ["completed", "pending", "cancelled"]


async def test_retry_while_the_job_ends_never_leaves_an_open_chunk_in_an_ended_job(
    wide: Database,
) -> None:
    """100 rounds: a job that was just being ended either runs again or had nothing to retry."""
    job_id, [chunk_id] = await submitted(wide)
    for _ in range(100):
        claim = await claimed(wide, chunk_id)
        await ledger.fail(wide, claim, code="X", text="x")
        await asyncio.gather(
            steering.retry(wide, job_id, [ChunkState.FAILED]),
            *(ledger.end_job(wide, job_id) for _ in range(6)),
        )
        row = await wide.fetchrow(
            "SELECT j.state AS job, k.state AS chunk FROM ingest.jobs j JOIN ingest.chunks k "
            "USING (job_id)"
        )
        assert row is not None
        assert (row["job"], row["chunk"]) == ("running", "pending")


@pytest.mark.parametrize(
    ("ends", "state"),
    [
        (["completed", "completed_empty"], JobState.COMPLETED),
        (["completed", "failed"], JobState.COMPLETED_WITH_FAILURES),
        (["completed_empty", "failed"], JobState.COMPLETED_WITH_FAILURES),
        (["failed", "failed"], JobState.FAILED),
        (["completed", "cancelled"], JobState.CANCELLED),
        (["failed", "cancelled"], JobState.CANCELLED),
    ],
)
async def test_a_job_ends_as_its_chunks_did(db: Database, ends: list[str], state: JobState) -> None:
    """The ledger's rule is `plans.final_state`."""
    job_id, ids = await submitted(db, len(ends))
    for chunk_id, end in zip(ids, ends, strict=True):
        if end == "failed":
            await ledger.fail(db, await claimed(db, chunk_id), code="X", text="x")
        elif end != "cancelled":
            claim = await claimed(db, chunk_id)
            await complete(db, claim, fetched=0 if end == "completed_empty" else 1)
    if "cancelled" in ends:
        await steering.cancel(db, job_id)
    else:
        await ledger.end_job(db, job_id)
    found = await db.fetchval("SELECT state FROM ingest.jobs WHERE job_id = $1", job_id)
    counts = {ChunkState(end): ends.count(end) for end in ends}
    assert found == state == final_state(counts)


async def test_a_job_without_chunks_ends_as_completed(db: Database) -> None:
    """Nothing left to do is done."""
    plan = job_plan(0)
    accepted = await ledger.submit(db, plan, max_attempts=5)
    assert await ledger.end_jobs(db) == [(accepted.job_id, "completed")]


async def test_two_last_chunks_that_commit_together_end_the_job(wide: Database) -> None:
    """1,000 times: neither commit sees the other, so the job is ended by a statement after both."""

    async def last(job_id: UUID, chunk_id: int) -> None:
        await complete(wide, await claimed(wide, chunk_id))
        await ledger.end_job(wide, job_id)

    for _ in range(100):
        jobs = [await submitted(wide, 2) for _ in range(10)]
        await asyncio.gather(*(last(job_id, each) for job_id, ids in jobs for each in ids))
    # A worker that skipped a job row its rival was just ending left that to the rival.
    left = await wide.fetchval("SELECT count(*) FROM ingest.jobs WHERE state <> 'completed'")
    assert left == 0


async def test_an_ended_job_has_its_counts_frozen(db: Database) -> None:
    """Records are summed over the receipts."""
    job_id, ids = await submitted(db, 2)
    for fetched, chunk_id in enumerate(ids, start=3):
        await complete(db, await claimed(db, chunk_id), fetched=fetched)
    await ledger.end_job(db, job_id)
    found = await db.fetchval("SELECT counts FROM ingest.jobs WHERE job_id = $1", job_id)
    assert (found["chunks"], found["records"]["fetched"]) == ({"completed": 2}, 7)


# --- what the tables themselves refuse ------------------------------------------------------------

CHUNK = "UPDATE ingest.chunks SET {} WHERE chunk_id = (SELECT min(chunk_id) FROM ingest.chunks)"
JOB = "UPDATE ingest.jobs SET {}"
REFUSED = {
    "a chunk that ends before it starts": CHUNK.format("end_ns = start_ns"),
    "a chunk of an unknown state": CHUNK.format("state = 'lost'"),
    "a negative fence": CHUNK.format("fence = -1"),
    "completed without receipt": CHUNK.format("state = 'completed', finished_at = now()"),
    "a receipt that does not add up": CHUNK.format(
        "state = 'completed', finished_at = now(), receipt = "
        """'{"fetched": 3, "stored": 1, "quarantined": 1, "already_stored": 0}'"""
    ),
    "a receipt that lacks a count": CHUNK.format(
        "state = 'completed', finished_at = now(), receipt = "
        """'{"fetched": 1, "stored": 1, "quarantined": 0}'"""
    ),
    "a receipt on an open chunk": CHUNK.format(
        """receipt = '{"fetched": 1, "stored": 1, "quarantined": 0, "already_stored": 0}'"""
    ),
    "empty with records": CHUNK.format(
        "state = 'completed_empty', finished_at = now(), receipt = "
        """'{"fetched": 1, "stored": 1, "quarantined": 0, "already_stored": 0}'"""
    ),
    "completed without records": CHUNK.format(
        "state = 'completed', finished_at = now(), receipt = "
        """'{"fetched": 0, "stored": 0, "quarantined": 0, "already_stored": 0}'"""
    ),
    "a final chunk without its time": CHUNK.format("state = 'cancelled'"),
    "an open chunk that has ended": CHUNK.format("finished_at = now()"),
    "failed for no reason": CHUNK.format("state = 'failed', finished_at = now()"),
    "queued at no time": CHUNK.format("state = 'queued'"),
    "in progress without an owner": CHUNK.format("state = 'in_progress'"),
    "deferred at no time": CHUNK.format("deferrals = 1"),
    "a long error": CHUNK.format("error_text = repeat('x', 2049)"),
    "a negative count": CHUNK.format("expected = -1"),
    "an unknown job state": JOB.format("state = 'paused'"),
    "a final job without its time": JOB.format("state = 'completed', counts = '{}'"),
    "a final job without counts": JOB.format("state = 'completed', finished_at = now()"),
    "an unknown priority": JOB.format("priority = 3"),
}


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED.keys())
async def test_the_ledger_refuses(db: Database, statement: str) -> None:
    """A CHECK constraint keeps what no code path may write."""
    await submitted(db)
    with pytest.raises(IngestError) as told:
        await db.fetchval(f"{statement} RETURNING 1")
    assert isinstance(told.value.__cause__, asyncpg.CheckViolationError)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO ingest.supersessions VALUES (1, $1, 0, 'corrected')",
        "INSERT INTO ingest.supersessions VALUES (1, $1, 1, 'lost')",
        (
            "INSERT INTO ingest.attempts (chunk_id, fence, attempt, worker, started_at, outcome) "
            "VALUES ($1, 1, 1, 'w', now(), 'gone')"
        ),
        (
            "INSERT INTO ingest.quarantine (chunk_id, position, raw, rule, field, value, reason, "
            "publisher_id, instrument_id) VALUES ($1, -1, '', '', '', '', '', 1, 1)"
        ),
        "INSERT INTO ingest.payloads (uri, sha256, size) SELECT 'x', 'AB', $1",
        "INSERT INTO public.publishers SELECT 65536, 'X.Y', $1::TEXT",
        "INSERT INTO ingest.symbol_intervals SELECT 'X', 'a', 'b', 'c', -1, '{}', $1::TEXT",
        (
            "INSERT INTO ingest.workers (worker, role, host, pid, version) "
            "SELECT 'w', 'boss', 'h', $1, 'v'"
        ),
    ],
)
async def test_the_ledger_refuses_rows_that_make_no_sense(db: Database, statement: str) -> None:
    """CHECK constraints of the tables beside the chunks."""
    _, [chunk_id] = await submitted(db)
    value: Any = str(chunk_id) if "$1::TEXT" in statement else chunk_id
    with pytest.raises(IngestError) as told:
        await db.fetchval(f"{statement} RETURNING 1", value)
    assert isinstance(told.value.__cause__, asyncpg.CheckViolationError)
