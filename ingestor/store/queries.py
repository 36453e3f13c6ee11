"""Named SQL blocks: ``-- name --`` on a line of its own, an optional sentence, the query."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- (\w+) --$", re.MULTILINE)


@cache
def queries(file: str) -> dict[str, str]:
    """The blocks of ``sql/<file>.sql`` by name."""
    text = (files("ingestor.store") / "sql" / f"{file}.sql").read_text()
    parts = _NAME.split(text)[1:]
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}
