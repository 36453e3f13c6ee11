"""Which stretch of a table holds which instants, and what is counted in it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.model import TABLES, Table, table_of
from ingestor.store.recount import Extent, Home, Span, Stretch, Stretches
from ingestor.store.recount_sql import extents_statement, placed_statement
from ingestor.vocabulary import ChunkState, Schema
from tests.accounts import account

FIRST, SECOND = TABLES[0], TABLES[1]
START = dt.datetime(2024, 3, 11, tzinfo=dt.UTC)
US = dt.timedelta(microseconds=1)

places = st.integers(-5, 60)


def at(hours: int) -> dt.datetime:
    return START + dt.timedelta(hours=hours)


@st.composite
def cut(draw: st.DrawFn) -> list[Stretch]:
    """Stretches of a hypertable: ascending, side by side or with gaps."""
    edges = sorted(draw(st.sets(places, max_size=12)))
    pairs = pairwise(edges)
    return [Stretch(FIRST, at(a), at(b)) for a, b in pairs if draw(st.booleans()) or a % 3]


@given(cut(), places, places, st.booleans())
def test_touched_are_all_that_hold_an_instant_of_the_span_and_no_other(
    found: list[Stretch], low: int, more: int, before: bool
) -> None:
    """One too few is a false alarm, one too many is time."""
    first, last = at(low), at(max(low, more)) - (US if before and more > low else 0 * US)
    stretches = Stretches([*found, Stretch(SECOND, at(-100), at(100))])
    assert list(stretches.touched(FIRST, first, last)) == [
        each for each in found
        if each.low is not None and each.high is not None and each.low <= last
        and first < each.high
    ]  # fmt: skip


def test_a_plain_table_is_touched_by_every_span() -> None:
    """It is one stretch without bounds; a table without hypertable chunks has none."""
    stretches = Stretches([Stretch(FIRST)])
    assert list(stretches.touched(FIRST, at(0), at(1))) == [Stretch(FIRST)]
    assert list(stretches.touched(SECOND, at(0), at(1))) == []


def test_a_whole_table_is_touched_where_no_span_is_known() -> None:
    """What was counted in a plain table may have become a hypertable since."""
    found = [Stretch(FIRST, at(0), at(1)), Stretch(FIRST, at(1), at(2))]
    assert list(Stretches(found).touched(FIRST, None, None)) == found


@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_rows_are_counted_by_chunk_within_the_bounds_of_the_time_column(
    table: Table, bounded: bool
) -> None:
    """The dimension of the hypertable: any other column would read all of its chunks."""
    time = table.time_column
    first, again = (of(table, bounded=bounded) for of in (extents_statement, placed_statement))
    assert (f" WHERE {time} >= $1 AND {time} < $2 GROUP BY chunk_id" in first) == bounded
    assert (f" WHERE t.{time} >= $1 AND t.{time} < $2 GROUP BY t.chunk_id" in again) == bounded
    assert f"unnest(${3 if bounded else 1}::INTEGER[], " in again
    assert f"t.{time} BETWEEN s.low AND s.high" in again


places_us = st.integers(-3, 12)


@given(places_us, st.integers(0, 5), st.booleans())
def test_rows_are_where_they_belong_from_the_first_to_the_last_microsecond(
    low: int, width: int, elsewhere: bool
) -> None:
    """In their own table only."""
    span = Span(FIRST, 3, 7)
    extent = Extent(2, Decimal(low), Decimal(low + width))
    stretch = Stretch(SECOND if elsewhere else FIRST)
    assert span.holds(stretch, extent) == (
        not elsewhere and set(range(low, low + width + 1)) <= set(range(3, 8))
    )


def test_a_chunk_belongs_where_the_time_column_of_its_table_says() -> None:
    """ts_event may lie days away from the index timestamp."""
    day = 86_400_000_000
    times = {"index_min": 9 * day, "index_max": 11 * day - 1, "event_min": 7 * day - 1}
    one = account(**times, event_max=8 * day)
    for schema, days in (("trades", (6, 8)), ("definition", (9, 10))):
        span = replace(one, schema=schema).span
        assert span is not None
        home = span.home
        assert (home.table, home.first, home.last) == (table_of(Schema(schema)), *days)


def test_a_schema_without_a_table_has_no_rows_anywhere() -> None:
    """A ledger may know more than this version does."""
    assert account(schema="mbo").span is None


def test_the_days_of_a_chunk_are_read_to_their_end_and_no_further() -> None:
    """The next day's hypertable chunk begins in the same instant in which this one ends."""
    found = [Stretch(FIRST, at(24 * day), at(24 * day + 24)) for day in range(4)]
    first = (START - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)).days
    homes = [Home(FIRST, first + 1, first + 1), Home(FIRST, first + 1, first + 2)]
    assert Stretches(found).of(homes[:1]) == {found[1]}
    assert Stretches(found).of(homes) == {found[1], found[2]}


@pytest.mark.parametrize("state", list(ChunkState))
def test_a_chunk_is_open_completed_or_neither(state: ChunkState) -> None:
    """Failed and cancelled ones are neither."""
    made = account(state=str(state))
    assert made.completed == (state in (ChunkState.COMPLETED, ChunkState.COMPLETED_EMPTY))
    assert made.open == (not state.final)
