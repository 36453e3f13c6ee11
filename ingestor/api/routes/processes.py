"""Who is at work, and with which versions."""

from __future__ import annotations

from fastapi import APIRouter

from ingestor import insights
from ingestor.api.answers import NoticeAnswer, VersionsAnswer, WorkerAnswer, WorkersAnswer
from ingestor.api.service import Shared

router = APIRouter(tags=["processes"])


@router.get("/workers")
async def list_workers(service: Shared) -> WorkersAnswer:
    """Worker processes and schedulers, the chunk each worker holds, and what is missing."""
    database = await service.opened()
    found = await insights.workers(database)
    missing = await insights.presence_warnings(database)
    return WorkersAnswer(
        workers=[WorkerAnswer.model_validate(each) for each in found],
        notices=[NoticeAnswer.model_validate(each) for each in missing],
    )


@router.get("/version")
async def show_version(service: Shared) -> VersionsAnswer:
    """Versions of HDI, Python and dbn, and of the database where it answers."""
    return VersionsAnswer.model_validate(await insights.versions(service.opened))
