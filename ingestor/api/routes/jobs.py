"""Jobs and their chunks."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import WithJsonSchema

from ingestor import insights
from ingestor.api.answers import ChunkAnswer, ChunksAnswer, JobAnswer, JobsAnswer, StatusAnswer
from ingestor.api.failures import told
from ingestor.api.service import Shared
from ingestor.vocabulary import ChunkState, JobState

router = APIRouter(prefix="/jobs", tags=["jobs"])

_LARGEST_ID = 2**31 - 1

Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]

# Left out, it is None; but no caller can send a null.
State = Annotated[
    JobState | None,
    WithJsonSchema({"type": "string", "enum": [str(state) for state in JobState]}),
    Query(description="Only jobs in this state."),
]

Job = Annotated[
    str,
    # Unknown names are compared with known ones, which takes time by their length.
    Path(min_length=1, max_length=200, description="A unique prefix of the id, a name, or @last."),
]


@router.get("", responses=told(422))
async def list_jobs(service: Shared, state: State = None, limit: Limit = 20) -> JobsAnswer:
    """Jobs, newest first. Counts of a job under way may be 1.5 s old."""
    found = await insights.jobs(await service.opened(), limit=limit, state=state)
    return JobsAnswer(jobs=[JobAnswer.model_validate(line.as_json()) for line in found])


@router.get("/{job}", responses=told(404, 409, 422))
async def show_job(service: Shared, job: Job) -> StatusAnswer:
    """How a job stands. Counts of a job under way may be 1.5 s old."""
    database = await service.opened()
    found = await insights.job_status(database, await insights.resolve_job(database, job))
    return StatusAnswer.model_validate(found.as_json())


@router.get("/{job}/chunks", responses=told(404, 409, 422))
async def list_chunks(
    service: Shared,
    job: Job,
    state: Annotated[
        list[ChunkState], Query(default_factory=list, description="Only chunks in these states.")
    ],
    after: Annotated[
        int, Query(ge=0, le=_LARGEST_ID, description="Only chunks behind this one.")
    ] = 0,
    limit: Limit = 100,
) -> ChunksAnswer:
    """The chunks of a job with their receipts, in the order they were planned, page by page."""
    database = await service.opened()
    job_id = await insights.resolve_job(database, job)
    # One more than asked for tells whether there is another page.
    found = await insights.chunks(database, job_id, states=state, after=after, limit=limit + 1)
    page = [ChunkAnswer.model_validate(line) for line in found[:limit]]
    more = page[-1].chunk_id if len(found) > limit else None
    return ChunksAnswer(job_id=job_id, chunks=page, next_after=more)
