"""Words, characters and numbers that stand for others."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ingestor.model.kind import Column
from ingestor.transform.cells import (
    Op,
    Read,
    Records,
    blank,
    cells_of,
    distinct,
    settled,
    undefined,
)
from ingestor.transform.literals import literal
from ingestor.transform.rules import Enum


def enum(rule: Enum, column: Column) -> Op:
    """The op that puts one value for another; what has none is unread.

    Text is taken letter for letter, blanks at its ends too. NUL and empty text are null, unless
    they are given a value.
    """
    known = {key.encode(): literal(column, value) for key, value in rule.values.items()}
    nulls = tuple(each.encode() for each in rule.nulls)
    dtype = "S" if column.kind.frame.startswith("S") else column.kind.frame
    nothing = blank(column)

    def op(records: Records) -> Read:
        given = np.ascontiguousarray(records[rule.field])
        keys, places = _distinct(records, rule.field)
        values = np.array([known.get(each, nothing) for each in keys], dtype)
        bad = np.array([each not in known for each in keys], np.bool_)[places]
        null = undefined(given, nulls) & bad if given.dtype.kind == "S" else np.zeros_like(bad)
        return settled(column, values[places], bad, null)

    return op


def _distinct(records: Records, field: str) -> tuple[list[bytes], npt.NDArray[np.intp]]:
    """The different values of a field, as they are written, and which of them each is."""
    if records.dtype[field].kind == "S":
        return distinct(cells_of(records, field))
    found, places = np.unique(records[field], return_inverse=True)
    numbers: list[Any] = found.tolist()
    return [str(each).encode() for each in numbers], places
