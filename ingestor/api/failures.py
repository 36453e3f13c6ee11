"""Errors as answers: a status and ``{"error": {"code", "message", "hint"}}``, never a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ingestor.api.answers import Failure, FailureFacts
from ingestor.errors import IngestError, Retryable, SchemaOutdated, UnknownJob
from ingestor.insights import AmbiguousJob

_STATUS: Final[tuple[tuple[type[IngestError], int], ...]] = (
    (AmbiguousJob, 409),
    (UnknownJob, 404),
    (SchemaOutdated, 503),
    (Retryable, 503),
)

_MEANT: Final = {
    401: "The token is missing or wrong.",
    403: "Without a token: the request names a host that is not loopback.",
    404: "No job is called that.",
    409: "Several jobs are called that.",
    422: "A parameter is not what it may be.",
    503: "The database does not answer, or needs `hdi db migrate`.",
}


def told(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The failures of a route, for its description."""
    return {each: {"model": Failure, "description": _MEANT[each]} for each in statuses}


def failure(
    status: int,
    code: str,
    message: str,
    hint: str = "",
    *,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """An error as an answer, secrets taken out."""
    facts = FailureFacts(code=code, message=message, hint=hint)
    return JSONResponse(Failure(error=facts).model_dump(), status, headers)


def status_of(error: IngestError) -> int:
    """503 for what may pass, 404 and 409 for jobs; anything else is a fault of ours."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def translate(app: FastAPI) -> None:
    """Makes every error of the app an answer of this form."""
    app.add_exception_handler(IngestError, _ours)
    app.add_exception_handler(RequestValidationError, _parameters)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)


async def _ours(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, IngestError)
    return failure(status_of(error), error.code, error.message, error.hint)


async def _parameters(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = [f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors()]
    return failure(422, "BadParameter", "; ".join(faults), "/openapi.json says what it may be")


async def _http(_: Request, error: Exception) -> JSONResponse:
    """What the router refuses: a path that is none, a method that the path does not know."""
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).phrase.title().replace(" ", "")
    return failure(
        error.status_code, code, error.detail, "/openapi.json lists what there is",
        headers=error.headers,
    )  # fmt: skip


async def _unforeseen(_: Request, error: Exception) -> JSONResponse:
    """The traceback goes to the log, by uvicorn, to which the error is raised again."""
    message = f"unforeseen {type(error).__name__}"
    return failure(500, "Unforeseen", message, "this is a fault in HDI; its log holds the trace")
