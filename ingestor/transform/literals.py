"""Values that stand in a mapping file, as the frame spells them: constants, enums and the like."""

from __future__ import annotations

from typing import Any

import numpy as np

from ingestor.model.kind import Column
from ingestor.transform.cells import Read
from ingestor.transform.decimals import PRICE_DIGITS, bounds, scaled
from ingestor.transform.rules import Time
from ingestor.transform.sorts import Sort, sort_of
from ingestor.transform.times import time

_EXAMPLES = {
    Sort.PRICE: "a price: 12.25",
    Sort.TIME: "a time: 2024-03-11T09:30:00Z",
    Sort.CHARACTER: "one ASCII character",
    Sort.TEXT: "text",
}


def literal(column: Column, text: str) -> Any:
    """The frame value of `column` that `text` spells, in the column's dtype.

    Raises:
        ValueError: It spells none, or the column's null; says what it must be.
    """
    found = _value(column, text.encode())
    if found is None:
        raise ValueError(f"must be {_allowed(column)}, found {text[:60]!r}")
    if found in (column.null, column.required):
        raise ValueError(f"{text[:60]!r} is how {column.name} spells null: op undefined makes that")
    return found if isinstance(found, bytes) else np.dtype(column.kind.frame).type(found)


def _value(column: Column, text: bytes) -> int | bytes | None:
    match sort_of(column.kind):
        case Sort.TEXT:
            return text or None
        case Sort.CHARACTER:
            return text[0] if len(text) == 1 and text.isascii() else None
        case Sort.TIME:
            return _instant(column, text)
        case Sort.PRICE:
            return _within(column, scaled(text, PRICE_DIGITS))
        case Sort.INTEGER:
            return _within(column, scaled(text, 0))


def _within(column: Column, found: int | None) -> int | None:
    lowest, highest = bounds(column)
    sentinels = (column.null, column.required)
    inside = found is not None and (lowest <= found <= highest or found in sentinels)
    return found if inside else None


def _instant(column: Column, text: bytes) -> int | None:
    cell = np.array([(text or b" ",)], [("text", f"S{max(len(text), 1)}")])
    made = time(Time(op="time", field="text"), column)(cell)
    assert isinstance(made, Read)
    return int(made.values[0]) if made.unread is None and text.strip() else None


def _allowed(column: Column) -> str:
    sort = sort_of(column.kind)
    if sort is not Sort.INTEGER:
        return _EXAMPLES[sort]
    lowest, highest = bounds(column)
    return f"a whole number of {lowest} to {highest}"
