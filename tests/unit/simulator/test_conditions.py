"""Days and ranges as the provider tells them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.simulator.calendar import number
from ingestor.simulator.conditions import Availability, AvailableRange, Condition, DayCondition
from ingestor.simulator.made_archive import MadeArchive, Terms
from ingestor.simulator.market import DAY, MONDAY

GLBX = "GLBX.MDP3"
TODAY = MONDAY // DAY


def availability():
    first, past = number(dt.date(2024, 3, 1)), number(dt.date(2024, 4, 1))
    return Availability(MadeArchive(Terms(0, 10), first, past))


def on(day, condition, modified=None):
    date = dt.date(2024, 3, 11) + dt.timedelta(days=day - TODAY)
    return DayCondition(dataset=GLBX, date=date, condition=condition, last_modified_date=modified)


def test_sessions_are_listed_with_both_bounds_included():
    listed = availability().listed(GLBX, TODAY - 3, TODAY + 1)
    assert [each.date.isoformat() for each in listed] == ["2024-03-08", "2024-03-11", "2024-03-12"]


def test_nothing_is_listed_outside_the_range():
    days = [each.date for each in availability().listed(GLBX, 0, 10**5)]
    assert days[0] == dt.date(2024, 3, 1)
    assert days[-1] == dt.date(2024, 3, 28)


def test_a_day_that_was_set_is_listed_as_it_was():
    found = availability()
    found.set_day(on(TODAY, Condition.DEGRADED, dt.date(2024, 5, 1)))
    found.set_day(on(TODAY - 1, Condition.MISSING))
    assert [each.as_answer() for each in found.listed(GLBX, TODAY - 1, TODAY)] == [
        {"date": "2024-03-10", "condition": "missing", "last_modified_date": None},
        {"date": "2024-03-11", "condition": "degraded", "last_modified_date": "2024-05-01"},
    ]


@pytest.mark.parametrize("condition", [Condition.PENDING, Condition.MISSING])
def test_days_that_are_not_there_are_left_out_of_what_is_served(condition):
    found = availability()
    found.set_day(on(TODAY + 1, condition))
    served = list(found.served(GLBX, MONDAY + 5, MONDAY + 3 * DAY))
    assert served == [(MONDAY + 5, MONDAY + DAY), (MONDAY + 2 * DAY, MONDAY + 3 * DAY)]


@given(st.sets(st.integers(0, 6)), st.integers(0, 7 * DAY), st.integers(1, 3 * DAY))
def test_what_is_served_is_the_range_without_the_days_withheld(withheld, start, length):
    found = availability()
    for day in withheld:
        found.set_day(on(TODAY + day, Condition.PENDING))
    begin, end = MONDAY + start, MONDAY + start + length
    served = list(found.served(GLBX, begin, end))
    lost = sum(
        max(0, min(end, MONDAY + (day + 1) * DAY) - max(begin, MONDAY + day * DAY))
        for day in withheld
    )
    assert sum(last - first for first, last in served) == length - lost
    assert all(begin <= first < last <= end for first, last in served)


def test_a_range_may_be_set_for_one_dataset_or_for_all():
    found = availability()
    found.set_range(AvailableRange(end=MONDAY))
    found.set_range(AvailableRange(dataset=GLBX, end=MONDAY + DAY))
    assert found.bounds(GLBX, "trades")[1] == MONDAY + DAY
    assert found.bounds("XNAS.ITCH")[1] == MONDAY
    found.reset()
    assert found.bounds("XNAS.ITCH")[1] == number(dt.date(2024, 4, 1)) * DAY
