"""Records for people and JSON: exact, whatever the wire holds."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.model import TABLES, Column, Table, table_of
from ingestor.model.readable import readable, readable_columns, time_text
from ingestor.model.records import record_model
from ingestor.vocabulary import Schema
from tests.unit.validate.frames import frame, good

TRADES = table_of(Schema.TRADES)


def one(name: str, value: Any, table: Table = TRADES) -> Any:
    column = table[name]
    made = readable_columns(table, {name: np.array([value], column.kind.frame)})
    return made[0][name]


@given(st.integers(-(2**63), 2**63 - 2))
def test_a_price_is_its_exact_decimal_without_needless_zeros(units: int) -> None:
    text = one("price", units)
    assert Decimal(text) * 10**9 == units
    assert "." not in text or not text.endswith("0")


@given(st.integers(0, 2**64 - 2))
def test_a_time_has_nine_digits_of_a_second_and_z(ns: int) -> None:
    """Past the year 2262, where signed nanoseconds end, too."""
    whole = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=ns // 10**9)
    wanted = f"{whole:%Y-%m-%dT%H:%M:%S}.{ns % 10**9:09d}Z"
    assert one("ts_recv", ns) == wanted
    assert time_text(ns) == wanted


def test_times_of_one_batch_may_lie_on_both_sides_of_2262() -> None:
    values = np.array([0, 2**63, 2**64 - 1], np.uint64)
    made = [each["ts_recv"] for each in readable_columns(TRADES, {"ts_recv": values})]
    assert made == ["1970-01-01T00:00:00.000000000Z", "2262-04-11T23:47:16.854775808Z", None]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_undefined_is_none_in_every_column(table: Table) -> None:
    """The sentinel of null, and that of what must not be null."""
    for column in table.frame_columns:
        for sentinel in (column.null, column.required):
            assert sentinel is None or one(column.name, sentinel, table) is None, column.name


@pytest.mark.parametrize(
    ("value", "text"),
    [(b"ESM4", "ESM4"), ("é".encode(), "é"), (b"a\xffb", "a\\xffb"), (b"a\0b", "a\\x00b")],
)
def test_text_that_no_database_takes_is_escaped(value: bytes, text: str) -> None:
    """JSON of PostgreSQL holds no NUL."""
    assert one("raw_symbol", value, table_of(Schema.DEFINITION)) == text


@pytest.mark.parametrize(("value", "text"), [(84, "T"), (0, None), (200, "\\xc8"), (32, " ")])
def test_a_character_is_text(value: int, text: str | None) -> None:
    assert one("action", value) == text


def test_the_largest_number_is_one_that_json_can_hold() -> None:
    table = table_of(Schema.DEFINITION)
    assert orjson.dumps(one("raw_instrument_id", 2**64 - 1, table)) == b"18446744073709551615"


def test_chosen_columns_and_rows_are_told_in_their_order() -> None:
    made = frame(TRADES, [good(TRADES) | {"size": at} for at in range(4)], [0, 1, 2, 3])
    assert readable(made, ["ordinal", "size", "price"], [2, 0]) == [
        {"ordinal": 2, "size": 2, "price": "0"},
        {"ordinal": 0, "size": 0, "price": "0"},
    ]
    assert list(readable(made)[0]) == [column.name for column in TRADES.frame_columns]
    assert readable(made, ["size"], []) == []


def test_what_could_not_be_read_is_none() -> None:
    """The column holds anything there."""
    made = frame(TRADES, [good(TRADES)] * 2, unread={"price": [False, True]})
    assert [each["price"] for each in readable(made)] == ["0", None]


def values(column: Column) -> st.SearchStrategy[Any]:
    if column.kind.frame.startswith("S"):
        return st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
                       min_size=1, max_size=9).map(str.encode)  # fmt: skip
    if column.kind.name == "character":
        return st.integers(1, 127)
    if column.kind.step != 1:
        return st.integers(0, 2**33).map(lambda n: n * column.kind.step)
    info = np.iinfo(column.kind.frame)
    low = info.min if column.kind.lowest is None else column.kind.lowest
    high = info.max if column.kind.highest is None else column.kind.highest
    return st.integers(low, high).filter(lambda n: n not in (column.null, column.required))


@pytest.mark.parametrize("schema", [Schema.TRADES, Schema.OHLCV_1D, Schema.STATISTICS])
@given(data=st.data())
def test_what_people_read_is_what_the_record_model_takes(
    schema: Schema, data: st.DataObject
) -> None:
    """Over JSON and back: the same record, number for number."""
    table = table_of(schema)
    row = {column.name: data.draw(values(column)) for column in table.frame_columns}
    [read] = json.loads(orjson.dumps(readable(frame(table, [row]))))
    model = record_model(table)(**read)

    for column in table.frame_columns:
        made = getattr(model, column.name)
        if column.kind.sql == "NUMERIC":
            made = int(made.scaleb(9))
        elif column.kind.sql == "TEXT":
            made = made.encode() if column.kind.name == "text" else ord(made)
        assert made == row[column.name], column.name
