"""Errors as answers."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from ingestor.api.failures import status_of
from ingestor.errors import (
    BrokerUnavailable,
    CorruptPayload,
    DatabaseHalted,
    DatabaseUnavailable,
    IngestError,
    SchemaOutdated,
    UnknownJob,
)
from ingestor.insights import AmbiguousJob
from tests.unit.api.conftest import call


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (UnknownJob, 404),
        (AmbiguousJob, 409),
        (DatabaseUnavailable, 503),
        (DatabaseHalted, 503),
        (BrokerUnavailable, 503),
        (SchemaOutdated, 503),
        (CorruptPayload, 500),
    ],
)
def test_a_status_says_whose_turn_it_is(kind: type[IngestError], status: int) -> None:
    """4xx: the caller's; 503: wait or mend the service; 500: a fault of ours."""
    assert status_of(kind("what")) == status


@pytest.mark.parametrize(
    "path",
    ["/api/jobs", "/api/jobs/@last", "/api/jobs/x/chunks", "/api/dead-letters", "/api/workers"],
)
async def test_a_database_that_is_away_is_503(app: FastAPI, path: str) -> None:
    """With the place and what to do, without the password."""
    reply = await call(app, path)

    assert (reply.status, reply.error["code"]) == (503, "DatabaseUnavailable")
    assert "127.0.0.1:1/hdi" in reply.error["message"]
    assert reply.error["hint"]
    assert "hushhush" not in reply.text


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("/api/jobs?state=gone", "state"),
        ("/api/jobs?state=", "state"),
        ("/api/jobs?limit=0", "limit"),
        ("/api/jobs?limit=1001", "limit"),
        ("/api/jobs?limit=ten", "limit"),
        ("/api/jobs/x/chunks?after=-1", "after"),
        ("/api/dead-letters?open=maybe", "open"),
        ("/api/dead-letters?code=a%20b", "code"),
        ("/api/dead-letters?job=", "job"),
        ("/api/dead-letters?limit=0", "limit"),
        ("/api/jobs/x/chunks?after=2147483648", "after"),
        ("/api/jobs/x/chunks?state=failed&state=gone", "state.1"),
        (f"/api/jobs/{'x' * 201}", "job"),
    ],
)
async def test_a_bad_parameter_is_422_and_named(app: FastAPI, target: str, named: str) -> None:
    """Before the database is asked for: a caller learns of it while that is away, too."""
    reply = await call(app, target)

    assert (reply.status, reply.error["code"]) == (422, "BadParameter")
    assert reply.error["message"].startswith(f"{named}: ")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "NotFound"),
        ("GET", "/api/jobs/", 404, "NotFound"),
        ("GET", "/docs", 404, "NotFound"),
        ("POST", "/api/jobs", 405, "MethodNotAllowed"),
        ("DELETE", "/api/jobs/x", 405, "MethodNotAllowed"),
    ],
)
async def test_what_is_not_there_has_the_same_form(
    app: FastAPI, method: str, path: str, status: int, code: str
) -> None:
    """Nothing here can be changed over HTTP."""
    reply = await call(app, path, method=method)

    assert (reply.status, reply.error["code"]) == (status, code)
    assert (status == 405) == ("allow" in reply.headers)


async def test_an_unforeseen_error_tells_its_kind_and_nothing_else(app: FastAPI) -> None:
    """No text of it, for it may hold anything; no traceback."""

    @app.get("/breaks")
    async def breaks() -> None:
        raise ZeroDivisionError("secret=hushhush")

    reply = await call(app, "/breaks")

    assert (reply.status, reply.error["code"]) == (500, "Unforeseen")
    assert "ZeroDivisionError" in reply.error["message"]
    assert "hushhush" not in reply.text
    assert "Traceback" not in reply.text


async def test_secrets_are_taken_out_of_messages(app: FastAPI) -> None:
    """Whatever somebody wrote into an error."""

    @app.get("/tells")
    async def tells() -> None:
        raise UnknownJob("postgresql://hdi:hushhush@db/x", hint="password=hushhush")

    reply = await call(app, "/tells")

    assert reply.status == 404
    assert "hushhush" not in reply.text
