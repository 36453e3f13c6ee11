"""The FastAPI app: routes, who may ask them, and how errors are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

from ingestor import __version__
from ingestor.api.access import AccessLog
from ingestor.api.failures import told, translate
from ingestor.api.guard import Guard
from ingestor.api.parameters import only_known
from ingestor.api.routes import dead_letters, jobs, metrics, probes, processes
from ingestor.api.service import Service
from ingestor.errors import IngestError
from ingestor.logs import get_logger
from ingestor.settings import Settings

log = get_logger(__name__)


def create_app(settings: Settings) -> FastAPI:
    """The app. When it starts it reaches for the database, and waits for nothing to answer.

    Raises:
        NotConfigured: No URL of a database or of Redis is set.
    """
    app = FastAPI(
        title="Hist Data Ingestor", version=__version__, lifespan=_lifespan, redirect_slashes=False,
        # Their pages load scripts from elsewhere.
        docs_url=None, redoc_url=None, generate_unique_id_function=lambda route: route.name,
    )  # fmt: skip
    app.state.service = Service(settings)
    app.include_router(probes.router)
    app.include_router(metrics.router)
    strict = Depends(only_known)
    asked: dict[str, Any] = {
        "prefix": "/api", "responses": told(403, 422, 503), "dependencies": [strict],
    }  # fmt: skip
    if settings.api_token is not None:
        # For the description; `Guard` is what keeps others out.
        bearer = HTTPBearer(auto_error=False, description="What HDI_API_TOKEN holds.")
        asked |= {"responses": told(401, 422, 503), "dependencies": [Depends(bearer), strict]}
    for each in (jobs, dead_letters, processes):
        app.include_router(each.router, **asked)
    translate(app)
    app.add_middleware(Guard, token=settings.api_token)
    app.add_middleware(AccessLog)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    # Beside the start: until that has ended, whoever asks /healthz would wait with it.
    opening = asyncio.create_task(_opened(service))
    try:
        yield
    finally:
        opening.cancel()
        await service.close()


async def _opened(service: Service) -> None:
    try:
        await service.opened()
    except IngestError as error:
        log.warning("database away", reason=error.message)
