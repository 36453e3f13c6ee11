"""Decimal text → whole numbers at a power of ten, exact: no float is ever made.

Taken are digits with a sign and a decimal point, and an exponent (``1.5e-7``). Digits below the
unit must be zeros. Thousands separators, blanks inside, ``inf`` and ``nan`` are no numbers.
"""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ingestor.model.kind import Column
from ingestor.transform.cells import Bytes, Cells, Conversion, Mask, Op, Values, bytes_of, reading
from ingestor.transform.rules import DecimalPrice, Number

PRICE_DIGITS: Final = 9
"""Decimals of a price in a frame."""

_NUMBER = re.compile(rb"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?", re.ASCII)
_TEN: Final = np.array([10**n for n in range(20)], np.uint64)
_SURE: Final = 19
"""So many digits always fit in 64 bits."""

_WIDEST: Final = 40
"""Longer numbers are read one by one."""


def decimal_price(rule: DecimalPrice, column: Column) -> Op:
    """The op that makes a price at 1e-9 of decimal text."""
    shift = PRICE_DIGITS + power_of_ten(rule.scale)
    return reading(rule.field, column, whole_numbers(column, shift), rule.nulls)


def number(rule: Number, column: Column) -> Op:
    """The op that makes a whole number of decimal text."""
    return reading(rule.field, column, whole_numbers(column, 0), rule.nulls)


def power_of_ten(text: str) -> int:
    """-2 for 0.01."""
    whole, _, decimals = text.partition(".")
    return -len(decimals) if decimals else len(whole) - 1


def bounds(column: Column) -> tuple[int, int]:
    """Smallest and largest value that the column can hold, nulls among them."""
    kind = column.kind
    info = np.iinfo(kind.frame)
    lowest = int(info.min) if kind.lowest is None else kind.lowest
    return lowest, int(info.max) if kind.highest is None else kind.highest


def scaled(text: bytes, shift: int) -> int | None:
    """The number that `text` spells, times 10 ** `shift`; None where that is no whole number."""
    if (found := _NUMBER.fullmatch(text)) is None or not (found[2] or found[3]):
        return None
    decimals = found[3] or b""
    digits = (found[2] + decimals).lstrip(b"0")
    if not digits:
        return 0
    behind = shift + int(found[4] or 0) - len(decimals)
    if len(digits) + behind > 2 * _SURE:
        return None  # beyond every column; its digits are not even made
    if behind < 0:
        if digits[behind:].strip(b"0"):
            return None
        digits, behind = digits[:behind], 0
    value = int(digits + b"0" * behind)
    return -value if found[1] == b"-" else value


def whole_numbers(column: Column, shift: int) -> Conversion:
    """Cells → their numbers times 10 ** `shift` in the column's dtype, within its bounds."""
    lowest, highest = bounds(column)
    dtype = np.dtype(column.kind.frame)

    def convert(cells: Cells) -> tuple[Values, Mask]:
        digits = _Digits(cells)
        size, fits = digits.times(shift)
        size, fits = size.copy(), fits & ~digits.bad
        limit = np.where(digits.negative, np.uint64(-lowest), np.uint64(highest))
        bad = ~fits | (size > limit)
        values = np.where(digits.negative, np.uint64(0) - size, size).astype(dtype)
        _one_by_one(cells, np.flatnonzero(digits.odd), shift, (lowest, highest), values, bad)
        return values, bad

    return convert


def _one_by_one(
    cells: Cells,
    rows: npt.NDArray[np.intp],
    shift: int,
    allowed: tuple[int, int],
    values: Values,
    bad: Mask,
) -> None:
    """Exponents, and more digits than 64 bits hold."""
    for row in rows:
        found = scaled(bytes(cells[row]), shift)
        bad[row] = found is None or not allowed[0] <= found <= allowed[1]
        values[row] = 0 if bad[row] else found


class _Digits:
    """Cells, taken apart: 19 digits at most, a sign, a point.

    Attributes:
        value: uint64 (n,), the digits as one number.
        decimals: uint8 (n,), how many of them stand behind the point.
        bad: No number.
        odd: Not taken apart: it may be one all the same.
    """

    def __init__(self, cells: Cells) -> None:
        matrix = bytes_of(cells)
        used = matrix[:, :_WIDEST]
        count = len(cells)
        self.value = np.zeros(count, np.uint64)
        self.decimals = np.zeros(count, np.uint8)
        self.negative: Mask = matrix[:, 0] == ord("-")
        signed = self.negative | (matrix[:, 0] == ord("+"))
        digits = np.zeros(count, np.uint8)
        points = np.zeros(count, np.uint8)
        ended = np.zeros(count, np.bool_)
        bad = np.zeros(count, np.bool_)
        for place, column in enumerate(np.ascontiguousarray(used.T)):
            self._take(column, digits, points, ended, bad, signed if place == 0 else None)
        exponent = ((used == ord("e")) | (used == ord("E"))).any(axis=1)
        self.odd: Mask = exponent | (digits > _SURE) | matrix[:, _WIDEST:].any(axis=1)
        self.bad = bad | (points > 1) | (digits == 0)

    def _take(
        self,
        column: Bytes,
        digits: Bytes,
        points: Bytes,
        ended: Mask,
        bad: Mask,
        signed: Mask | None,
    ) -> None:
        """One byte of every cell."""
        digit = column - np.uint8(ord("0"))
        is_digit = digit < 10
        is_point = column == ord(".")
        np.copyto(self.value, self.value * np.uint64(10) + digit, where=is_digit)
        self.decimals += is_digit & (points > 0)
        digits += is_digit
        points += is_point
        end = column == 0
        known = is_digit | is_point | end
        bad |= ~(known if signed is None else known | signed) | (ended & ~end)
        ended |= end

    def times(self, shift: int) -> tuple[npt.NDArray[np.uint64], Mask]:
        """The numbers times 10 ** `shift`, without signs, and where that is a whole one."""
        behind = shift - self.decimals.astype(np.int16)
        up = _TEN[np.clip(behind, 0, _SURE)]
        down = _TEN[np.clip(-behind, 0, _SURE)]
        fits = (self.value <= np.uint64(2**64 - 1) // up) & (self.value % down == 0)
        fits &= (behind <= _SURE) | (self.value == 0)
        made: npt.NDArray[Any] = self.value * up // down
        return made, fits
