"""DaySet does what a set of day numbers does, and keeps its ranges canonical."""

from __future__ import annotations

import datetime as dt
import pickle
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingestor.days import DAY_NS, DaySet, date_of_day, day_of, midnight

RANGES = st.lists(st.tuples(st.integers(-5, 40), st.integers(-5, 40)), max_size=12)
DAYS = st.integers(-8, 45)


def plain(ranges: list[tuple[int, int]]) -> set[int]:
    return {day for first, past in ranges for day in range(first, past)}


@given(RANGES)
def test_it_holds_the_days_of_its_ranges(ranges):
    """Ranges may overlap, touch, repeat, come in any order, or be empty or backwards."""
    days = DaySet(ranges)
    assert list(days) == sorted(plain(ranges))
    assert len(days) == len(plain(ranges))
    assert bool(days) is bool(plain(ranges))


@given(RANGES)
def test_its_ranges_ascend_and_neither_overlap_nor_touch(ranges):
    found = DaySet(ranges).ranges
    assert all(first < past for first, past in found)
    assert all(before[1] < after[0] for before, after in pairwise(found))


@given(RANGES, RANGES)
def test_algebra_is_that_of_sets(one, other):
    left, right = DaySet(one), DaySet(other)
    assert set(left | right) == plain(one) | plain(other)
    assert set(left & right) == plain(one) & plain(other)
    assert set(left - right) == plain(one) - plain(other)


@given(RANGES, RANGES)
def test_equal_days_are_equal_and_hash_alike(one, other):
    """However they came about: plans group symbols by what is held of them."""
    union, built = DaySet(one) | DaySet(other), DaySet.of(plain(one) | plain(other))
    assert union == built
    assert hash(union) == hash(built)
    assert (DaySet(one) == DaySet(other)) is (plain(one) == plain(other))


@given(RANGES, DAYS)
def test_a_day_is_in_it_or_not(ranges, day):
    assert (day in DaySet(ranges)) is (day in plain(ranges))


@given(RANGES, DAYS, DAYS)
def test_it_covers_a_range_whose_days_it_holds_all(ranges, first, past):
    """A range without days is covered by every set."""
    assert DaySet(ranges).covers(first, past) is (set(range(first, past)) <= plain(ranges))


@given(RANGES)
def test_it_survives_pickling(ranges):
    assert pickle.loads(pickle.dumps(DaySet(ranges))) == DaySet(ranges)


@given(st.dates())
def test_dates_and_day_numbers_are_each_others_inverse(date):
    assert date_of_day(day_of(date)) == date


def test_days_count_from_1970_and_begin_at_midnight_utc():
    assert day_of(dt.date(1970, 1, 1)) == 0
    assert midnight(day_of(dt.date(2024, 3, 11))) == 1_710_115_200 * 10**9
    assert midnight(1) - midnight(0) == DAY_NS
