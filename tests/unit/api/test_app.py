"""What the app describes, and what it says while everything else is away."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from ingestor.api.app import create_app
from ingestor.errors import NotConfigured
from ingestor.settings import Settings
from tests.unit.api.conftest import TOKEN, call, made_settings

PATHS = {
    "/healthz", "/readyz", "/metrics", "/api/jobs", "/api/jobs/{job}", "/api/jobs/{job}/chunks",
    "/api/dead-letters", "/api/workers", "/api/version",
}  # fmt: skip


def operations(app: FastAPI) -> dict[str, Any]:
    described = app.openapi()["paths"]
    assert all(set(methods) == {"get"} for methods in described.values())
    return {path: methods["get"] for path, methods in described.items()}


def test_every_route_is_described_with_its_failures(app: FastAPI) -> None:
    """FastAPI's own form of a 422 is none of ours."""
    found = operations(app)
    asked = {path: each for path, each in found.items() if path.startswith("/api/")}

    assert set(found) == PATHS
    assert "HTTPValidationError" not in app.openapi()["components"]["schemas"]
    for each in asked.values():
        for status in set(each["responses"]) - {"200"}:
            form = each["responses"][status]["content"]["application/json"]["schema"]
            assert form == {"$ref": "#/components/schemas/Failure"}
        assert {"403", "503"} <= set(each["responses"])


def test_the_token_is_described_where_it_is_needed(app: FastAPI, guarded: FastAPI) -> None:
    """By /api, not by the probes; nowhere without a token."""
    assert not any("security" in each for each in operations(app).values())
    with_token = {path for path, each in operations(guarded).items() if "security" in each}
    assert with_token == {path for path in PATHS if path.startswith("/api/")}
    assert all("401" in operations(guarded)[path]["responses"] for path in with_token)
    assert TOKEN not in str(guarded.openapi())


async def test_the_process_is_alive_while_everything_else_is_away(app: FastAPI) -> None:
    reply = await call(app, "/healthz")

    assert (reply.status, reply.json) == (200, {"status": "ok"})


async def test_it_is_not_ready_then_and_says_what_to_do(app: FastAPI) -> None:
    """Each failed check with its command; whoever asks learns of no host, login or password."""
    reply = await call(app, "/readyz")
    checks = {each["name"]: each for each in reply.json["checks"]}

    assert (reply.status, reply.json["ready"]) == (503, False)
    assert checks["database"]["code"] == "DatabaseUnavailable"
    assert "HDI_DATABASE_URL" in checks["database"]["hint"]
    assert checks["queue"]["code"] == "BrokerUnavailable"
    assert "HDI_REDIS_URL" in checks["queue"]["hint"]
    assert not [word for word in ("hushhush", "127.0.0.1", "postgresql") if word in reply.text]


async def test_the_process_is_alive_before_the_database_has_answered(tmp_path: Path) -> None:
    """One that takes connections and says nothing keeps neither the start waiting nor the end."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://hdi@127.0.0.1:{silent.getsockname()[1]}/hdi"
        patient = {"connect_timeout_s": 3600}
        app = create_app(made_settings(tmp_path, database_url=url, database=patient))
        async with asyncio.timeout(30), app.router.lifespan_context(app):
            silent.settimeout(0)
            while True:
                # It has knocked, and goes on waiting.
                await asyncio.sleep(0.01)
                with suppress(BlockingIOError):
                    knocking, _ = silent.accept()
                    break
            reply = await call(app, "/healthz")
        knocking.close()

    assert (reply.status, reply.json) == (200, {"status": "ok"})
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("/api/jobs?bogus=1", "bogus: no such parameter; allowed: state, limit"),
        ("/api/jobs?limit=5&sate=failed", "sate: no such parameter; allowed: state, limit"),
        ("/api/jobs?limit=1&limit=2", "limit: given 2 times; once at most"),
        ("/api/jobs?state=failed&state=failed", "state: given 2 times; once at most"),
        ("/api/jobs/@last?limit=5", "limit: no such parameter; allowed: none"),
        ("/api/jobs/@last/chunks?after=1&after=1", "after: given 2 times; once at most"),
        ("/api/dead-letters?job=x&state=failed", "state: no such parameter; allowed: job, code,"),
        ("/api/dead-letters?code=X&code=Y", "code: given 2 times; once at most"),
        ("/api/workers?", ""),
        ("/api/workers?all=", "all: no such parameter; allowed: none"),
        ("/api/version?x=1&y=2", "x: no such parameter; allowed: none; y: no such"),
    ],
)
@pytest.mark.parametrize("which", ["app", "guarded"])
async def test_a_parameter_that_is_unknown_or_repeated_is_refused_by_name(
    request: pytest.FixtureRequest, which: str, target: str, told: str
) -> None:
    """Left out, a misspelt filter would be answered with everything."""
    reply = await call(request.getfixturevalue(which), target, authorization=f"Bearer {TOKEN}")

    if not told:
        assert reply.status == 503
    else:
        assert (reply.status, reply.error["code"]) == (422, "BadParameter")
        assert told in reply.error["message"]


async def test_a_list_may_be_given_several_times(app: FastAPI) -> None:
    """Taken as it is: only the database is missing."""
    reply = await call(app, "/api/jobs/@last/chunks?state=failed&state=queued&limit=3")

    assert reply.status == 503


async def test_own_versions_are_told_without_the_database(app: FastAPI) -> None:
    reply = await call(app, "/api/version")

    assert reply.status == 200
    assert reply.json["hdi"]
    assert reply.json["postgresql"] is None


@pytest.mark.parametrize("lacks", ["database_url", "redis_url"])
def test_a_service_without_an_address_is_no_service(lacks: str) -> None:
    """Told at the start, exit 6, not request by request."""
    given = {"database_url": "postgresql://h/x", "redis_url": "redis://h/0"}
    del given[lacks]

    with pytest.raises(NotConfigured, match=f"HDI_{lacks.upper()}"):
        create_app(Settings.model_validate(given))
