"""Words for days: arithmetic of months and leap years, and what a refusal says."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.dates import DAY_PATTERN, END_PATTERN, FIRST_DAY, LAST_DAY, parse_day, parse_end
from ingestor.errors import Usage

TODAY = dt.date(2025, 11, 22)
days = st.dates(dt.date(2000, 1, 1), dt.date(2100, 12, 31))
late_days = st.dates(dt.date(2070, 1, 1), dt.date(2150, 12, 31))


def refusal(text: str, *, today: dt.date = TODAY) -> str:
    with pytest.raises(Usage) as error:
        parse_day(text, today=today)
    return error.value.message


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-03-11", "2024-03-11"),
        (" 2024-03-11 ", "2024-03-11"),
        ("today", "2025-11-22"),
        ("yesterday", "2025-11-21"),
        ("-10d", "2025-11-12"),
        ("-3w", "2025-11-01"),
        ("-6m", "2025-05-22"),
        ("-11m", "2024-12-22"),
        ("-2y", "2023-11-22"),
    ],
)
def test_a_word_is_a_day(text: str, day: str) -> None:
    """Each spelling there is."""
    assert parse_day(text, today=TODAY) == dt.date.fromisoformat(day)


@pytest.mark.parametrize(
    ("today", "text", "day"),
    [
        ("2024-02-29", "-1y", "2023-02-28"),
        ("2024-02-29", "-4y", "2020-02-29"),
        ("2024-08-31", "-6m", "2024-02-29"),
        ("2025-08-31", "-6m", "2025-02-28"),
        ("2025-05-31", "-1m", "2025-04-30"),
        ("2025-01-31", "-1m", "2024-12-31"),
        ("2024-03-01", "-1d", "2024-02-29"),
    ],
)
def test_a_day_that_a_month_lacks_is_its_last_one(today: str, text: str, day: str) -> None:
    """Never a day of the month after: the range would begin later than asked for."""
    found = parse_day(text, today=dt.date.fromisoformat(today))

    assert found == dt.date.fromisoformat(day)


def _month_number(day: dt.date) -> int:
    return day.year * 12 + day.month


@given(today=days, count=st.integers(1, 300))
def test_months_back_are_months_back(today: dt.date, count: int) -> None:
    """Exactly so many calendar months, and the day of the month or the last that there is."""
    found = parse_day(f"-{count}m", today=today)
    next_month = dt.date(found.year + found.month // 12, found.month % 12 + 1, 1)

    assert _month_number(today) - _month_number(found) == count
    assert found.day == min(today.day, (next_month - dt.timedelta(days=1)).day)


@given(today=days, count=st.integers(1, 25))
def test_years_are_twelve_months_and_weeks_seven_days(today: dt.date, count: int) -> None:
    """One arithmetic for both units."""
    assert parse_day(f"-{count}y", today=today) == parse_day(f"-{12 * count}m", today=today)
    assert parse_day(f"-{count}w", today=today) == today - dt.timedelta(days=7 * count)


@given(one=late_days, other=late_days, count=st.integers(1, 99), unit=st.sampled_from("dwmy"))
def test_a_later_today_never_means_an_earlier_day(
    one: dt.date, other: dt.date, count: int, unit: str
) -> None:
    """A file that is submitted every day moves forward."""
    text = f"-{count}{unit}"
    early, late = sorted((one, other))

    assert parse_day(text, today=early) <= parse_day(text, today=late)


@given(text=st.text(max_size=20) | st.from_regex(r"-?[0-9]{1,9}[dwmy]", fullmatch=True))
def test_any_text_is_a_day_within_bounds_or_refused(text: str) -> None:
    """No other error comes out, and what the pattern for editors refuses is refused here too."""
    try:
        found = parse_end(text, today=TODAY)
    except Usage:
        return
    assert found is None or FIRST_DAY <= found <= LAST_DAY
    assert re.fullmatch(END_PATTERN, text.strip())


def test_latest_is_the_end_of_what_there_is() -> None:
    """None, as where no end was given; and it is no start."""
    assert parse_end("latest", today=TODAY) is None
    assert parse_end("-1d", today=TODAY) == dt.date(2025, 11, 21)
    assert "is no day" in refusal("latest")
    assert re.fullmatch(DAY_PATTERN, "latest") is None


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("-2Y", "-2y"), ("2y", "-2y"), ("-2years", "-2y"), ("10 days ago", "-10d"),
        ("+3w", "-3w"), ("yesterdy", "yesterday"), ("Today", "today"),
    ],
)  # fmt: skip
def test_a_near_miss_is_offered(text: str, near: str) -> None:
    """The person need not look it up."""
    assert refusal(text).endswith(f"; did you mean {near}?")


@pytest.mark.parametrize("text", ["", "-0d", "-2", "-2q", "2024-3-11", "2024-02-30", "tomorrow!"])
def test_what_is_no_day_is_told_all_spellings(text: str) -> None:
    """What was found, and what is allowed."""
    said = refusal(text)

    assert said.startswith(f"{text!r} is no day; write it as 2024-03-11, as -10d, -3w, -6m or -2y")


@pytest.mark.parametrize("text", ["-60y", "-99999y", "-99999m", "-25000d", "1969-12-31"])
def test_a_day_before_1970_is_refused(text: str) -> None:
    """However far back it is counted."""
    assert "lies outside 1970-01-01 to 2554-07-21" in refusal(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2024-03-11T12:30", "give 2024-03-11 or 2024-03-12"),
        ("2024-03-11 23:59:59.999999999Z", "give 2024-03-11 or 2024-03-12"),
        ("2024-03-11T20:00-05:00", "give 2024-03-12 or 2024-03-13"),
        ("2024-03-11T00:00", "write 2024-03-11"),
        ("2024-03-11T01:00+01:00", "write 2024-03-11"),
    ],
)
def test_a_time_of_day_is_refused_with_the_nearest_days_in_utc(text: str, said: str) -> None:
    """An offset is taken to UTC first: it may be another day there."""
    assert refusal(text).endswith(said)
