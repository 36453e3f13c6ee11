"""Who may ask."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from ingestor.redaction import MASK, redact
from tests.unit.api.conftest import TOKEN, call

GUARDED = ["/api/jobs", "/api/jobs/@last/chunks", "/api/workers", "/openapi.json", "/nowhere", "/"]


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize(
    "told",
    [{}, {"authorization": "Bearer"}, {"authorization": f"Basic {TOKEN}"},
     {"authorization": TOKEN}, {"authorization": f"Bearer {TOKEN}x"},
     {"authorization": f"Bearer {TOKEN[:-1]}"}, {"x-token": TOKEN}],
)  # fmt: skip
async def test_without_the_token_nothing_is_told(
    guarded: FastAPI, path: str, told: dict[str, str]
) -> None:
    """Not even which paths there are."""
    reply = await call(guarded, path, **told)

    assert (reply.status, reply.error["code"]) == (401, "Unauthorized")
    assert reply.headers["www-authenticate"] == "Bearer"
    assert TOKEN not in reply.text


async def test_the_refusal_says_what_to_send(guarded: FastAPI) -> None:
    """Nothing of it has the form of a secret, which redaction would mask on the way out."""
    hint = (await call(guarded, "/api/jobs")).error["hint"]

    assert MASK not in hint
    assert hint == redact(hint)
    for word in ("`Authorization`", "`Bearer`", "HDI_API_TOKEN"):
        assert word in hint


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_token_opens_every_path(guarded: FastAPI, scheme: str) -> None:
    """From any host name: the API may stand behind a proxy."""
    told = {"authorization": f"{scheme} {TOKEN}"}

    assert (await call(guarded, "/openapi.json", host="hdi.example", **told)).status == 200
    assert (await call(guarded, "/api/jobs", host="hdi.example", **told)).status == 503
    assert (await call(guarded, "/nowhere", **told)).status == 404


@given(st.binary(max_size=60).filter(lambda given: given.strip() != TOKEN.encode()))
def test_no_other_bytes_are_taken_for_the_token(given: bytes) -> None:
    """Whatever they are: other lengths, no text."""
    from ingestor.api.guard import Guard

    async def unreachable(*_: object) -> None:
        raise AssertionError("the app was asked")

    guard = Guard(unreachable, token=_secret())
    scope = {"headers": [(b"authorization", b"Bearer " + given)]}
    refusal = guard._refusal(scope)

    assert refusal is not None
    assert refusal.status_code == 401


def _secret():  # type: ignore[no-untyped-def]
    from pydantic import SecretStr

    return SecretStr(TOKEN)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_probes_are_open(guarded: FastAPI, path: str) -> None:
    """Whoever asks holds no token and knows us by any address."""
    assert (await call(guarded, path, host="10.1.2.3:8080")).status in (200, 503)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8080", "localhost:8080", "[::1]:8080", "127.8.8.8", "LOCALHOST"],
)
async def test_without_a_token_names_of_loopback_are_answered(app: FastAPI, host: str) -> None:
    assert (await call(app, "/openapi.json", host=host)).status == 200


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "0.0.0.0:8080", "10.0.0.1",
     "localhost.evil.example", "evil@localhost.example", "[::1", "é", "localhost:port:8"],
)  # fmt: skip
async def test_without_a_token_other_names_are_refused(app: FastAPI, host: str) -> None:
    """A page elsewhere may make its own name point to this machine."""
    reply = await call(app, "/openapi.json", host=host)

    assert (reply.status, reply.error["code"]) == (403, "ForeignName")
    assert "HDI_API_TOKEN" in reply.error["hint"]


async def test_a_refusal_never_reaches_a_route(guarded: FastAPI) -> None:
    """A route that is added later is guarded, too."""
    asked: list[Path] = []

    @guarded.get("/later")
    async def later() -> None:
        asked.append(Path())

    assert (await call(guarded, "/later")).status == 401
    assert not asked
