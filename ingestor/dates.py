"""How people write a UTC day: ``2024-03-11``, ``-2y``, ``yesterday``, ``latest``.

Pure: whoever asks says which day today is.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from difflib import get_close_matches
from typing import Final, NoReturn

from ingestor.errors import Usage

FIRST_DAY: Final = dt.date(1970, 1, 1)
LAST_DAY: Final = dt.date(2554, 7, 21)
"""uint64 nanoseconds end on it; later days have no spelling on the wire."""

LATEST: Final = "latest"
TODAY: Final = "today"
YESTERDAY: Final = "yesterday"
DAY_PATTERN: Final = r"^([0-9]{4}-[0-9]{2}-[0-9]{2}|-[1-9][0-9]{0,4}[dwmy]|today|yesterday)$"
END_PATTERN: Final = DAY_PATTERN.replace("|today", "|latest|today")

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].*[0-9].*")
_BEFORE_TODAY = re.compile(r"-([1-9][0-9]{0,4})([dwmy])")
_NEARLY = re.compile(r"[-+]?\s*0*([1-9][0-9]{0,4})\s*([dwmy])[a-z]*(\s+ago)?", re.IGNORECASE)
_SHOWN = 60


def parse_day(text: str, *, today: dt.date) -> dt.date:
    """The day that is meant.

    ``-10d`` and ``-3w`` count days back from `today`. ``-6m`` is the same day of the month six
    months earlier, the month's last day where it is shorter; ``-2y`` is ``-24m``.

    Raises:
        Usage: It is no day, holds a time of day, or lies outside `FIRST_DAY` to `LAST_DAY`.
    """
    return _parsed(text.strip(), today, (TODAY, YESTERDAY))


def parse_end(text: str, *, today: dt.date) -> dt.date | None:
    """As `parse_day`; None for ``latest``, the end of what the provider has."""
    word = text.strip()
    return None if word == LATEST else _parsed(word, today, (TODAY, YESTERDAY, LATEST))


def _parsed(text: str, today: dt.date, words: tuple[str, ...]) -> dt.date:
    if text == TODAY:
        return today
    if text == YESTERDAY:
        return _inside(text, _days_before(today, 1))
    if (back := _BEFORE_TODAY.fullmatch(text)) is not None:
        return _inside(text, _before(today, int(back[1]), back[2]))
    if _TIMED.fullmatch(text) is not None:
        _refuse_time(text, words)
    day = _date(text)
    return _inside(text, day) if day is not None else _refuse(text, words)


def _before(today: dt.date, count: int, unit: str) -> dt.date | None:
    if unit in "dw":
        return _days_before(today, count * (7 if unit == "w" else 1))
    return _months_before(today, count * (12 if unit == "y" else 1))


def _days_before(today: dt.date, count: int) -> dt.date | None:
    ordinal = today.toordinal() - count
    return dt.date.fromordinal(ordinal) if ordinal > 0 else None


def _months_before(today: dt.date, count: int) -> dt.date | None:
    year, month = divmod(today.year * 12 + today.month - 1 - count, 12)
    if year < dt.MINYEAR:
        return None
    return dt.date(year, month + 1, min(today.day, calendar.monthrange(year, month + 1)[1]))


def _inside(text: str, day: dt.date | None) -> dt.date:
    if day is None or not FIRST_DAY <= day <= LAST_DAY:
        raise Usage(f"{text!r} lies outside {FIRST_DAY} to {LAST_DAY}")
    return day


def _date(text: str) -> dt.date | None:
    if _DATE.fullmatch(text) is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _refuse_time(text: str, words: tuple[str, ...]) -> NoReturn:
    """A time with an offset is taken to UTC first: the days offered are UTC's."""
    try:
        time = dt.datetime.fromisoformat(text.upper())
        time = time if time.tzinfo is None else time.astimezone(dt.UTC)
        after = time.date() + dt.timedelta(days=1)
    except (ValueError, OverflowError):
        _refuse(text, words)
    if time.time() == dt.time():
        raise Usage(f"{text!r} has a time of day; write {time.date()}")
    raise Usage(
        f"{text!r} has a time of day, and requests are whole UTC days: "
        f"give {time.date()} or {after}"
    )


def _refuse(text: str, words: tuple[str, ...]) -> NoReturn:
    raise Usage(
        f"{text[:_SHOWN]!r} is no day; write it as 2024-03-11, as -10d, -3w, -6m or -2y (before "
        f"today), or as {', '.join(words[:-1])} or {words[-1]}{_meant(text, words)}"
    )


def _meant(text: str, words: tuple[str, ...]) -> str:
    if (nearly := _NEARLY.fullmatch(text[:_SHOWN])) is not None:
        return f"; did you mean -{nearly[1]}{nearly[2].lower()}?"
    near = get_close_matches(text[:_SHOWN].lower(), words, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
