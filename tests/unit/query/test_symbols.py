"""Days of instruments and their names, without a database."""

from __future__ import annotations

import datetime as dt
from contextlib import AbstractAsyncContextManager
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ingestor.days import DaySet, date_of_day, day_of
from ingestor.query.names import Names, dates
from ingestor.query.symbols import Interval, resolve
from ingestor.vocabulary import Dataset, SType

GLBX = Dataset("GLBX.MDP3")
spans = st.tuples(st.integers(0, 30), st.integers(1, 10)).map(lambda s: (s[0], s[0] + s[1]))


class Rows:
    """A reader that knows these mappings and every dataset."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    async def fetch(self, query: str, *values: Any) -> list[Any]:
        return self.rows

    def connection(self) -> AbstractAsyncContextManager[Any]:
        raise AssertionError("no statement is run here")


def row(symbol: str, instrument_id: int, span: tuple[int, int]) -> dict[str, Any]:
    first, past = map(date_of_day, span)
    return {
        "dataset": GLBX, "symbol": symbol, "instrument_id": instrument_id,
        "first_day": first, "past_day": past,
    }  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from("PQ"), st.integers(1, 3), spans), min_size=1))
async def test_each_member_counts_once_on_each_day(
    mappings: list[tuple[str, int, tuple[int, int]]],
) -> None:
    """Whichever parents it belongs to: its intervals are disjoint, and no day is lost or won."""
    reader = Rows([row(*each) for each in mappings])
    found = await resolve(
        reader, sorted({symbol for symbol, _, _ in mappings}), dataset=None,
        start=date_of_day(0), end=date_of_day(50), stype_in=SType.PARENT,
    )  # fmt: skip
    days = [(each.instrument_id, day) for each in found.intervals for day in each.days]

    assert len(days) == len(set(days))
    assert set(days) == {(i, day) for _, i, (first, past) in mappings for day in range(first, past)}
    assert {each.symbol for each in found.intervals} == {None}


@given(st.lists(st.tuples(st.sampled_from("ABC"), spans)), spans)
async def test_names_part_an_interval_without_a_gap(
    named: list[tuple[str, tuple[int, int]]], span: tuple[int, int]
) -> None:
    """Every day once: under a name that held on it, or under none."""
    ordered = sorted((row(name, 7, days) for name, days in named), key=lambda r: r["symbol"])
    names = Names(Rows(ordered))
    await names.learn([(GLBX, 7)])
    whole = Interval(GLBX, "ES.c.0", 7, *map(date_of_day, span))
    found = list(names.within(whole))

    days = [day for _, some in found for day in some]
    assert sorted(days) == list(range(*span))
    for name, some in found:
        for day in some:
            held = {each for each, (first, past) in named if first <= day < past}
            assert name == min(held, default=None)
            assert names.of((GLBX, 7), date_of_day(day)) == name


async def test_an_instrument_is_looked_up_once() -> None:
    """A batch of 5,000 records brings the same ids again and again."""
    asked: list[Any] = []

    class Counting(Rows):
        async def fetch(self, query: str, *values: Any) -> list[Any]:
            asked.append(values)
            return self.rows

    names = Names(Counting([row("A", 7, (0, 5))]))
    await names.learn([(GLBX, 7), (GLBX, 7)])
    await names.learn([(GLBX, 7)])

    assert asked == [(GLBX, [7])]


def test_ranges_of_days_are_dates_with_an_exclusive_end() -> None:
    """As mappings are told."""
    monday = day_of(dt.date(2024, 3, 11))

    assert list(dates(DaySet([(monday, monday + 2)]))) == [
        (dt.date(2024, 3, 11), dt.date(2024, 3, 13))
    ]
