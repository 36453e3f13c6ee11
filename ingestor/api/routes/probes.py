"""For supervisors: does the process answer, and can it be used? Open to everybody."""

from __future__ import annotations

from fastapi import APIRouter, Response

from ingestor.api.answers import CheckAnswer, Liveness, ReadinessAnswer
from ingestor.api.service import Shared

router = APIRouter(tags=["probes"])


@router.get("/healthz")
async def healthz() -> Liveness:
    """The process answers. It asks nobody else: a restart mends no database."""
    return Liveness()


@router.get(
    "/readyz",
    responses={
        503: {"model": ReadinessAnswer, "description": "A check failed; `hint` says what next."}
    },
)
async def readyz(service: Shared, response: Response) -> ReadinessAnswer:
    """The database answers and is migrated, and the queue answers; 503 where one does not."""
    checks = [CheckAnswer.model_validate(check) for check in await service.readiness.checks()]
    ready = all(check.ok for check in checks)
    if not ready:
        response.status_code = 503
    return ReadinessAnswer(ready=ready, checks=checks)
