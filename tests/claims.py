"""Claims as the ledger would hand them out, for tests that need no ledger."""

from __future__ import annotations

from uuid import UUID

import numpy as np

from ingestor.job import ChunkPlan, Claim, JobPlan, RequestPlan
from ingestor.sources.source import Payload, Source
from ingestor.vocabulary import ChunkId, Fence

_JOB = UUID(int=1)


def claims_of(plan: JobPlan) -> list[Claim]:
    """One claim per chunk, in the order of the plan."""
    planned = [(request, chunk) for request in plan.requests for chunk in request.chunks]
    return [_claim(number, plan, *each) for number, each in enumerate(planned)]


def only_claim(plan: JobPlan) -> Claim:
    [claim] = claims_of(plan)
    return claim


def read(source: Source, claim: Claim, count: int = 65_536) -> tuple[Payload, np.ndarray]:
    """Fetches a claim and reads all of it."""
    payload = source.fetch(claim)
    arrays = [records for records, _ in source.batches(payload, claim, count)]
    return payload, np.concatenate(arrays) if arrays else np.empty(0, payload.layout)


def _claim(number: int, plan: JobPlan, request: RequestPlan, chunk: ChunkPlan) -> Claim:
    return Claim(
        chunk_id=ChunkId(number),
        job_id=_JOB,
        fence=Fence(1),
        attempt=1,
        max_attempts=5,
        lost_count=0,
        deferrals=0,
        first_deferred_s=0.0,
        source=plan.source,
        dataset=request.dataset,
        schema=request.schema,
        stype_in=request.stype_in,
        symbols=request.symbols if chunk.symbols is None else chunk.symbols,
        start=chunk.start,
        end=chunk.end,
        last_slice=chunk.last,
        expected=None if chunk.contents is None else chunk.contents.records,
        payload=chunk.payload,
        predecessors=chunk.predecessors,
        partial=chunk.partial,
        cut_by=chunk.cut_by,
    )
