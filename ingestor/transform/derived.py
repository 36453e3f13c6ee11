"""Columns that are made of other columns: copies and differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ingestor.model.kind import Column, Table
from ingestor.transform.cells import Mask, Read, Values, settled
from ingestor.transform.decimals import bounds
from ingestor.transform.rules import CopyOf, Difference, Rule
from ingestor.transform.sorts import Sort, sort_of

Derivation = Callable[[Mapping[str, Values], Mapping[str, Mask]], Read]
"""Columns made already, and the records of each that are unread → one more."""


def sources_of(rule: Rule) -> tuple[str, ...]:
    """The columns that a derived one is made of; none for others."""
    match rule:
        case CopyOf():
            return (rule.column,)
        case Difference():
            return (rule.of, rule.minus)
        case _:
            return ()


def derivation(rule: CopyOf | Difference, column: Column, table: Table) -> Derivation:
    """The function that makes `column` of others. Where one of them is null, so is it."""
    names = sources_of(rule)
    dtype = np.dtype(column.kind.frame)

    def derive(columns: Mapping[str, Values], unread: Mapping[str, Mask]) -> Read:
        values = [columns[name] for name in names]
        null = np.zeros(len(values[0]), np.bool_)
        bad = null.copy()
        for name in names:
            null |= _undefined(table[name], columns[name])
            bad |= unread.get(name, False)
        if dtype.kind == "S":
            return settled(column, values[0].copy(), bad, null & ~bad)
        made, fits = _difference(values, column) if len(values) > 1 else _copy(values[0], column)
        return settled(column, made.astype(dtype), bad | (~fits & ~null), null & ~bad)

    return derive


def kinship(rule: CopyOf | Difference, column: Column, table: Table) -> str:
    """What hinders a column of being made so; empty where nothing does."""
    sources = [table[name] for name in sources_of(rule)]
    sorts = {sort_of(each.kind) for each in sources}
    wanted = sort_of(column.kind)
    if isinstance(rule, CopyOf):
        found = sort_of(sources[0].kind)
        return "" if found is wanted else f"{rule.column} is a {found}, {column.name} a {wanted}"
    if len(sorts) > 1:
        return f"{rule.of} and {rule.minus} are not of one sort"
    (found,) = sorts
    makes = Sort.INTEGER if found is Sort.TIME else found
    if makes is not wanted or found in (Sort.TEXT, Sort.CHARACTER):
        return f"a difference of two values of sort {found} is no {wanted}"
    wide = {each.kind.frame for each in sources}
    if "u8" in wide and any(each.startswith("i") for each in wide):
        return f"{rule.of} and {rule.minus} have no common width: unsigned 64 bit and signed"
    return ""


def _undefined(column: Column, values: Values) -> Any:
    """Where a column has no value."""
    sentinel = column.required if column.null is None else column.null
    return False if sentinel is None else values == sentinel


def _copy(values: Values, column: Column) -> tuple[Values, Mask]:
    lowest, highest = bounds(column)
    info = np.iinfo(values.dtype)
    fits = (values >= max(lowest, int(info.min))) & (values <= min(highest, int(info.max)))
    return values, fits


def _difference(values: list[Values], column: Column) -> tuple[Values, Mask]:
    """Exact: the size of the difference of two 64-bit values always has 64 bits."""
    common = "u8" if any(each.dtype == np.uint64 for each in values) else "i8"
    one, other = (each.astype(common) for each in values)
    down = one < other
    plain = one.view("u8") - other.view("u8")
    size = np.where(down, np.uint64(0) - plain, plain)
    lowest, highest = bounds(column)
    fits: Mask = size <= np.where(down, np.uint64(max(-lowest, 0)), np.uint64(highest))
    return plain, fits
