"""Places in a file, and what is wrong there."""

from __future__ import annotations

from dataclasses import dataclass

Loc = tuple[str | int, ...]
"""Keys and numbers of items that lead to a value."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at a place of the file."""

    loc: Loc
    what: str


def spelled(loc: Loc) -> str:
    """``requests[0].start``."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")
