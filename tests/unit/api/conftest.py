"""The app called without a server: requests in, answers out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from ingestor.api.app import create_app
from ingestor.settings import Settings

NOWHERE = "postgresql://hdi:hushhush@127.0.0.1:1/hdi"
TOKEN = "a-token-of-the-tests"


def made_settings(home: Path, **more: Any) -> Settings:
    """Settings whose services are away: their port is one that nobody listens on."""
    away = {"database_url": NOWHERE, "redis_url": "redis://:hushhush@127.0.0.1:1/0", "home": home}
    return Settings.model_validate(away | more)


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    return create_app(made_settings(tmp_path))


@pytest.fixture
def guarded(tmp_path: Path) -> FastAPI:
    """The same, with a token."""
    return create_app(made_settings(tmp_path, api_token=TOKEN))


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def error(self) -> Any:
        assert set(self.json) == {"error"}
        assert set(self.json["error"]) == {"code", "message", "hint"}
        return self.json["error"]


async def call(
    app: FastAPI, target: str, *, method: str = "GET", host: str = "127.0.0.1:8080", **headers: str
) -> Reply:
    """One request; a header `authorization=…`. What the app raises again is left to its server."""
    path, _, query = target.partition("?")
    pairs = {"host": host, **headers}
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "path": path, "root_path": "",
        "raw_path": path.encode(), "query_string": query.encode(), "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in pairs.items()],
    }  # fmt: skip
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    try:
        await app(scope, receive, send)
    except ZeroDivisionError:
        assert sent
    body = b"".join(message.get("body", b"") for message in sent[1:])
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], told, body.decode())
