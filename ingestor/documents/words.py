"""Text in a file: words of a list, near misses, and what must be in quotes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated

from pydantic import BeforeValidator

from ingestor.documents.written import Written


def nearest(word: str, allowed: Sequence[str]) -> str:
    """``; did you mean X?`` for the nearest of `allowed`, or nothing."""
    near = get_close_matches(word.lower(), allowed, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


def as_text(value: object) -> object:
    """What YAML may read as something else must be in quotes, for every reader of the file."""
    if isinstance(value, Written) and value.read_as:
        if not value:
            raise ValueError("is empty")
        raise ValueError(f'YAML reads {value} as {value.read_as}; put it in quotes: "{value}"')
    if isinstance(value, Mapping) and len(value) == 1:
        [(key, inner)] = value.items()
        if isinstance(inner, str):
            raise ValueError(
                "YAML reads this as a key with a value, for it holds a colon and a blank; "
                f'put it in quotes: "{key}: {inner}"'
            )
    return str(value) if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(as_text)]


@dataclass(frozen=True, slots=True)
class OneOf:
    """Lets words of a list pass, and refuses any other text with the list.

    Attributes:
        what: What one is called.
    """

    words: tuple[str, ...]
    what: str

    def __call__(self, value: object) -> object:
        if not isinstance(value, str) or value in self.words:
            return value
        raise ValueError(
            f"{value[:60]!r} is no {self.what}; there are {', '.join(self.words)}"
            f"{nearest(value, self.words)}"
        )


def one_of(words: Iterable[str], what: str) -> BeforeValidator:
    """Refuses any other text and says which there are; `what` is what one is called."""
    return BeforeValidator(OneOf(tuple(str(each) for each in words), what))
