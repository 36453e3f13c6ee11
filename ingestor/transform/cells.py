"""Cells: the text of one field in every record, as bytes of a fixed width."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ingestor.model.kind import Column

Records = npt.NDArray[np.void]
Values = npt.NDArray[Any]
Cells = npt.NDArray[np.bytes_]
Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


class Read(NamedTuple):
    """A frame column of shape (n,) that was read from text.

    Attributes:
        unread: The records whose text could not be read; None where all could.
    """

    values: Values
    unread: Mask | None


Op = Callable[[Records], Values | Read]
"""Wire records of shape (n,) → one frame column."""

Conversion = Callable[[Cells], tuple[Values, Mask]]
"""Cells → values, and where there are none."""


def cells_of(records: Records, field: str) -> Cells:
    """The cells of a field, contiguous."""
    return np.ascontiguousarray(records[field])


def trimmed(cells: Cells) -> Cells:
    """Without the blanks at their ends."""
    raw = cells.tobytes()  # to look for a byte in it is ten times faster than to compare each
    if not (b" " in raw or b"\t" in raw) or not _blank_at_ends(bytes_of(cells)):
        return cells
    return np.ascontiguousarray(np.strings.strip(cells, b" \t"))


def _blank_at_ends(matrix: Bytes) -> bool:
    blanks = (matrix == ord(" ")) | (matrix == ord("\t"))
    last = blanks[:, :-1] & (matrix[:, 1:] == 0)
    return bool(blanks[:, 0].any() or blanks[:, -1].any() or last.any())


def bytes_of(cells: Cells) -> Bytes:
    """Their bytes, shape (n, width), NUL behind the text."""
    return cells.view(np.uint8).reshape(len(cells), cells.dtype.itemsize)


def distinct(cells: Cells) -> tuple[list[bytes], npt.NDArray[np.intp]]:
    """The different cells, and which of them each is.

    By pyarrow's hash table: 65,536 cells in 1 ms, where sorting them takes 30.
    """
    import pyarrow as pa

    if not len(cells):
        return [], np.empty(0, np.intp)
    array = pa.Array.from_buffers(
        pa.binary(cells.dtype.itemsize), len(cells), [None, pa.py_buffer(cells)]
    ).dictionary_encode()
    found = [each.rstrip(b"\0") for each in array.dictionary.to_pylist()]
    return found, array.indices.to_numpy().astype(np.intp)


def reading(
    field: str, column: Column, convert: Conversion, nulls: Collection[str], *, trim: bool = True
) -> Op:
    """The op that converts a field's cells; empty ones, and `nulls`, are null."""
    spellings = tuple(each.encode() for each in nulls)

    def op(records: Records) -> Read:
        cells = cells_of(records, field)
        cells = trimmed(cells) if trim else cells
        values, bad = convert(cells)
        return settled(column, values, bad, undefined(cells, spellings))

    return op


def undefined(cells: Cells, nulls: Collection[bytes]) -> Mask:
    """Cells that say nothing."""
    found: Mask = cells == b""
    for each in nulls:
        found |= cells == each
    return found


def settled(column: Column, values: Values, bad: Mask, null: Mask) -> Read:
    """Values with nulls spelled as the column has them.

    A value that is no null but would be stored as one is unread, and so is a null in a column that
    has none.
    """
    for sentinel in {column.null, column.required} - {None}:
        bad = bad | (values == sentinel)
    bad = (bad & ~null) if column.nullable else (bad | null)
    if null.any() or bad.any():
        values[null | bad] = blank(column)
    return Read(values, bad if bad.any() else None)


def blank(column: Column) -> int | bytes:
    """What a column holds where nothing was read: its undefined value where it has one."""
    found = column.required if column.null is None else column.null
    if found is not None:
        return found
    return b"" if column.kind.frame.startswith("S") else 0
