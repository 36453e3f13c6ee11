"""Chunks that failed for good."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import WithJsonSchema

from ingestor.api.failures import told
from ingestor.api.letter_answers import DeadLettersAnswer
from ingestor.api.service import Shared
from ingestor.insights import letters, resolve_job
from ingestor.store.letters import Choice

router = APIRouter(prefix="/dead-letters", tags=["jobs"])

_CODE = "^[A-Z][A-Za-z]{0,60}$"

# Left out, they are None; but no caller can send a null.
Job = Annotated[
    str | None,
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 200}),
    Query(
        min_length=1,
        max_length=200,
        description="Letters of this job: a unique prefix of the id, a name, or @last.",
    ),
]
Code = Annotated[
    str | None,
    WithJsonSchema({"type": "string", "pattern": _CODE}),
    Query(pattern=_CODE, description="Letters of this error, e.g. CorruptPayload."),
]


@router.get("", responses=told(404, 409, 422))
async def list_dead_letters(
    service: Shared,
    job: Job = None,
    code: Code = None,
    open: Annotated[  # noqa: A002 - the name of the parameter
        bool, Query(description="Only letters that nobody has retried or discarded.")
    ] = True,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 20,
) -> DeadLettersAnswer:
    """Dead letters, latest first, and how many there are of each error.

    A letter is the object of `hdi dlq show --json`, with every attempt.
    """
    database = await service.opened()
    job_id = None if job is None else await resolve_job(database, job)
    wanted = Choice(job_id=job_id, code=code, open=open)
    found = await letters.listing(database, wanted, limit=limit)
    return DeadLettersAnswer.model_validate(found.as_json())
