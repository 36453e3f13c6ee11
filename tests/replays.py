"""Payloads loaded again by changed rules, without the command that plans it."""

from __future__ import annotations

from uuid import uuid4

from ingestor.insights.verification import verify
from ingestor.job import ChunkPlan, Claim, Contents, JobPlan, RequestPlan
from ingestor.receipt import Receipt
from ingestor.store import ledger
from ingestor.vocabulary import Priority
from tests.loads import Bench


async def planned(bench: Bench, claim: Claim) -> int:
    """The id of a new chunk that loads the payload of a completed one again."""
    chunk = ChunkPlan(
        claim.start, claim.end, claim.payload, Contents(claim.expected or 0), claim.symbols,
        claim.predecessors, claim.partial, claim.last_slice, claim.chunk_id,
    )  # fmt: skip
    request = RequestPlan(
        claim.dataset, claim.schema, claim.stype_in, claim.symbols, claim.start, claim.end,
        (chunk,),
    )  # fmt: skip
    plan = JobPlan(uuid4().hex, "again", claim.source, Priority.NORMAL, {}, (request,))
    job = await ledger.submit(bench.database, plan, max_attempts=5)
    found: int = await bench.database.fetchval(
        "SELECT chunk_id FROM ingest.chunks WHERE job_id = $1", job.job_id
    )
    return found


async def replay(bench: Bench, claim: Claim) -> Receipt:
    """Loads the payload of a completed chunk again."""
    return await bench.run(await bench.claim(await planned(bench, claim)))


async def check(bench: Bench) -> None:
    """Rows, quarantine, receipts and supersessions of all chunks agree."""
    found = await verify(bench.database)
    assert found.adds_up, found.differences
