"""Jobs as a plan would make them, for tests of the ledger: no file stands behind them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid4

from ingestor.job import ChunkPlan, Claim, Contents, JobPlan, PayloadRef, RequestPlan
from ingestor.receipt import Receipt
from ingestor.simulator.market import DAY, MONDAY
from ingestor.store import ledger
from ingestor.store.database import Database
from ingestor.vocabulary import ChunkState, Dataset, JobState, Priority, Schema

PAYLOAD = PayloadRef("/nowhere/a.dbn", "ab" * 32, 100)


def job_plan(
    chunks: int = 1, *, key: str | None = None, priority: Priority = Priority.NORMAL
) -> JobPlan:
    """A job of so many chunks, a day each."""
    plans = tuple(
        ChunkPlan(MONDAY + day * DAY, MONDAY + (day + 1) * DAY, PAYLOAD, Contents(records=1))
        for day in range(chunks)
    )
    end = MONDAY + max(chunks, 1) * DAY
    request = RequestPlan(
        Dataset("GLBX.MDP3"), Schema.TRADES, "raw_symbol", ("ESM4",), MONDAY, end, plans
    )
    return JobPlan(key or uuid4().hex, "test", "dbn-files", priority, {}, (request,))


async def submitted(
    database: Database, chunks: int = 1, *, priority: Priority = Priority.NORMAL
) -> tuple[UUID, list[int]]:
    """A job in the ledger, and the ids of its chunks."""
    plan = job_plan(chunks, priority=priority)
    accepted = await ledger.submit(database, plan, max_attempts=5)
    rows = await database.fetch(
        "SELECT chunk_id FROM ingest.chunks WHERE job_id = $1 ORDER BY chunk_id", accepted.job_id
    )
    return accepted.job_id, [row["chunk_id"] for row in rows]


async def claimed(
    database: Database, chunk_id: int, *, worker: str = "w/1", lease_s: float = 60
) -> Claim:
    """The chunk, claimed by `worker`."""
    claim = await ledger.claim(database, chunk_id, worker=worker, lease_s=lease_s, max_lost=3)
    assert claim is not None
    return claim


async def complete(database: Database, claim: Claim, *, fetched: int = 1) -> bool:
    """Ends a claim as a load does, without rows; False where it was not ours any more."""
    async with database.connection() as connection, connection.transaction():
        if not await ledger.lock(connection, claim):
            return False
        proof = ledger.Proof(claim.payload or PAYLOAD, Contents(records=fetched), None)
        return await ledger.finish(connection, claim, receipt(fetched), proof)


def receipt(fetched: int = 1, **counts: int) -> Receipt:
    told = {"stored": fetched, "quarantined": 0, "already_stored": 0, "corrected": 0, "flagged": 0}
    return Receipt(
        fetched=fetched, **(told | counts), sha256="ab" * 32, mapping_hash="cd" * 32, partial="",
        way="copy", seconds={},
    )  # fmt: skip


def final_state(chunks: Mapping[ChunkState, int]) -> JobState:
    """The state of a job none of whose chunks is open.

    Cancelled once a person cancelled any chunk; failed where every chunk failed.
    """
    if chunks.get(ChunkState.CANCELLED, 0):
        return JobState.CANCELLED
    if not chunks.get(ChunkState.FAILED, 0):
        return JobState.COMPLETED
    done = chunks.get(ChunkState.COMPLETED, 0) + chunks.get(ChunkState.COMPLETED_EMPTY, 0)
    return JobState.COMPLETED_WITH_FAILURES if done else JobState.FAILED
