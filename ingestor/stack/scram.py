"""SCRAM-SHA-256 verifiers (RFC 5803, as PostgreSQL stores them)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64encode

_ITERATIONS = 4096
"""PostgreSQL's own default; these passwords are random, so more would add nothing."""


def verifier(password: str, salt: bytes | None = None) -> str:
    """What PostgreSQL keeps of an ASCII password: it proves it and does not tell it."""
    salt = secrets.token_bytes(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _ITERATIONS)
    stored = hashlib.sha256(_keyed(salted, b"Client Key")).digest()
    server = _keyed(salted, b"Server Key")
    salt_text, stored_text, server_text = (b64encode(x).decode() for x in (salt, stored, server))
    return f"SCRAM-SHA-256${_ITERATIONS}:{salt_text}${stored_text}:{server_text}"


def _keyed(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
