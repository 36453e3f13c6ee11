"""Which days the made-up markets are open; days are numbers since 1970-01-01, UTC."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Final

EPOCH: Final = dt.date(1970, 1, 1)
_SATURDAY: Final = 5
_FIXED_HOLIDAYS: Final = ((1, 1), (7, 4), (12, 25))


def number(day: dt.date) -> int:
    """Days since 1970."""
    return (day - EPOCH).days


def date_of(day: int) -> dt.date:
    """The date of a number of days since 1970."""
    return EPOCH + dt.timedelta(days=day)


@lru_cache(maxsize=4096)
def is_open(day: int) -> bool:
    """Not on weekends, New Year, Good Friday, the fourth of July and Christmas."""
    date = date_of(day)
    if date.weekday() >= _SATURDAY or (date.month, date.day) in _FIXED_HOLIDAYS:
        return False
    return date != _easter(date.year) - dt.timedelta(days=2)


def third_friday(year: int, month: int) -> dt.date:
    """When quarterly futures and monthly options expire."""
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(4 - first.weekday()) % 7 + 14)


def _easter(year: int) -> dt.date:
    """Easter Sunday by the anonymous Gregorian algorithm (Meeus, Astronomical Algorithms)."""
    century, rest = divmod(year, 100)
    leap, remainder = divmod(century, 4)
    golden = year % 19
    correction = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * golden + century - leap - correction + 15) % 30
    weekday = (32 + 2 * remainder + 2 * (rest // 4) - moon - rest % 4) % 7
    shift = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * shift + 114, 31)
    return dt.date(year, month, day + 1)
