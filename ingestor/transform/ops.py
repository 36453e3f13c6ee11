"""One pure function per op: wire records of shape (n,) → one frame column of shape (n,)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ingestor.model.kind import Column
from ingestor.transform.cells import (
    Cells,
    Mask,
    Op,
    Read,
    Records,
    Values,
    blank,
    bytes_of,
    reading,
)
from ingestor.transform.decimals import decimal_price, number
from ingestor.transform.enums import enum
from ingestor.transform.literals import literal
from ingestor.transform.rules import (
    Character,
    Constant,
    CopyOf,
    DecimalPrice,
    Difference,
    Enum,
    Integer,
    Number,
    Rule,
    SymbolId,
    Text,
    Time,
    Undefined,
)
from ingestor.transform.symbols import symbol_id
from ingestor.transform.times import time

ABSENT = "undefined"
"""How a rule says that a missing field is null."""


def compile_rule(rule: Rule, column: Column) -> Op:
    """The function that makes `column` by `rule`, which is no rule of a derived column."""
    if isinstance(rule, Constant):
        return _constant(literal(column, rule.value))
    if isinstance(rule, Undefined):
        return _undefined(column)
    assert not isinstance(rule, CopyOf | Difference)
    op = _of_text(rule, column) or _of_wire(rule, column)
    return op if rule.absent is None else _or_else(rule.fields, op, column, rule.absent)


def _of_text(rule: Rule, column: Column) -> Op | None:
    match rule:
        case DecimalPrice():
            return decimal_price(rule, column)
        case Number():
            return number(rule, column)
        case Time():
            return time(rule, column)
        case Enum():
            return enum(rule, column)
        case SymbolId():
            return symbol_id(rule, column)
        case _:
            return None


def _of_wire(rule: Any, column: Column) -> Op:
    match rule:
        case Character():
            return _character(rule, column)
        case Text(nulls=()):
            return _text(rule.field)
        case Text():
            return reading(rule.field, column, _as_written, rule.nulls, trim=False)
        case Integer(undefined="maximum"):
            return _widened(rule.field, column)
        case _:
            return _copied(rule.field, np.dtype(column.kind.frame))


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


def _character(rule: Character, column: Column) -> Op:
    """Any byte where the field has one; of wider text a single ASCII character."""
    of_cells = reading(rule.field, column, _single, rule.nulls, trim=False)

    def op(records: Records) -> Values | Read:
        values = np.ascontiguousarray(records[rule.field])
        one = values.dtype.itemsize == 1 and not rule.nulls
        return values.view(np.uint8) if one else of_cells(records)

    return op


def _single(cells: Cells) -> tuple[Values, Mask]:
    matrix = bytes_of(cells)
    return matrix[:, 0].copy(), (matrix[:, 0] > 0x7F) | matrix[:, 1:].any(axis=1)


def _text(field: str) -> Op:
    return lambda records: np.ascontiguousarray(records[field])


def _as_written(cells: Cells) -> tuple[Values, Mask]:
    return cells.copy(), np.zeros(len(cells), np.bool_)


def _or_else(fields: tuple[str, ...], op: Op, column: Column, absent: str) -> Op:
    """The op, or one value for all where the records have no such field."""
    instead = _undefined(column) if absent == ABSENT else _constant(literal(column, absent))
    return lambda records: (
        op if all(each in (records.dtype.names or ()) for each in fields) else instead
    )(records)


def _constant(value: Any) -> Op:
    return lambda records: np.full(len(records), value)


def _undefined(column: Column) -> Op:
    return _constant(
        b"" if column.kind.frame.startswith("S")
        else np.dtype(column.kind.frame).type(blank(column))
    )  # fmt: skip
