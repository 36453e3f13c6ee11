"""Takes secrets out of text: for log lines, error texts in the ledger and what commands print.

It knows secrets by their form (a Databento key, a URL with a password, an authorization header,
`password=…`) and, in structures, by the name of the field that holds them. It would rather mask a
harmless word than let a secret through.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, time
from decimal import Decimal
from numbers import Integral, Real
from pathlib import PurePath
from urllib.parse import urlsplit
from uuid import UUID

MASK = "***"

_DEEPEST = 12
_NAMES = re.compile(
    r"password|passwd|pwd|secret|token|api_?key|authorization|credential|cookie|dsn|\Akey\Z",
    re.IGNORECASE,
)
_QUOTED = r"""b?"(?:[^"\\]|\\.)*"|b?'(?:[^'\\]|\\.)*'"""
_WORD = r"password|passwd|pwd|secret|token|api[_-]?key"

_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"db-[A-Za-z0-9]{29}"), f"db-{MASK}"),
    # Greedy up to the last @ of the word: a password that nobody percent-encoded may hold / or @.
    (re.compile(r"([A-Za-z][\w+.-]*://[^\s:/@]*):\S*@"), rf"\1:{MASK}@"),
    (re.compile(rf"(?i)(authorization[\"']?\s*[:=]\s*)(?:{_QUOTED}|[^\n]+)"), rf"\1{MASK}"),
    (re.compile(r"(?i:\b(basic))\s+(?=\S*[A-Z0-9+/=]|\S{16})[A-Za-z0-9+/_-]{2,}=*"), rf"\1 {MASK}"),
    (re.compile(r"(?i)\b(bearer)\s+\S+"), rf"\1 {MASK}"),
    (
        re.compile(rf"(?i)((?:{_WORD})[\w-]*[\"']?\s*[:=]\s*)(?:{_QUOTED}|\S+)", re.DOTALL),
        rf"\1{MASK}",
    ),
)


def redact(text: str) -> str:
    """`text` with everything that has the form of a secret replaced by ``***``."""
    for form, replacement in _FORMS:
        text = form.sub(replacement, text)
    return text


def is_secret_name(name: str) -> bool:
    """Whether a field of this name is taken for a secret, whatever it holds."""
    return _NAMES.search(name) is not None


def mask_url(url: str) -> str:
    """`url` with its password masked and scheme, user, host, port and path kept.

    A text whose parts cannot be told apart is masked whole.
    """
    try:
        parts = urlsplit(url)
        user, password = parts.username, parts.password
    except ValueError:
        return MASK
    if not parts.scheme or not (parts.netloc or parts.path.startswith("/")):
        return MASK
    if password is not None:
        host = parts.netloc.rpartition("@")[2]
        parts = parts._replace(netloc=f"{user or ''}:{MASK}@{host}")
    return redact(parts.geturl()) if parts.query or parts.fragment else parts.geturl()


def cleaned(value: object, *, depth: int = 0) -> object:
    """`value` as plain JSON values (None, bool, number, text, list, dict) without any secret.

    Objects that JSON has no word for become their redacted `str` or `repr`: a renderer that met
    them later would print them as they are.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return redact(str(value))
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        return number if math.isfinite(number) else str(number)
    if depth >= _DEEPEST:
        return "…"
    return _cleaned_structure(value, depth + 1)


def _cleaned_structure(value: object, depth: int) -> object:
    if isinstance(value, Mapping):
        return {redact(str(name)): _named(str(name), held, depth) for name, held in value.items()}
    if isinstance(value, list | tuple | AbstractSet):
        return [cleaned(item, depth=depth) for item in value]
    if isinstance(value, bytes | bytearray):
        return redact(value.decode("utf-8", "backslashreplace"))
    if isinstance(value, BaseException):
        return redact(f"{type(value).__name__}: {_shown(str, value)}")
    plain = isinstance(value, date | time | Decimal | PurePath | UUID)
    return redact(_shown(str if plain else repr, value))


def _named(name: str, value: object, depth: int) -> object:
    if value is None or isinstance(value, bool) or not is_secret_name(name):
        return cleaned(value, depth=depth)
    return MASK


def _shown(show: Callable[[object], str], value: object) -> str:
    try:
        return show(value)
    except Exception:  # noqa: BLE001 - a log line must not fail because of someone's __repr__
        return f"<{type(value).__name__}>"
