"""Who may ask: callers with the token; without one, only those who know this machine as itself."""

from __future__ import annotations

import hashlib
import hmac
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ingestor.api.failures import failure

OPEN: Final = frozenset({"/healthz", "/readyz"})
"""Answered to everybody: supervisors and load balancers hold no token."""


class Guard:
    """Middleware around everything but `OPEN`, so that no route can be left out by mistake."""

    def __init__(self, app: ASGIApp, *, token: SecretStr | None) -> None:
        self._app = app
        self._digest = None if token is None else _digest(token.get_secret_value().encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None
        if scope["type"] == "http" and scope["path"] not in OPEN:
            refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        if self._digest is None:
            return None if _names_loopback(_header(scope, b"host")) else _foreign_name()
        scheme, _, given = _header(scope, b"authorization").partition(b" ")
        # Digests are of one length: the time it takes tells nothing of the token, not even that.
        same = hmac.compare_digest(_digest(given.strip()), self._digest)
        return None if scheme.lower() == b"bearer" and same else _unknown_caller()


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


def _names_loopback(host: bytes) -> bool:
    """A page elsewhere can make its own name point here; its requests then carry that name."""
    try:
        parts = urlsplit(f"//{host.decode('ascii')}")
        _ = parts.port
        name = parts.hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _unknown_caller() -> Response:
    return failure(
        401, "Unauthorized", "the token is missing or wrong",
        # Worded so that redaction, which masks what follows the header's name, leaves it whole.
        "send `Bearer`, a blank and what HDI_API_TOKEN holds as the header `Authorization`",
        headers={"WWW-Authenticate": "Bearer"},
    )  # fmt: skip


def _foreign_name() -> Response:
    return failure(
        403, "ForeignName", "without a token this API answers to names of loopback only",
        "call it as http://127.0.0.1, or set HDI_API_TOKEN",
    )  # fmt: skip
