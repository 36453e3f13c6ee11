"""What is wrong with an expression, and where."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_SHOWN: Final = 40


class ExpressionFault(ValueError):
    """A text that is no expression of this language, or mixes units.

    Attributes:
        what: What was found and what is allowed, one sentence without a full stop.
        column: 1-based place of the character where it begins.
    """

    def __init__(self, what: str, column: int) -> None:
        super().__init__(what, column)
        self.what = what
        self.column = column

    def __str__(self) -> str:
        return f"character {self.column}: {self.what}"


class Unfit(ValueError):
    """A value that cannot stand where it does; whoever knows the place makes it a fault."""


def quoted(text: str) -> str:
    """Between backticks; what is long is cut."""
    shown = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return f"`{shown}`"


def nearest(text: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    near = get_close_matches(text[:_SHOWN].lower(), list(known), n=1, cutoff=0.6)
    return near[0] if near else None
