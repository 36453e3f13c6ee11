"""Keeps records of one index microsecond together, however the file is read.

Records that share a key share an index microsecond; numbered within one array, they need no memory
of the arrays before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestor.model.kind import UINT64_MAX as UNDEFINED
from ingestor.sources.wire import joined

if TYPE_CHECKING:
    import numpy.typing as npt

    Records = npt.NDArray[np.void]
    Positions = npt.NDArray[np.uint64]

MICROSECOND: Final = 1_000
# More in a row than any rejection limit lets pass: they need not wait for what follows.
_MOST_UNDEFINED: Final = 1 << 20


def together(
    arrays: Iterable[tuple[Records, Positions]], index_column: str, count: int
) -> Iterator[tuple[Records, Positions]]:
    """Arrays of about `count` records, none of which ends inside an index microsecond.

    A record whose index timestamp is undefined goes with the one before it.
    """
    held: list[tuple[Records, Positions]] = []
    last: int | None = None
    for records, positions in arrays:
        index = np.ascontiguousarray(records[index_column])
        if int(index.min()) == UNDEFINED:
            held.append((records, positions))
            if sum(len(piece) for piece, _ in held) > _MOST_UNDEFINED:
                yield _joined(held)
                held = []
            continue
        microseconds = _filled(index, last)
        borders = _borders(microseconds, last)
        last = int(microseconds[-1])
        if not len(borders):
            held.append((records, positions))
            continue
        until = int(borders[-1])
        ready = _joined([*held, (records[:until], positions[:until])])
        yield from _pieces(*ready, borders + (len(ready[0]) - until), count)
        held = [(records[until:], positions[until:])]
    if held:
        yield _joined(held)


def _filled(index: npt.NDArray[np.uint64], last: int | None) -> npt.NDArray[np.uint64]:
    """The microsecond of each record; an undefined one takes that of the record before it."""
    microseconds = index // np.uint64(MICROSECOND)
    undefined = index == np.uint64(UNDEFINED)
    if not undefined.any():
        return microseconds
    defined = np.where(undefined, -1, np.arange(len(index)))
    before = np.maximum.accumulate(defined)
    first = int(microseconds[undefined.argmin()]) if last is None else last
    return np.where(before < 0, np.uint64(first), microseconds[before])


def _borders(microseconds: npt.NDArray[np.uint64], last: int | None) -> npt.NDArray[np.int64]:
    """Where a new microsecond begins; the start counts where records of another one are held."""
    borders = np.flatnonzero(microseconds[1:] != microseconds[:-1]) + 1
    if last is not None and int(microseconds[0]) != last:
        borders = np.concatenate((np.zeros(1, borders.dtype), borders))
    return borders


def _joined(pieces: list[tuple[Records, Positions]]) -> tuple[Records, Positions]:
    whole = [piece for piece in pieces if len(piece[0])]
    if len(whole) == 1:
        return whole[0]
    return (
        joined([records for records, _ in whole]),
        np.concatenate([positions for _, positions in whole]),
    )


def _pieces(
    records: Records, positions: Positions, borders: npt.NDArray[np.int64], count: int
) -> Iterator[tuple[Records, Positions]]:
    """Cuts at borders into pieces of about `count`."""
    # An eighth more is let pass: a small rest costs the rooms that follow as much as a full array.
    most = count + count // 8
    start = 0
    while len(records) - start > most:
        at = int(np.searchsorted(borders, start + count, "right")) - 1
        if at < 0 or borders[at] <= start:
            at += 1
        if at >= len(borders) or borders[at] >= len(records):
            break
        yield records[start : borders[at]], positions[start : borders[at]]
        start = int(borders[at])
    yield records[start:], positions[start:]
