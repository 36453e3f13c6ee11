"""Integer arithmetic over columns that never wraps.

Each operand carries bounds. Where those of its dtype leave room for the result, nothing is
measured; else the batch's own are; and where these leave none, Python's integers calculate it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import add, and_, mul, sub
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ingestor.model.kind import INT64_MAX, UINT64_MAX

Array: TypeAlias = npt.NDArray[Any]
Bounds: TypeAlias = tuple[int, int]

_INT64: Final = np.dtype(np.int64)
_UINT64: Final = np.dtype(np.uint64)
_OBJECT: Final = np.dtype(object)


@dataclass(frozen=True, slots=True)
class Integers:
    """Integers (n,), or one for all, as an array () of Python's.

    Attributes:
        data: Of any integer dtype, or Python integers; 0 where a value is null.
        bounds: Lowest and highest that `data` could hold.
    """

    data: Array
    bounds: Bounds

    @classmethod
    def of(cls, data: Array) -> Integers:
        """A column, bound by its dtype alone."""
        info = np.iinfo(data.dtype)
        return cls(data, (int(info.min), int(info.max)))

    @classmethod
    def constant(cls, value: int) -> Integers:
        return cls(np.array(value, _OBJECT), (value, value))

    def measured(self) -> Integers:
        """The same with the narrowest bounds: two passes."""
        if not self.data.size:
            return Integers(self.data, (0, 0))
        return Integers(self.data, (int(self.data.min()), int(self.data.max())))


@dataclass(frozen=True, slots=True)
class Operation:
    """One operator: on arrays, on two integers, and on bounds."""

    sign: str
    on_arrays: np.ufunc
    on_integers: Callable[[int, int], int]
    on_bounds: Callable[[Bounds, Bounds], Bounds]

    def __call__(self, left: Integers, right: Integers) -> Integers:
        bounds = self.on_bounds(left.bounds, right.bounds)
        work = _dtype(left.bounds, right.bounds, bounds)
        if work is _OBJECT:
            left, right = left.measured(), right.measured()
            bounds = self.on_bounds(left.bounds, right.bounds)
            work = _dtype(left.bounds, right.bounds, bounds)
        data = self.on_arrays(_cast(left.data, work), _cast(right.data, work))
        return Integers(np.asarray(data, work), bounds)


def magnitude(of: Integers) -> Integers:
    """``abs()``."""
    widest = _widest(of.bounds)
    if _dtype(of.bounds, widest) is _OBJECT:
        of = of.measured()
        widest = _widest(of.bounds)
    work = _dtype(of.bounds, widest)
    return Integers(np.asarray(np.absolute(_cast(of.data, work)), work), widest)


def _widest(bounds: Bounds) -> Bounds:
    return 0, max(abs(bounds[0]), abs(bounds[1]))


def _dtype(*bounds: Bounds) -> np.dtype[Any]:
    """The dtype that holds operands and result."""
    low, high = min(each[0] for each in bounds), max(each[1] for each in bounds)
    if low >= -INT64_MAX - 1 and high <= INT64_MAX:
        return _INT64
    return _UINT64 if low >= 0 and high <= UINT64_MAX else _OBJECT


def _cast(data: Array, work: np.dtype[Any]) -> Array:
    # Times are uint64, and theirs are all below 2^63 here: the same bits, not a copy.
    if data.dtype == _UINT64 and work is _INT64:
        return data.view(_INT64)
    return data.astype(work, copy=False)


def _sum(left: Bounds, right: Bounds) -> Bounds:
    return left[0] + right[0], left[1] + right[1]


def _difference(left: Bounds, right: Bounds) -> Bounds:
    return left[0] - right[1], left[1] - right[0]


def _product(left: Bounds, right: Bounds) -> Bounds:
    corners = [one * other for one in left for other in right]
    return min(corners), max(corners)


def _common_bits(left: Bounds, right: Bounds) -> Bounds:
    """One side that is nowhere negative bounds the result; else its bits do."""
    tops = [high for low, high in (left, right) if low >= 0]
    if tops:
        return 0, min(tops)
    bits = max(each.bit_length() for each in (*left, *right))
    return -(1 << bits), (1 << bits) - 1


OPERATIONS: Final[Mapping[str, Operation]] = {
    each.sign: each
    for each in (
        Operation("+", np.add, add, _sum),
        Operation("-", np.subtract, sub, _difference),
        Operation("*", np.multiply, mul, _product),
        Operation("&", np.bitwise_and, and_, _common_bits),
    )
}
