"""What a value is of, and which units an operator takes: checked when a rule is compiled."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from ingestor.model.kind import CHARACTER, NANOSECONDS, PRICE, TEXT, TIMESTAMP, WHOLE_SECOND, Column

ONE: Final = 1_000_000_000
"""The number 1 as a `Unit.PLAIN` or `Unit.PRICE` value."""


class Unit(StrEnum):
    """The name is what messages call it."""

    PRICE = "a price"
    """Exact decimal, in integers of 1e-9."""
    NUMBER = "a whole number"
    TIME = "a time"
    """Nanoseconds since 1970."""
    DURATION = "a duration"
    """Nanoseconds."""
    TEXT = "text"
    CHARACTER = "a character"
    """One byte."""
    PLAIN = "a plain number"
    """A number as written, in integers of 1e-9: it takes the unit of what stands beside it."""


def unit_of(column: Column) -> Unit:
    """The unit of a column's values."""
    kinds = {
        PRICE: Unit.PRICE,
        TIMESTAMP: Unit.TIME,
        WHOLE_SECOND: Unit.TIME,
        CHARACTER: Unit.CHARACTER,
        TEXT: Unit.TEXT,
    }
    return kinds.get(column.kind, Unit.NUMBER)


_ALIKE: Final = {(unit, unit): unit for unit in (Unit.PRICE, Unit.NUMBER, Unit.DURATION)}

RESULT: Final[Mapping[str, Mapping[tuple[Unit, Unit], Unit]]] = {
    "+": _ALIKE | {(Unit.TIME, Unit.DURATION): Unit.TIME, (Unit.DURATION, Unit.TIME): Unit.TIME},
    "-": _ALIKE | {(Unit.TIME, Unit.DURATION): Unit.TIME, (Unit.TIME, Unit.TIME): Unit.DURATION},
    "*": {(unit, Unit.NUMBER): unit for unit in (Unit.PRICE, Unit.NUMBER, Unit.DURATION)}
    | {(Unit.NUMBER, unit): unit for unit in (Unit.PRICE, Unit.DURATION)},
    "&": {(Unit.NUMBER, Unit.NUMBER): Unit.NUMBER},
}
"""Operator → units of its two sides → unit of the result; other pairs are refused."""

TAKES: Final[Mapping[str, str]] = {
    "+": "`+` joins two values of one unit, or a time and a duration",
    "-": "`-` takes two values of one unit, or a duration from a time",
    "*": "`*` takes a price, a whole number or a duration, times a whole number",
    "&": "`&` takes two whole numbers",
}

SPANS: Final[Mapping[str, int]] = {
    "seconds": NANOSECONDS,
    "minutes": 60 * NANOSECONDS,
    "hours": 3_600 * NANOSECONDS,
    "days": 86_400 * NANOSECONDS,
}
"""Function → nanoseconds of its unit."""


def remedy(left: Unit, right: Unit) -> str:
    """What to write instead, where two units do not meet; begins with a semicolon, or is empty."""
    both = {left, right}
    if both & {Unit.TIME, Unit.DURATION} and both & {Unit.PLAIN, Unit.NUMBER, Unit.TEXT}:
        return '; a time is written date("2024-03-11"), a duration seconds(1)'
    if Unit.TEXT in both and both & {Unit.PRICE, Unit.NUMBER}:
        return "; numbers are written without quotes"
    if Unit.PLAIN in both and both & {Unit.TEXT, Unit.CHARACTER}:
        return "; text is written in quotes"
    return ""
