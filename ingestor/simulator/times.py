"""Times of requests and answers: text to UTC nanoseconds and back."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from ingestor.simulator.calendar import EPOCH, number
from ingestor.simulator.market import DAY, SECOND

_ISO: Final = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"(?:[T ](?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<part>\d{1,9}))?)?)?)?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?"
)
_HOUR: Final = 3_600 * SECOND
_MINUTE: Final = 60 * SECOND


def parse_time(text: str) -> int:
    """UTC nanoseconds of an ISO 8601 text, what it leaves out being zero, or of a number of them.

    Raises:
        ValueError: It is neither.
    """
    if re.fullmatch(r"-?\d{9,19}|0", text):
        return int(text)
    found = _matched(text)
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(f"{text!r} is no time of day")
    at = number(dt.date.fromisoformat(found["date"])) * DAY
    at += hour * _HOUR + minute * _MINUTE + second * SECOND
    return at + int((found["part"] or "0").ljust(9, "0")) - _offset(found["zone"])


def forward_filled(text: str) -> int:
    """The end that a request means which names a start only: the unit it names, filled.

    ``2024-03-11`` means the whole day, ``2024-03-11T09`` the hour.
    """
    start = parse_time(text)
    if not (found := _ISO.fullmatch(text.strip())):
        return start + 1
    for name, unit in (("part", 1), ("second", SECOND), ("minute", _MINUTE), ("hour", _HOUR)):
        if found[name]:
            return start + unit
    return start + DAY


def parse_date(text: str) -> int:
    """Days since 1970 of a date, or of the date of a time.

    Raises:
        ValueError: It is no date.
    """
    return parse_time(text) // DAY


def as_iso(at: int) -> str:
    """``2024-03-11T00:00:00.000000000Z``, as ranges are answered."""
    seconds, nanoseconds = divmod(at, SECOND)
    return f"{_moment(seconds):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09}Z"


def as_text(at: int) -> str:
    """``2024-03-11 00:00:00+00:00``, as messages spell it."""
    seconds, nanoseconds = divmod(at, SECOND)
    part = f".{nanoseconds:09}" if nanoseconds else ""
    return f"{_moment(seconds):%Y-%m-%d %H:%M:%S}{part}+00:00"


def _matched(text: str) -> re.Match[str]:
    found = _ISO.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is neither an ISO 8601 time nor nanoseconds since 1970")
    return found


def _offset(zone: str | None) -> int:
    if zone is None or zone == "Z":
        return 0
    sign = -1 if zone[0] == "-" else 1
    return sign * (int(zone[1:3]) * _HOUR + int(zone[-2:]) * _MINUTE)


def _moment(seconds: int) -> dt.datetime:
    midnight = dt.datetime.combine(EPOCH, dt.time())
    return midnight + dt.timedelta(seconds=seconds)
