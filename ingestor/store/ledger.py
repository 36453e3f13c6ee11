"""The ledger's moves: each one statement or one transaction, judged by the database's clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID, uuid4

import asyncpg

from ingestor.job import Claim, Contents, JobPlan, PayloadRef
from ingestor.receipt import Receipt
from ingestor.redaction import redact
from ingestor.store.database import Connection, Database
from ingestor.store.planned import bounds_of, payload_ids, record_payloads, record_request
from ingestor.store.queries import queries
from ingestor.store.symbols import keep_intervals
from ingestor.vocabulary import ChunkId, ChunkState, Dataset, Fence, Realm, Schema

_CHUNKS = queries("chunks")
_JOBS = queries("jobs")

ERROR_BYTES = 2048


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a submission.

    Attributes:
        fresh: False where the same resolved request had been submitted before.
    """

    job_id: UUID
    fresh: bool


async def submit(database: Database, plan: JobPlan, *, max_attempts: int) -> Accepted:
    """Records a job with all its chunks in one transaction, before anything is enqueued."""
    async with database.connection() as connection, connection.transaction():
        job_id = await connection.fetchval(
            _JOBS["insert"], uuid4(), plan.name, plan.key, plan.source, dict(plan.spec),
            plan.priority.rank, plan.chunk_count,
            None if plan.quoted_usd is None else Decimal(str(plan.quoted_usd)),
        )  # fmt: skip
        if job_id is None:
            return Accepted(await connection.fetchval(_JOBS["by_key"], plan.key), fresh=False)
        for dataset in sorted({request.dataset for request in plan.requests}):
            await keep_intervals(connection, dataset, plan.symbology, source=plan.source)
        payloads = await record_payloads(connection, plan)
        for request in plan.requests:
            await record_request(connection, job_id, request, payloads, max_attempts)
        return Accepted(job_id, fresh=True)


async def find(database: Database, key: str) -> UUID | None:
    """The job of this resolved request, if it was submitted before."""
    job_id: UUID | None = await database.fetchval(_JOBS["by_key"], key)
    return job_id


async def claim(
    database: Database,
    chunk_id: int,
    *,
    worker: str,
    lease_s: float,
    max_lost: int,
    probe_s: float = 30.0,
    grace_s: float = 0.0,
) -> Claim | None:
    """Takes the chunk, or takes it over from a worker whose lease ran out; None: not to be had.

    While the line is stopped (`halts`), one claim in `probe_s` succeeds. For `grace_s` after the
    server's start no lease counts as run out: while it was down nobody could renew one.
    """
    row = await database.fetchrow(
        _CHUNKS["claim"], chunk_id, worker, lease_s, max_lost, probe_s, grace_s
    )
    return None if row is None else _claim(row)


def _claim(row: asyncpg.Record) -> Claim:
    return Claim(
        chunk_id=ChunkId(row["chunk_id"]),
        job_id=row["job_id"],
        fence=Fence(row["fence"]),
        attempt=row["attempt"],
        max_attempts=row["max_attempts"],
        lost_count=row["lost_count"],
        deferrals=row["deferrals"],
        first_deferred_s=row["first_deferred_s"],
        local_faults=row["local_faults"],
        source=row["source"],
        dataset=Dataset(row["dataset"]),
        schema=Schema(row["schema"]),
        stype_in=row["stype_in"],
        symbols=tuple(row["symbols"]),
        start=int(row["start_ns"]),
        end=int(row["end_ns"]),
        last_slice=row["last_slice"],
        expected=row["expected"],
        payload=None if row["uri"] is None else PayloadRef(row["uri"], row["sha256"], row["size"]),
        predecessors=tuple(_ref(line) for line in row["predecessors"]),
        partial=row["partial"],
        forced=row["forced"],
        accept_removals=row["accept_removals"],
        replays=row["replays"],
        releases=row["releases"],
        cut_by=row["cut_by"] or "",
    )


def _ref(lines: str) -> PayloadRef:
    uri, sha256, size = lines.rsplit("\n", 2)
    return PayloadRef(uri, sha256, int(size))


async def renew(
    database: Database, claim: Claim, *, lease_s: float, rows: int, bytes_: int
) -> bool:
    """Renews the lease; False: the chunk has another owner now."""
    return bool(
        await database.fetchval(
            _CHUNKS["heartbeat"], claim.chunk_id, claim.fence, lease_s, rows, bytes_
        )
    )


async def lock(connection: Connection, claim: Claim, *, worker: str = "") -> bool:
    """Locks the chunk row until the transaction ends; False: the chunk has another owner now.

    Until then the session is called ``hdi:<chunk>:<fence>:<worker>``, so that the reaper finds it.
    """
    name = f"hdi:{claim.chunk_id}:{claim.fence}:{worker}"[:63]
    locked = await connection.fetchval(_CHUNKS["lock"], claim.chunk_id, claim.fence, name)
    return locked is not None


@dataclass(frozen=True, slots=True)
class Proof:
    """What a load writes of its payload with its receipt."""

    ref: PayloadRef
    contents: Contents
    realm: Realm | None


async def finish(connection: Connection, claim: Claim, receipt: Receipt, proof: Proof) -> bool:
    """Writes receipt and final state inside the load transaction; False: not ours any more."""
    state = ChunkState.COMPLETED if receipt.fetched else ChunkState.COMPLETED_EMPTY
    if claim.payload != proof.ref:  # else it was recorded with the job
        await payload_ids(connection, [proof.ref], proof.realm)
    done = await connection.fetchval(
        _CHUNKS["finish"], claim.chunk_id, claim.fence, state, receipt.as_json(),
        *bounds_of(proof.contents), proof.ref.uri, proof.ref.sha256,
    )  # fmt: skip
    return done is not None


async def settled(database: Database, claim: Claim) -> bool:
    """After a commit whose answer was lost: whether this attempt's commit went through."""
    row = await database.fetchrow(_CHUNKS["settled"], claim.chunk_id)
    assert row is not None
    return row["fence"] == claim.fence and ChunkState(row["state"]) in (
        ChunkState.COMPLETED,
        ChunkState.COMPLETED_EMPTY,
    )


@dataclass(frozen=True, slots=True)
class Release:
    """How an attempt that failed gives its chunk back.

    Attributes:
        delay_s: Seconds until it may be claimed again.
        give_back: Whether the attempt is not counted.
        outcome: Word for the trace: retrying or deferred.
        carried: Whether a Celery retry brings the chunk back; else the dispatcher does.
        counted: Whether it counts as a deferral.
        local: Whether this host was at fault.
    """

    code: str
    text: str
    delay_s: float
    give_back: bool
    outcome: str
    carried: bool
    counted: bool = False
    local: bool = False


async def release(database: Database, claim: Claim, how: Release) -> ChunkState | None:
    """Gives the chunk back: its new state, None where it has another owner already."""
    state = await database.fetchval(
        _CHUNKS["release"], claim.chunk_id, claim.fence, how.code, short(how.text), how.delay_s,
        how.give_back, how.outcome, how.carried, how.counted, how.local,
    )  # fmt: skip
    return None if state is None else ChunkState(state)


async def fail(database: Database, claim: Claim, *, code: str, text: str) -> bool:
    """Ends the chunk for good with a dead letter; False: it has another owner already."""
    done = await database.fetchval(_CHUNKS["fail"], claim.chunk_id, claim.fence, code, short(text))
    return done is not None


async def withdraw(database: Database, claim: Claim, *, code: str, text: str) -> bool:
    """Ends the chunk without a dead letter: nobody failed; False: it has another owner already."""
    done = await database.fetchval(
        _CHUNKS["withdraw"], claim.chunk_id, claim.fence, code, short(text)
    )
    return done is not None


async def outcome(database: Database, claim: Claim) -> str | None:
    """What the trace says of this attempt: ours, though the answer to its commit was lost."""
    found: str | None = await database.fetchval(_CHUNKS["outcome"], claim.chunk_id, claim.fence)
    return found


async def states(database: Database, chunk_ids: Sequence[int]) -> dict[int, ChunkState]:
    """Of each of those chunks that the ledger knows, its state."""
    rows = await database.fetch(_CHUNKS["states"], list(chunk_ids))
    return {row["chunk_id"]: ChunkState(row["state"]) for row in rows}


async def refuse_rest(database: Database, job_id: UUID, *, code: str, text: str) -> list[int]:
    """Ends every chunk of a job that would ask a provider who refuses it; which."""
    rows = await database.fetch(_JOBS["refuse_rest"], job_id, code, short(text))
    return [row["chunk_id"] for row in rows]


async def hand_back(database: Database, workers: Sequence[str]) -> list[int]:
    """Releases every chunk those workers hold; their attempts are given back."""
    rows = await database.fetch(_CHUNKS["hand_back"], list(workers))
    return [row["chunk_id"] for row in rows]


async def held(database: Database, workers: Sequence[str]) -> list[int]:
    """The chunks those workers hold a lease of."""
    rows = await database.fetch(_CHUNKS["held"], list(workers))
    return [row["chunk_id"] for row in rows]


async def clock(database: Database) -> float:
    """Seconds since 1970 by the database's clock, which judges leases."""
    return float(await database.fetchval(_CHUNKS["clock"]))


async def end_job(database: Database, job_id: UUID) -> str | None:
    """Ends the job if none of its chunks is open; its final state, None where it goes on."""
    # Of ten thousand chunks one is the last: the others only look.
    if not await database.fetchval(_JOBS["endable"], job_id):
        return None
    async with database.connection() as connection, connection.transaction():
        if await connection.fetchval(_JOBS["own_end"], job_id) is None:
            return None
        row = await connection.fetchrow(_JOBS["end"], job_id)
        return None if row is None else str(row["state"])


async def end_jobs(database: Database) -> list[tuple[UUID, str]]:
    """Ends every open job without an open chunk."""
    jobs = [row["job_id"] for row in await database.fetch(_JOBS["all_endable"])]
    states = [(job_id, await end_job(database, job_id)) for job_id in jobs]
    return [(job_id, state) for job_id, state in states if state is not None]


def short(text: str) -> str:
    """What the ledger holds of an error: no secret, and cut on a character border."""
    return redact(text).encode()[:ERROR_BYTES].decode(errors="ignore")
