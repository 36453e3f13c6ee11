"""Times in text → nanoseconds since 1970, UTC."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import numpy.typing as npt

from ingestor.model.kind import NANOSECONDS, Column
from ingestor.transform.cells import (
    Bytes,
    Cells,
    Conversion,
    Mask,
    Op,
    Read,
    Records,
    Values,
    bytes_of,
    cells_of,
    reading,
    settled,
    trimmed,
    undefined,
)
from ingestor.transform.decimals import bounds, whole_numbers
from ingestor.transform.formats import Form, month_of
from ingestor.transform.rules import Time
from ingestor.transform.shapes import WIDEST, shapes_of
from ingestor.transform.zones import to_utc, zone_named

Numbers = npt.NDArray[np.int64]

_UNITS: Final = {"s": 9, "ms": 6, "us": 3, "ns": 0}
_YEARS: Final = (1969, 2555)
"""The frame's nanoseconds reach from 1970 to 2554; a zone may add a day."""

_FIRST_DAYS: Final = np.arange(
    f"{_YEARS[0]}-01", f"{_YEARS[1] + 2}-01", dtype="M8[M]"
).astype("M8[D]").astype(np.int64)  # fmt: skip
"""Days since 1970 on which months begin."""

_DAY: Final = 86_400


def time(rule: Time, column: Column) -> Op:
    """The op that makes a time of text."""
    if rule.unit is not None:
        convert = whole_numbers(column, _UNITS[rule.unit])
        return reading(rule.field, column, convert, rule.nulls)
    convert = _instants(rule, column)
    if rule.date_field is None:
        return reading(rule.field, column, convert, rule.nulls)
    return _of_two(rule, rule.date_field, column, convert)


def _of_two(rule: Time, date_field: str, column: Column, convert: Conversion) -> Op:
    """Day and time of day from two fields; null where both say nothing."""
    nulls = tuple(each.encode() for each in rule.nulls)

    def op(records: Records) -> Read:
        day = trimmed(cells_of(records, date_field))
        time_of_day = trimmed(cells_of(records, rule.field))
        null = undefined(day, nulls) & undefined(time_of_day, nulls)
        joined = np.strings.add(np.strings.add(day, b" "), time_of_day)
        values, bad = convert(np.ascontiguousarray(joined))
        return settled(column, values, bad, null)

    return op


def _instants(rule: Time, column: Column) -> Conversion:
    zone = zone_named(rule.zone)
    _, highest = bounds(column)

    def convert(cells: Cells) -> tuple[Values, Mask]:
        parts = _parts(cells, rule.form)
        seconds, bad = parts.seconds, parts.bad
        local = ~parts.bad & ~parts.with_offset
        if rule.zone != "UTC" and local.any():
            seconds[local], bad[local] = to_utc(seconds[local], zone, rule.ambiguous)
        last, rest = divmod(highest, NANOSECONDS)
        bad |= (seconds < 0) | (seconds > last) | ((seconds == last) & (parts.nanos > rest))
        seconds[bad] = 0
        values = seconds.astype(np.uint64) * np.uint64(NANOSECONDS)
        return values + parts.nanos.astype(np.uint64), bad

    return convert


class _Parts:
    """What cells say, each of shape (n,).

    Attributes:
        seconds: Since 1970, by the cell's own offset, else as if local time were UTC.
        with_offset: Cells that name their offset.
    """

    def __init__(self, count: int) -> None:
        self.seconds: Numbers = np.zeros(count, np.int64)
        self.nanos: Numbers = np.zeros(count, np.int64)
        self.with_offset: Mask = np.zeros(count, np.bool_)
        self.bad: Mask = np.ones(count, np.bool_)


def _parts(cells: Cells, form: Form) -> _Parts:
    matrix = bytes_of(cells)
    parts = _Parts(len(cells))
    for shape, rows in shapes_of(matrix):
        if (found := form.pattern.fullmatch(shape)) is not None:
            _read(matrix if len(rows) == len(cells) else matrix[rows], found, rows, parts)
    parts.bad |= matrix[:, WIDEST:].any(axis=1)
    return parts


def _read(matrix: Bytes, shape: re.Match[str], rows: npt.NDArray[np.intp], parts: _Parts) -> None:
    """The values of cells of one shape, put into `parts`."""
    of = _Group(matrix, shape)
    days, day_bad = _days(of)
    seconds, clock_bad = _clock(of)
    offset, offset_bad = _offset(of)
    parts.seconds[rows] = days * _DAY + seconds - offset
    parts.nanos[rows] = of.number("f") * 10 ** (9 - of.width("f"))
    parts.with_offset[rows] = of.text("utc") is not None or of.text("sign") is not None
    parts.bad[rows] = day_bad | clock_bad | offset_bad


class _Group:
    """Cells of one shape, read by the names of its pattern's groups."""

    def __init__(self, matrix: Bytes, shape: re.Match[str]) -> None:
        # By column, so that each place lies together: of 65,536 times 11 ms become 6.
        self._digits = np.ascontiguousarray(matrix.T) - np.uint8(ord("0"))
        self._count = len(matrix)
        self._shape = shape
        self._groups = shape.re.groupindex

    def text(self, name: str) -> str | None:
        """What is not digits, and so the same in all."""
        return self._shape[name] if name in self._groups else None

    def width(self, name: str) -> int:
        return len(self.text(name) or "")

    def number(self, name: str) -> Numbers:
        """The digits of a group; zeros where there is none."""
        made = np.zeros(self._count, np.int32)
        if self.text(name):
            for place in range(*self._shape.span(name)):
                made *= 10
                made += self._digits[place]
        return made.astype(np.int64)


def _days(of: _Group) -> tuple[Numbers, Mask]:
    """Days since 1970, and which there are not."""
    year = of.number("Y")
    if of.text("y"):
        short = of.number("y")
        year = short + np.where(short < 69, 2000, 1900)
    bad = (year < _YEARS[0]) | (year > _YEARS[1])
    if of.text("j"):
        day = of.number("j")
        first, length = _span(year * 12, 12)
    else:
        month, day = _month(of), of.number("d")
        bad |= (month < 1) | (month > 12)
        first, length = _span(year * 12 + month - 1, 1)
    return first + day - 1, bad | (day < 1) | (day > length)


def _month(of: _Group) -> Numbers:
    name = of.text("b") or of.text("B")
    return of.number("m") if name is None else of.number("m") + month_of(name)


def _span(months: Numbers, count: int) -> tuple[Numbers, Numbers]:
    """First day since 1970 of months since the year 0, and the days of `count` of them."""
    place = np.clip(months - _YEARS[0] * 12, 0, len(_FIRST_DAYS) - 13)
    first = _FIRST_DAYS[place]
    return first, _FIRST_DAYS[place + count] - first


def _clock(of: _Group) -> tuple[Numbers, Mask]:
    """Seconds of the day, and which there are not."""
    hour = of.number("H")
    bad = hour > 23
    if half := of.text("p"):
        twelve = of.number("I")
        bad |= (twelve < 1) | (twelve > 12)
        hour = twelve % 12 + (12 if half.upper() == "PM" else 0)
    minute, second = of.number("M"), of.number("S")
    return hour * 3600 + minute * 60 + second, bad | (minute > 59) | (second > 59)


def _offset(of: _Group) -> tuple[Numbers, Mask]:
    """Seconds east of UTC that the cells name; zero where they name none."""
    hours, minutes = of.number("zh"), of.number("zm")
    sign = -1 if of.text("sign") == "-" else 1
    return sign * (hours * 3600 + minutes * 60), (hours > 23) | (minutes > 59)
