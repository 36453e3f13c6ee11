"""Table → pandera schema: what a value must be so that its column can hold it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import pandera.pandas as pa

from ingestor.model import Column, Kind, Table


@cache
def schema_of(table: Table) -> pa.DataFrameSchema:
    """The pandera schema of a standard frame of `table`, built once.

    Checks are vectorised over the batch and named ``<column>.<check>``; nulls are sentinels, which
    every check of a nullable column lets pass. Frame column `ordinal` is there as well.
    """
    columns = {c.name: _column(c) for c in table.frame_columns}
    repeats = [] if table.numbered else [pa.Check(_first, name="ordinal.repeat")]
    columns["ordinal"] = pa.Column("int16", checks=repeats)
    return pa.DataFrameSchema(columns, strict=True)


def _column(column: Column) -> pa.Column:
    if column.kind.frame.startswith("S"):
        return pa.Column(object, checks=[_check(column, "text", _is_text)])
    checks = []
    if column.required is not None:
        checks.append(_check(column, "required", partial(_not, column.required)))
    kind = column.kind
    if kind.highest is not None and kind.lowest is not None and not _whole_range(column):
        checks.append(_check(column, "range", partial(_within, column)))
    if kind.step != 1:
        checks.append(_check(column, "step", partial(_stepped, column)))
    return pa.Column(np.dtype(kind.frame), checks=checks)


def _whole_range(column: Column) -> bool:
    """Whether every value of the dtype but the sentinel fits, so that no check is needed."""
    kind, info = column.kind, np.iinfo(column.kind.frame)
    spared = {each for each in (column.null, column.required) if isinstance(each, int)}
    outside = (kind.lowest - info.min) + (info.max - kind.highest)  # type: ignore[operator]
    beyond = [each for each in spared if not _inside(kind, each)]
    return bool(outside == len(beyond))


def _inside(kind: Kind, value: int) -> bool:
    assert kind.lowest is not None
    assert kind.highest is not None
    return kind.lowest <= value <= kind.highest


def _check(column: Column, check: str, test: Callable[[Any], Any]) -> pa.Check:
    return pa.Check(test, name=f"{column.name}.{check}", ignore_na=False)


def _first(values: Any) -> Any:
    return values == 0


def _not(sentinel: int, values: Any) -> Any:
    return values != sentinel


def _within(column: Column, values: Any) -> Any:
    kind = column.kind
    inside = (values >= kind.lowest) & (values <= kind.highest)
    spared = column.null if column.null is not None else column.required
    return inside if spared is None else inside | (values == spared)


def _stepped(column: Column, values: Any) -> Any:
    spared = column.null if column.null is not None else column.required
    on_step = values % column.kind.step == 0
    return on_step if spared is None else on_step | (values == spared)


def _is_text(values: Any) -> Any:
    return values.map(_one_text)


def _one_text(value: bytes) -> bool:
    # numpy has cut trailing NULs already: any NUL left has something after it.
    try:
        return "\0" not in value.decode()
    except UnicodeDecodeError:
        return False
