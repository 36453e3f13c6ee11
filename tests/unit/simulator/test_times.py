"""Times as requests spell them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ingestor.simulator.market import DAY, MONDAY, SECOND
from ingestor.simulator.times import as_iso, as_text, forward_filled, parse_date, parse_time


@pytest.mark.parametrize(
    ("text", "after_midnight"),
    [
        ("2024-03-11", 0),
        ("2024-03-11T09", 9 * 3600 * SECOND),
        ("2024-03-11T09:30", (9 * 3600 + 1800) * SECOND),
        ("2024-03-11 09:30:01", (9 * 3600 + 1801) * SECOND),
        ("2024-03-11T00:00:00.000000001Z", 1),
        ("2024-03-11T00:00:00.5+00:00", SECOND // 2),
        ("2024-03-11T01:00:00+01:00", 0),
        ("2024-03-10T19:00:00-0500", 0),
        (str(MONDAY), 0),
    ],
)
def test_every_spelling_of_a_time_is_understood(text, after_midnight):
    assert parse_time(text) == MONDAY + after_midnight


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2024-13-01", "2024-02-30", "2024-03-11T24:00", "11.03.2024", "1e18"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError):
        parse_time(text)


@given(st.integers(0, 4_102_444_800 * SECOND))
def test_a_time_written_reads_back(at):
    assert parse_time(as_iso(at)) == at
    assert parse_time(as_text(at)) == at


@given(st.datetimes(timezones=st.timezones()).filter(lambda each: 1971 < each.year < 2200))
def test_what_python_writes_is_understood_as_it_means_it(moment):
    assume(not (moment.utcoffset() or dt.timedelta()).seconds % 60)
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    expected = (moment - epoch) // dt.timedelta(microseconds=1) * 1_000
    assert parse_time(moment.isoformat()) == expected


@pytest.mark.parametrize(
    ("start", "length"),
    [
        ("2024-03-11", DAY),
        ("2024-03-11T00", 3600 * SECOND),
        ("2024-03-11T00:00", 60 * SECOND),
        ("2024-03-11T00:00:00", SECOND),
        ("2024-03-11T00:00:00.0", 1),
    ],
)
def test_a_start_alone_means_the_unit_it_names(start, length):
    assert forward_filled(start) == MONDAY + length


def test_dates_are_days():
    assert parse_date("2024-03-11") == parse_date("2024-03-11T23:59") == MONDAY // DAY
