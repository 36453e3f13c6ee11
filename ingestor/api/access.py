"""One line in the log for every request."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingestor.api.guard import OPEN
from ingestor.logs import get_logger

log = get_logger(__name__)


class AccessLog:
    """Middleware that tells of each answer; of those to probes, asked all day, at DEBUG."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500  # what a route that breaks down is answered with, further out
        started = time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            seconds = round(time.perf_counter() - started, 4)
            tell = log.debug if scope["path"] in OPEN else log.info
            tell("request answered", method=scope["method"], path=scope["path"], status=status,
                 seconds=seconds)  # fmt: skip
