"""Tells a re-delivery from a part by content, where one file's range contains another's.

A copy, or a part beside its whole, brings nothing new: between its first and last microsecond both
hold the same records, and in those two the whole holds at least what the part does. A part of a
delivery that is out of order lies in another's range too, but holds other records.

Of bars of one key only the first is stored: in those two microseconds both must begin with the same
one, or else which is stored would depend on which file is loaded first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestor.model import table_of
from ingestor.sources.wire import chosen

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.sources.surveyed import Surveyed

_MICROSECOND: Final = 1_000
# The 64-bit finaliser of MurmurHash3: every bit of a record reaches every bit of its hash.
_MULTIPLIER: Final = np.uint64(0xFF51AFD7ED558CCD)
_SHIFT: Final = np.uint64(33)


def redelivered(whole: Surveyed, parts: Sequence[Surveyed]) -> set[Path]:
    """Which of `parts`, all within the range of `whole`, bring nothing that it does not hold.

    Reads each file once.
    """
    told = {part.path: _Content(part) for part in parts}
    found = {part.path: _Content(part) for part in parts}
    for part in parts:
        _read(part, [told[part.path]])
    _read(whole, list(found.values()))
    return {path for path, content in told.items() if content.is_in(found[path])}


class _Content:
    """What a file holds in the range of one part: a sum of hashes, its edges record by record."""

    def __init__(self, part: Surveyed) -> None:
        assert part.index_range is not None, "only files with records lie within another"
        self._low, self._high = (time // _MICROSECOND for time in part.index_range)
        self._count = 0
        self._sum = 0
        self._edges: Counter[bytes] = Counter()
        self._firsts: dict[tuple[int, ...], bytes] | None = None
        if not table_of(part.schema).numbered:
            self._firsts = {}

    def add(self, records: npt.NDArray[np.void], microseconds: npt.NDArray[np.uint64]) -> None:
        if int(microseconds.min()) > self._high or int(microseconds.max()) < self._low:
            return
        between = (microseconds > np.uint64(self._low)) & (microseconds < np.uint64(self._high))
        edge = (microseconds == np.uint64(self._low)) | (microseconds == np.uint64(self._high))
        inner = chosen(records, between)
        self._count += len(inner)
        # A sum, so that the order does not matter.
        self._sum = (self._sum + int(_hashes(inner).sum(dtype=np.uint64))) % 2**64
        at_edges = chosen(records, edge)
        self._edges.update(record.tobytes() for record in at_edges)
        if self._firsts is not None:
            for record, microsecond in zip(at_edges, microseconds[edge], strict=True):
                key = (int(microsecond), int(record["instrument_id"]), int(record["publisher_id"]))
                self._firsts.setdefault(key, record.tobytes())

    def is_in(self, other: _Content) -> bool:
        return (
            (self._count, self._sum) == (other._count, other._sum)
            and self._edges <= other._edges
            and (self._firsts or {}).items() <= (other._firsts or {}).items()
        )


def _read(file: Surveyed, contents: Sequence[_Content]) -> None:
    column = table_of(file.schema).index_column
    for records in file.arrays():
        microseconds = records[column] // np.uint64(_MICROSECOND)
        for content in contents:
            content.add(records, microseconds)


def _hashes(records: npt.NDArray[np.void]) -> npt.NDArray[np.uint64]:
    """One hash per record, over all its bytes; each is whole 8-byte words."""
    words = np.ascontiguousarray(records).view(np.uint64)
    words = words.reshape(len(records), records.dtype.itemsize // 8)
    hashes = np.zeros(len(records), np.uint64)
    for word in words.T:
        hashes = (hashes ^ word) * _MULTIPLIER
        hashes ^= hashes >> _SHIFT
    return hashes
