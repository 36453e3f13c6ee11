"""Shapes of cells: what they look like with a 0 in place of each digit.

A batch has few of them, so that a pattern is matched once for each shape, not for each cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from ingestor.transform.cells import Bytes, Mask, distinct

WIDEST: Final = 64
"""Bytes of a cell that its shape tells of."""


def shapes_of(matrix: Bytes) -> Iterator[tuple[str, npt.NDArray[np.intp]]]:
    """Each shape that occurs, with the rows that have it."""
    matrix = matrix[:, :WIDEST]
    digit = matrix - np.uint8(ord("0")) < 10
    if not len(matrix):
        return
    if _uniform(matrix, digit):
        yield (
            _text(np.where(digit[0], np.uint8(ord("0")), matrix[0]).tobytes()),
            np.arange(len(matrix)),
        )
        return
    shapes = np.where(digit, np.uint8(ord("0")), matrix)
    found, codes = distinct(shapes.view(f"S{shapes.shape[1]}").ravel())
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(found)))
    for shape, rows in zip(found, np.split(order, ends[:-1]), strict=True):
        yield _text(shape), rows


def _uniform(matrix: Bytes, digit: Mask) -> bool:
    """Whether all have the shape of the first."""
    fixed = ~digit[0]
    return bool((digit == digit[0]).all() and (matrix[:, fixed] == matrix[0, fixed]).all())


def _text(shape: bytes) -> str:
    return shape.rstrip(b"\0").decode("latin-1")
