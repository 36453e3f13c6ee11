"""A verdict lets pass what its table can hold, and names the field of what it cannot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.model import TABLES, Table
from ingestor.model.frame import Frame
from ingestor.model.kind import NANOSECONDS
from ingestor.validate import judge

RAW = np.dtype([("n", "<u4")])


def frame(table: Table, rows: list[dict[str, Any]], ordinals: list[int] | None = None) -> Frame:
    columns: dict[str, Any] = {}
    for column in table.frame_columns:
        values = [row[column.name] for row in rows]
        columns[column.name] = np.array(values, dtype=np.dtype(column.kind.frame))
    raw = np.zeros(len(rows), RAW)
    raw["n"] = np.arange(len(rows))
    numbers = np.array(ordinals or [0] * len(rows), np.int16)
    return Frame(table, columns, raw, np.arange(len(rows), dtype=np.uint64) + 100, numbers)


def good(table: Table) -> dict[str, Any]:
    """A record of zeros and spaces that every table can hold."""
    return {c.name: (b"x" if c.kind.frame.startswith("S") else 0) for c in table.frame_columns}


def storable(table: Table, row: dict[str, Any]) -> bool:
    """Rule 3 of the data model, written as plainly as possible."""
    for column in table.frame_columns:
        value, kind = row[column.name], column.kind
        if kind.frame.startswith("S"):
            continue
        if value == column.null:
            continue
        if value == column.required:
            return False
        if kind.lowest is not None and not kind.lowest <= value <= kind.highest:  # type: ignore[operator]
            return False
        if value % kind.step:
            return False
    return True


def extremes(dtype: str) -> st.SearchStrategy[int]:
    info = np.iinfo(dtype)
    edges = [info.min, info.min + 1, info.max - 1, info.max, 0, 1, 0x7F, 0x80, NANOSECONDS]
    near = [e for e in edges if info.min <= e <= info.max]
    return st.sampled_from(near) | st.integers(int(info.min), int(info.max))


def records(table: Table) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            c.name: st.just(b"x") if c.kind.frame.startswith("S") else extremes(c.kind.frame)
            for c in table.frame_columns
        }
    )


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@given(data=st.data())
def test_a_record_is_accepted_exactly_if_its_table_can_hold_it(
    table: Table, data: st.DataObject
) -> None:
    rows = data.draw(st.lists(records(table), min_size=1, max_size=8))
    verdict = judge(frame(table, rows))
    kept = (verdict.accepted.position - 100).tolist()
    assert kept == [at for at, row in enumerate(rows) if storable(table, row)]
    assert len(kept) + len(verdict.rejected) == len(rows)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_sentinel_of_a_nullable_column_is_accepted(table: Table) -> None:
    nulls = {c.name: c.null for c in table.frame_columns if c.null is not None}
    assert not judge(frame(table, [good(table) | nulls])).rejected


def test_a_rejected_record_keeps_its_bytes_place_field_value_and_reason() -> None:
    table = next(t for t in TABLES if t.name == "trades_data")
    bad = good(table) | {"ts_recv": 2**64 - 1}
    [rejected] = judge(frame(table, [good(table), bad])).rejected
    assert rejected.position == 101
    assert rejected.raw == (1).to_bytes(4, "little")
    assert (rejected.rule, rejected.field) == ("ts_recv.required", "ts_recv")
    assert rejected.value == str(2**64 - 1)
    assert rejected.reason == "ts_recv is undefined, and the key needs it"


def test_a_record_that_breaks_several_rules_is_rejected_once() -> None:
    table = next(t for t in TABLES if t.name == "trades_data")
    bad = good(table) | {"ts_recv": 2**64 - 1, "ts_event": 2**64 - 1, "action": 200}
    verdict = judge(frame(table, [bad]))
    assert len(verdict.rejected) == 1
    assert len(verdict.accepted) == 0


def test_a_bar_that_repeats_a_key_is_rejected_and_a_trade_is_not() -> None:
    for table in TABLES:
        verdict = judge(frame(table, [good(table)] * 2, ordinals=[0, 1]))
        rules = [each.rule for each in verdict.rejected]
        assert rules == ([] if table.numbered else ["ordinal.repeat"])


def test_a_bar_off_its_second_is_rejected() -> None:
    table = next(t for t in TABLES if t.name == "ohlcv_1s_data")
    [rejected] = judge(frame(table, [good(table) | {"ts_event": NANOSECONDS + 1}])).rejected
    assert rejected.rule == "ts_event.step"
