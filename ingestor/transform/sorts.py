"""Sorts of values: what decides which op may make a column, and which may read a field."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Final

from ingestor.model.kind import Kind


class Sort(StrEnum):
    """What a value is, whatever its width."""

    TIME = "time"
    PRICE = "price"
    CHARACTER = "character"
    TEXT = "text"
    INTEGER = "whole number"


_BY_KIND: Final = {
    "timestamp": Sort.TIME,
    "timestamp, whole seconds": Sort.TIME,
    "price": Sort.PRICE,
    "character": Sort.CHARACTER,
    "text": Sort.TEXT,
}

MAKES: Final[dict[str, frozenset[Sort]]] = {
    "unix_nanos": frozenset({Sort.TIME}),
    "fixed_price": frozenset({Sort.PRICE}),
    "integer": frozenset({Sort.INTEGER}),
    "character": frozenset({Sort.CHARACTER}),
    "text": frozenset({Sort.TEXT}),
    "decimal_price": frozenset({Sort.PRICE}),
    "number": frozenset({Sort.INTEGER}),
    "time": frozenset({Sort.TIME}),
    "enum": frozenset({Sort.CHARACTER, Sort.TEXT, Sort.INTEGER}),
    "symbol_id": frozenset({Sort.INTEGER}),
    "constant": frozenset(Sort),
    "undefined": frozenset(Sort),
    "copy_of": frozenset(Sort),
    "difference": frozenset({Sort.INTEGER, Sort.PRICE}),
}
"""Op → columns that it can make; anything else would reinterpret values silently."""

READS: Final[dict[str, frozenset[Sort]]] = {
    "unix_nanos": frozenset({Sort.TIME}),
    "fixed_price": frozenset({Sort.PRICE}),
    "integer": frozenset({Sort.INTEGER}),
    "character": frozenset({Sort.CHARACTER}),
    "text": frozenset({Sort.TEXT}),
    "decimal_price": frozenset({Sort.TEXT}),
    "number": frozenset({Sort.TEXT}),
    "time": frozenset({Sort.TEXT}),
    "enum": frozenset({Sort.TEXT, Sort.CHARACTER, Sort.INTEGER}),
    "symbol_id": frozenset({Sort.TEXT}),
}
"""Op → fields of a binary wire that it can read."""

READ_CELLS: Final = frozenset(
    {"character", "text", "decimal_price", "number", "time", "enum", "symbol_id"}
)
"""Ops that can read the cells of a text file."""


@lru_cache
def sort_of(kind: Kind) -> Sort:
    """What columns of a kind hold; all but those named here are whole numbers."""
    return _BY_KIND.get(kind.name, Sort.INTEGER)


def makers(kind: Kind) -> list[str]:
    """The ops that can make a column of a kind."""
    made = [op for op, sorts in MAKES.items() if sort_of(kind) in sorts]
    return [op for op in made if op != "symbol_id" or kind.frame == "u4"]
