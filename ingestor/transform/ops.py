"""One pure function per op: wire records of shape (n,) → one frame column of shape (n,)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ingestor.model.kind import Column
from ingestor.transform.rules import Character, Constant, Integer, Rule, Text, Undefined

Records = npt.NDArray[np.void]
Values = npt.NDArray[Any]
Op = Callable[[Records], Values]

ABSENT = "undefined"
"""How a rule says that a missing field is null."""


def compile_rule(rule: Rule, column: Column) -> Op:
    """The function that makes `column` by `rule`."""
    match rule:
        case Constant():
            return _constant(rule.value.encode())
        case Undefined():
            return _undefined(column)
        case Character():
            op = _character(rule.field)
        case Text():
            op = _text(rule.field)
        case Integer(undefined="maximum"):
            op = _widened(rule.field, column)
        case _:
            op = _copied(rule.field, np.dtype(column.kind.frame))
    return op if rule.absent is None else _or_else(rule.field, op, column, rule.absent)


def _copied(field: str, dtype: np.dtype[Any]) -> Op:
    # A contiguous copy: a strided view into 48-byte records makes every later pass 3 × slower.
    return lambda records: np.ascontiguousarray(records[field], dtype=dtype)


def _widened(field: str, column: Column) -> Op:
    """As copied; the largest value of a narrower field is the column's null."""
    dtype = np.dtype(column.kind.frame)

    def op(records: Records) -> Values:
        narrow = np.ascontiguousarray(records[field])
        null = narrow == np.iinfo(narrow.dtype).max
        return np.where(null, dtype.type(column.null), narrow.astype(dtype))

    return op


def _character(field: str) -> Op:
    return lambda records: np.ascontiguousarray(records[field]).view(np.uint8)


def _text(field: str) -> Op:
    return lambda records: np.ascontiguousarray(records[field])


def _or_else(field: str, op: Op, column: Column, absent: int | str) -> Op:
    """The op, or one value for all where the records have no such field."""
    instead = _undefined(column) if absent == ABSENT else _constant(_spelled(column, absent))
    return lambda records: (op if field in (records.dtype.names or ()) else instead)(records)


def _spelled(column: Column, value: int | str) -> Any:
    """A value of a rule, as the frame spells it."""
    if isinstance(value, int):
        return np.dtype(column.kind.frame).type(value)
    raw = value.encode()
    return raw if column.kind.frame.startswith("S") else np.uint8(raw[0])


def _constant(value: Any) -> Op:
    return lambda records: np.full(len(records), value)


def _undefined(column: Column) -> Op:
    if column.kind.frame.startswith("S"):
        return _constant(b"")
    dtype = np.dtype(column.kind.frame)
    return lambda records: np.full(len(records), column.null, dtype=dtype)
