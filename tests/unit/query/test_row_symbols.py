"""The symbols of rows are those that `Names` gives row by row, and the asked ones before them."""

from __future__ import annotations

import datetime as dt
from contextlib import AbstractAsyncContextManager
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingestor.days import DAY_NS, date_of_day
from ingestor.query.gathered import PART
from ingestor.query.names import Names
from ingestor.query.row_symbols import row_symbols
from ingestor.query.selection import Selection
from ingestor.query.symbols import Interval, doubled
from ingestor.vocabulary import Dataset, Schema

DATASETS = [Dataset("GLBX.MDP3"), Dataset("XNAS.ITCH")]
IDS = [0, 1, 2, 2**32 - 1]
FIRST, PAST = dt.date(1970, 1, 1), dt.date(1970, 1, 9)


class Told:
    """A reader that knows these names: (dataset, id, symbol, first day, day after the last)."""

    def __init__(self, names: list[tuple[Dataset, int, str, dt.date | None, dt.date | None]]):
        self.names = names

    async def fetch(self, query: str, *values: Any) -> list[Any]:
        dataset, ids = values
        fields = ("instrument_id", "symbol", "first_day", "past_day")
        return [
            dict(zip(fields, rest, strict=True))
            for name, *rest in self.names
            if name == dataset and rest[0] in ids
        ]

    def connection(self) -> AbstractAsyncContextManager[Any]:
        raise AssertionError("names are fetched")


day = st.integers(0, 8).map(date_of_day)
name = st.tuples(
    st.sampled_from(DATASETS), st.sampled_from(IDS), st.sampled_from("AaBZ"),
    st.none() | day, st.none() | day,
)  # fmt: skip
interval = st.builds(
    Interval, st.sampled_from(DATASETS), st.sampled_from(["X", "A", "", None]),
    st.sampled_from(IDS), day, day,
)  # fmt: skip
row = st.tuples(st.integers(0, 99), st.integers(0, 9), st.integers(0, DAY_NS - 1))


@given(st.lists(name, max_size=8), st.lists(interval, min_size=1, max_size=5), st.lists(row))
async def test_rows_are_called_as_one_by_one(
    names: list[Any], intervals: list[Interval], rows: list[tuple[int, int, int]]
) -> None:
    """Of several names on a day the first by alphabet; none where nothing tells one."""
    reader = Told(names)
    parts = [part % len(intervals) for part, _, _ in rows]
    columns = {
        PART: np.array(parts, np.int32),
        "instrument_id": np.array([intervals[part].instrument_id for part in parts], np.uint32),
        "ts_recv": np.array([day * DAY_NS + ns for _, day, ns in rows], np.uint64),
    }
    found = await row_symbols(reader, Selection(Schema.TRADES, 0, 1, tuple(intervals)), columns)
    one_by_one = Names(reader)
    await one_by_one.learn((each.dataset, each.instrument_id) for each in intervals)

    assert [None if at < 0 else found.names[at] for at in found.codes] == [
        one_by_one.of((each.dataset, each.instrument_id), date_of_day(day))
        if (each := intervals[part]).symbol is None
        else each.symbol
        for part, (_, day, _) in zip(parts, rows, strict=True)
    ]


@given(st.lists(interval, max_size=5))
def test_intervals_are_doubled_where_a_day_is_in_two(intervals: list[Interval]) -> None:
    """As counted day by day."""
    days = [(each.dataset, each.instrument_id, day) for each in intervals for day in each.days]

    assert doubled(intervals) == (len(set(days)) < len(days))
