"""Times in text are read to the nanosecond or not at all, as datetime and zoneinfo do it."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.vocabulary import Schema
from tests.cells import column_of, records, rule, values

EVENT = column_of("ts_event")
REFERENCE = column_of("ts_ref", Schema.STATISTICS)
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Monrovia",
         "Asia/Kathmandu", "America/Sao_Paulo"]  # fmt: skip
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
ISO = re.compile(
    r"([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})"
    r"(?:[T ]([0-9]{2})(:?)([0-9]{2})(?:\6([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r"(?: ?(Z|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)


def naive(*parts: int) -> dt.datetime:
    """A local time: it has no zone."""
    return dt.datetime(*parts)  # type: ignore[arg-type] # noqa: DTZ001 - numbers alone


def plain(cell: str, zone: str = "UTC", ambiguous: str | None = None) -> Any:
    """One cell of ISO 8601, with datetime and zoneinfo."""
    text = cell.strip(" \t")
    if not text:
        return "null"
    if (found := ISO.fullmatch(text)) is None:
        return "unread"
    year, _, month, day, hour, _, minute, second, fraction, offset = found.groups(default="0")
    try:
        local = naive(int(year), int(month), int(day), int(hour), int(minute), int(second))
        utc = _with_offset(local, offset) if found[10] else _of_zone(local, zone, ambiguous)
    except (ValueError, OverflowError):
        return "unread"
    return _nanos(utc, fraction)


def _nanos(utc: dt.datetime | None, fraction: str) -> Any:
    if utc is None:
        return "unread"
    whole = (utc - EPOCH) // dt.timedelta(seconds=1)
    made = whole * 10**9 + int(fraction.ljust(9, "0"))
    return made if whole >= 0 and made < 2**64 - 1 else "unread"


def _with_offset(local: dt.datetime, offset: str) -> dt.datetime:
    if offset == "Z":
        return local.replace(tzinfo=dt.UTC)
    bare = offset[1:].replace(":", "").ljust(4, "0")
    if int(bare[2:]) > 59:
        raise ValueError
    east = dt.timedelta(hours=int(bare[:2]), minutes=int(bare[2:]))
    return local.replace(tzinfo=dt.timezone(-east if offset[0] == "-" else east)).astimezone(dt.UTC)


def _of_zone(local: dt.datetime, zone: str, ambiguous: str | None) -> dt.datetime | None:
    both = [local.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(dt.UTC) for fold in (0, 1)]
    there = {utc for utc in both if utc.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local}
    if len(there) == 1:
        return there.pop()
    if not there or ambiguous is None:
        return None
    return both[0 if ambiguous == "first" else 1]


def made(cells: list[str], column: Any = REFERENCE, **keys: Any) -> list[Any]:
    return values(column, rule("time", field="x", **keys), records(x=cells))


instants = st.datetimes(naive(1969, 12, 30), naive(2556, 1, 1))
fractions = st.one_of(
    st.just(""), st.text("0123456789", min_size=1, max_size=9).map(lambda f: f".{f}")
)
offsets = st.sampled_from(["", "", "Z", "+01:00", "-0530", "+14", "-00:00", " +02:00", "+23:59"])
written = st.builds(
    lambda at, form, fraction, offset: at.strftime(form) + fraction * ("S" in form) + offset,
    instants,
    st.sampled_from(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y%m%dT%H%M%S", "%Y-%m-%d %H:%M"]),
    fractions, offsets,
)  # fmt: skip
days = instants.map(lambda at: at.strftime("%Y-%m-%d"))
numerals = st.from_regex(re.compile(ISO.pattern, re.ASCII), fullmatch=True)
garbage = st.text("0123456789-:T Z+.,x", max_size=32)
anything = st.one_of(written, written, days, numerals, garbage)


@settings(deadline=None)
@given(
    cells=st.lists(anything, min_size=1, max_size=20), zone=st.sampled_from(ZONES),
    ambiguous=st.sampled_from([None, "first", "second"]),
)  # fmt: skip
def test_a_time_is_what_datetime_and_zoneinfo_make_of_it(
    cells: list[str], zone: str, ambiguous: str | None
) -> None:
    """Whatever shapes and offsets stand in one batch."""
    found = made(cells, zone=zone, ambiguous=ambiguous)

    assert found == [plain(each, zone, ambiguous) for each in cells]


@pytest.mark.parametrize("zone", [each for each in ZONES if each != "UTC"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_around_every_shift_of_a_zone_local_times_are_those_of_zoneinfo(
    zone: str, data: st.DataObject
) -> None:
    """A time that the zone skips or has twice says no instant."""
    shifts = {
        "America/New_York": [naive(2024, 3, 10, 2), naive(2024, 11, 3, 1)],
        "Europe/Berlin": [naive(2024, 3, 31, 2), naive(2024, 10, 27, 2)],
        "Australia/Lord_Howe": [naive(2024, 10, 6, 2), naive(2024, 4, 7, 1, 30)],
        "Africa/Monrovia": [naive(1972, 1, 7)],
        "Asia/Kathmandu": [naive(1986, 1, 1)],
        "America/Sao_Paulo": [naive(2018, 11, 4), naive(2018, 2, 17, 23)],
    }[zone]  # fmt: skip
    away = st.integers(-7_000, 7_000).map(lambda seconds: dt.timedelta(seconds=seconds))
    at = st.builds(lambda shift, by: (shift + by).isoformat(), st.sampled_from(shifts), away)
    cells = data.draw(st.lists(at, min_size=1, max_size=30))
    for ambiguous in (None, "first", "second"):
        found = made(cells, zone=zone, ambiguous=ambiguous)
        assert found == [plain(each, zone, ambiguous) for each in cells]


def test_a_zone_that_shifts_within_a_quarter_of_an_hour_is_asked_by_the_second() -> None:
    """Monrovia left 44 minutes and a half out."""
    at = [naive(1972, 1, 7, 0, 44, 28) + dt.timedelta(seconds=n) for n in range(5)]
    cells = [each.isoformat() for each in at]
    found = made(cells, zone="Africa/Monrovia")

    assert found == [plain(each, "Africa/Monrovia") for each in cells]
    assert [each == "unread" for each in found] == [True, True, False, False, False]


def test_an_hour_that_comes_twice_is_unread_unless_the_rule_says_which() -> None:
    """One that never comes is unread in any case."""
    cells = ["2024-11-03 01:30:00", "2024-03-10 02:30:00", "2024-11-03 01:30:00-05:00"]
    first = 1_730_611_800 * 10**9

    assert made(cells, zone="America/New_York") == ["unread", "unread", first + 3600 * 10**9]
    assert made(cells[:2], zone="America/New_York", ambiguous="first") == [first, "unread"]
    assert made(cells[:1], zone="America/New_York", ambiguous="second") == [first + 3600 * 10**9]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("1970-01-01", 0), ("1970-01-01T00:00:00.000000001Z", 1),
        ("1969-12-31T23:59:59.999999999Z", "unread"),
        ("2554-07-21T23:34:33.709551614Z", 2**64 - 2),
        ("2554-07-21T23:34:33.709551615Z", "unread"), ("2554-07-21T23:34:34Z", "unread"),
        ("2554-07-21T23:34:33.709551616Z", "unread"), ("2554-07-21T23:34:33.999999999Z", "unread"),
        ("2024-02-30", "unread"), ("2023-02-29", "unread"), ("2024-02-29", 19_782 * 86_400 * 10**9),
        ("2024-03-11T24:00:00", "unread"), ("2024-03-11T23:59:60", "unread"),
        ("2024-03-11T09:30:00.1234567890", "unread"), ("2024-03-11T09:30:00.", "unread"),
        ("2024-3-11", "unread"), ("20240311", 19_793 * 86_400 * 10**9), ("2024-0311", "unread"),
        ("2024-03-11T0930:00", "unread"), ("0000-01-01", "unread"), ("", "null"), (" ", "null"),
        ("2024-03-11T09:30:00 UTC", "unread"), ("2024-03-11T09:30:00+24:00", "unread"),
        ("2024-03-11T09:30:00" + " " * 80, 1_710_149_400 * 10**9), ("2" * 80, "unread"),
    ],
)  # fmt: skip
def test_what_a_time_may_look_like(cell: str, found: object) -> None:
    """Also beside a cell that is wider."""
    assert made([cell])[0] == found
    assert made([cell, "x" * 90])[0] == found


FORMATS = ["%m/%d/%Y %H:%M:%S", "%d.%m.%y %H:%M", "%Y%m%d%H%M%S", "%d-%b-%Y %I:%M:%S %p",
           "%B %d, %Y", "%Y-%j %H:%M:%S", "%d%b%y", "%Y/%m/%d-%H.%M.%S.%f"]  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_format_reads_what_strptime_reads(form: str, data: st.DataObject) -> None:
    """Written by strftime, with or without the zeros before single digits, and spoiled."""
    at = data.draw(st.lists(st.datetimes(naive(1971, 1, 1), naive(2060, 1, 1)),
                            min_size=1, max_size=10))  # fmt: skip
    cells = [each.strftime(form) for each in at]
    if not re.search(r"%[a-zA-Z]%|%j|%y|%Y-", form):
        cells += [re.sub(r"\b0([0-9])(?=[^0-9]|$)", r"\1", each) for each in cells]
    cells += [each.replace("1", "9") for each in cells]

    assert made(cells, format=form) == [_strptime(each, form) for each in cells]


def _strptime(cell: str, form: str) -> Any:
    try:
        return _nanos(dt.datetime.strptime(cell, form).replace(tzinfo=dt.UTC, microsecond=0),
                      cell.rpartition(".")[2] if form.endswith("%f") else "0")  # fmt: skip
    except ValueError:
        return "unread"


def test_a_format_may_name_an_offset_and_nine_digits() -> None:
    """Which strptime has six of."""
    cells = ["11/Mar/2024:09:30:00.123456789 +0100", "11/MAR/2024:09:30:00.5 Z"]

    assert made(cells, format="%d/%b/%Y:%H:%M:%S.%f %z", zone="America/New_York") == [
        1_710_145_800_123_456_789, 1_710_149_400_500_000_000,
    ]  # fmt: skip


def test_day_and_time_of_day_may_stand_in_two_fields() -> None:
    """Joined by a blank; null where both are, unread where one is."""
    wire = records(day=["20240311", "20240311", "", ""], at=["09:30:00", "", "", "09:30:00"])
    given_ = rule("time", field="at", date_field="day", format="%Y%m%d %H:%M:%S")
    iso = rule("time", field="at", date_field="day")
    wanted = [1_710_149_400 * 10**9, "unread", "null", "unread"]

    assert values(REFERENCE, given_, wire) == wanted
    assert values(REFERENCE, iso, records(day=["2024-03-11"], at=["09:30"])) == wanted[:1]


@pytest.mark.parametrize(("unit", "digits"), [("s", 9), ("ms", 6), ("us", 3), ("ns", 0)])
def test_counts_since_1970_are_exact(unit: str, digits: int) -> None:
    """As numbers are: no float, and the undefined time is none."""
    count = str(1_710_149_400_123_456_789)
    whole, rest = count[: len(count) - digits], count[len(count) - digits :]
    highest = str(2**64 - 1)
    top = f"{highest[: 20 - digits]}.{highest[20 - digits :]}"
    cells = [f"{whole}.{rest}", whole, "-1", top, "", "x"]

    assert made(cells, unit=unit) == [
        int(count), int(whole) * 10**digits, "unread", "unread", "null", "unread",
    ]  # fmt: skip


def test_an_unread_time_that_is_always_defined_is_undefined() -> None:
    """So nobody takes 1970 for the day of a record that was not read."""
    from ingestor.transform.cells import Read
    from ingestor.transform.ops import compile_rule

    read = compile_rule(rule("time", field="x"), EVENT)(records(x=["", "2024-03-11"]))
    assert isinstance(read, Read)
    assert read.unread is not None
    assert read.unread.tolist() == [True, False]
    assert read.values.tolist() == [2**64 - 1, 19_793 * 86_400 * 10**9]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"format": "%H:%M"}, "says no day"),
        ({"format": "%Y-%m-%d %Q"}, "%Q of '%Y-%m-%d %Q' is not known; there are %Y, %y"),
        ({"format": "%Y-%m-%d %Y"}, "holds %Y twice"),
        ({"format": "%Y-%m-%d %I:%M"}, "%I goes with %p"),
        ({"format": "%Y %y %m %d"}, "says the year or the month twice"),
        ({"format": "2024 %m %d"}, "holds a digit"),
        ({"format": "%Y%m%d%"}, "is not known"),
        ({"unit": "s", "zone": "UTC"}, "it excludes zone"),
        ({"zone": "America/New_Yrok"}, "did you mean America/New_York?"),
        ({"unit": "min"}, "'s', 'ms', 'us' or 'ns'"),
    ],
)
def test_a_wrong_rule_of_a_time_is_refused(keys: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError) as error:
        rule("time", field="x", **keys)
    assert said in str(error.value)
