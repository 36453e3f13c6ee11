"""When the made-up markets are open."""

from __future__ import annotations

import datetime as dt

import pytest

from ingestor.simulator.calendar import date_of, is_open, number, third_friday

CLOSED = ["2024-01-01", "2024-03-29", "2024-07-04", "2024-12-25", "2024-03-09", "2024-03-10"]


@pytest.mark.parametrize("day", CLOSED)
def test_weekends_and_holidays_are_closed(day):
    assert not is_open(number(dt.date.fromisoformat(day)))


@pytest.mark.parametrize("day", ["2024-01-02", "2024-03-28", "2024-04-01", "2024-07-05"])
def test_other_days_are_open(day):
    assert is_open(number(dt.date.fromisoformat(day)))


@pytest.mark.parametrize("day", ["2023-04-07", "2025-04-18", "2026-04-03", "2038-04-23"])
def test_good_friday_moves_with_easter(day):
    """Dates of the church's calendar."""
    assert not is_open(number(dt.date.fromisoformat(day)))


def test_numbers_and_dates_are_the_same_days():
    assert number(dt.date(1970, 1, 1)) == 0
    assert date_of(19_793) == dt.date(2024, 3, 11)


@pytest.mark.parametrize(
    ("month", "expiry"), [((2024, 6), "2024-06-21"), ((2024, 3), "2024-03-15")]
)
def test_contracts_expire_on_the_third_friday(month, expiry):
    assert third_friday(*month) == dt.date.fromisoformat(expiry)
