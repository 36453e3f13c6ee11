"""A verdict lets pass what its table can hold, and names the field of what it cannot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingestor.dbn import layout
from ingestor.insights.explanation import broken_rules
from ingestor.model import TABLES, Column, Table
from ingestor.model.frame import Frame
from ingestor.model.kind import NANOSECONDS
from ingestor.settings import config_dir
from ingestor.transform import load_mapping
from ingestor.validate import judge
from ingestor.validate.storable import schema_of
from ingestor.vocabulary import Schema

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
        if value == column.null:
            continue
        if kind.frame.startswith("S"):
            if not is_text(value):
                return False
            continue
        if value == column.required:
            return False
        if kind.lowest is not None and not kind.lowest <= value <= kind.highest:  # type: ignore[operator]
            return False
        if value % kind.step:
            return False
    return True


def is_text(value: bytes) -> bool:
    """UTF-8 without a NUL; those at the end are the field's padding."""
    text = value.rstrip(b"\0")
    return text.decode("utf-8", "ignore").encode() == text and b"\0" not in text


def texts() -> st.SearchStrategy[bytes]:
    """Full fields, empty ones, NULs anywhere, bytes that are no UTF-8, text that is."""
    edges = [b"", b"x" * 71, b" ", b"a\0", b"a\0b", b"\0a", b"\xc3", "é".encode(), b"\xed\xa0\x80"]
    written = st.text(st.characters(exclude_categories=["Cs"]), max_size=17).map(str.encode)
    return st.sampled_from(edges) | written | st.binary(max_size=71)


def extremes(dtype: str) -> st.SearchStrategy[int]:
    info = np.iinfo(dtype)
    edges = [info.min, info.min + 1, info.max - 1, info.max, 0, 1, 0x7F, 0x80, NANOSECONDS]
    near = [e for e in edges if info.min <= e <= info.max]
    return st.sampled_from(near) | st.integers(int(info.min), int(info.max))


def anything(column: Column) -> st.SearchStrategy[Any]:
    return texts() if column.kind.frame.startswith("S") else extremes(column.kind.frame)


@st.composite
def records(draw: st.DrawFn, table: Table) -> dict[str, Any]:
    """Anything in every field, or a good record with anything in a few of them."""
    columns = list(table.frame_columns)
    if draw(st.booleans()):
        columns = draw(st.lists(st.sampled_from(columns), max_size=3))
    return good(table) | {column.name: draw(anything(column)) for column in columns}


def rules_broken(made: Frame) -> list[dict[str, list[str]]]:
    """For each record: column → every rule that pandera finds broken."""
    found: list[dict[str, list[str]]] = [{} for _ in range(len(made))]
    view = pd.DataFrame({**made.columns, "ordinal": made.ordinal})
    try:
        schema_of(made.table).validate(view, lazy=True)
    except pa.errors.SchemaErrors as error:
        for case in error.failure_cases.itertuples():
            rule = str(case.check)
            found[int(case.index)].setdefault(rule.partition(".")[0], []).append(rule)
    return found


# A batch of definitions takes pandera 50 ms, and as long to draw: shrinking one takes minutes.
@settings(
    max_examples=25, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@given(data=st.data())
def test_a_record_is_accepted_exactly_if_its_table_can_hold_it(
    table: Table, data: st.DataObject
) -> None:
    """The record model finds the same rules broken in the same columns as the checks of a batch."""
    drawn = data.draw(st.lists(records(table), min_size=1, max_size=5))
    made = frame(table, drawn)
    rows = [{name: each[at] for name, each in made.columns.items()} for at in range(len(made))]
    verdict = judge(made)
    kept = (verdict.accepted.position - 100).tolist()

    assert kept == [at for at, row in enumerate(drawn) if storable(table, row)]
    assert len(kept) + len(verdict.rejected) == len(drawn)
    assert [broken_rules(table, row) for row in rows] == rules_broken(made)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_sentinel_of_a_nullable_column_is_accepted(table: Table) -> None:
    nulls = {c.name: c.null for c in table.frame_columns if c.null is not None}
    assert not judge(frame(table, [good(table) | nulls])).rejected


def test_a_rejected_record_keeps_its_bytes_place_field_value_and_reason() -> None:
    table = next(t for t in TABLES if t.name == "trades_data")
    bad = good(table) | {"ts_recv": 2**64 - 1}
    [rejected] = judge(frame(table, [good(table), bad], [0, 3])).rejected
    assert (rejected.position, rejected.ordinal) == (101, 3)
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


@pytest.mark.parametrize(("version", "rejected"), [(3, 1), (2, 0), (1, 0)])
def test_a_reserved_byte_that_is_set_is_quarantined(version: int, rejected: int) -> None:
    """No column keeps it; what older versions had there is gone in the provider's upgrade, too."""
    schema = Schema.STATISTICS
    raw = np.zeros(3, layout(schema, version))
    raw["_reserved"][1] = b"\0x"
    mapping = load_mapping(config_dir() / "mappings" / "databento", schema)
    count = np.arange(3)
    verdict = judge(
        Frame(mapping.table, mapping.columns(raw), raw, count.astype("u8"), count.astype("i2"))
    )
    assert len(verdict.rejected) == rejected
    for each in verdict.rejected:
        assert (each.position, each.field, each.value[:4]) == (1, "_reserved", "0078")
        assert each.raw == raw[1].tobytes()
