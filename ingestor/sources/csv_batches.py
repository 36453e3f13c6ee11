"""Batches of a file's records, each array as wide as its own cells and lines need.

What is cut into slices is not the records but their places in the text. A single cell of 16 kB
would else make every record of the file as wide.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestor.errors import CorruptPayload
from ingestor.sources.csv_records import layout_of, records_of, widths_of
from ingestor.sources.csv_survey import Reading, bare
from ingestor.sources.microseconds import MICROSECOND
from ingestor.sources.tally import UNDEFINED, Window
from ingestor.sources.wire import joined

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.sources.csv_stream import CsvStream
    from ingestor.sources.csv_text import Rows

    Records = npt.NDArray[np.void]
    Borders = npt.NDArray[np.intp]
    Positions = npt.NDArray[np.uint64]
    Batches = Iterator[tuple[Records, Positions]]

INDEX: Final = "index"
_PLACE: Final = np.dtype([(INDEX, np.uint64), ("piece", np.int64), ("row", np.int64)])
_MOST_BYTES: Final = 1 << 25
"""Of an array that can be halved: a batch of 65,536 ordinary bars has half of it."""


class Places:
    """A file whose records are their index timestamp and their place in its text.

    The text of each piece that has records in the window is kept until they were made.
    """

    def __init__(self, stream: CsvStream, reading: Reading, window: Window) -> None:
        self.path: Path = stream.path
        self._stream = stream
        self._reading = reading
        self._window = window
        self._pieces: dict[int, Rows] = {}

    def arrays(self, count: int) -> Iterator[Records]:
        """As long as the pieces of text make them."""
        del count
        for piece, rows in enumerate(self._stream.rows()):
            index = np.concatenate(
                [index_of(each, self._reading) for each in bare(rows, self._stream, self._reading)]
            )
            inside = self._window.rows(index)
            if inside is None or inside.any():
                self._pieces[piece] = rows
            places = np.empty(len(rows), _PLACE)
            places[INDEX], places["piece"], places["row"] = index, piece, np.arange(len(rows))
            yield places

    def seal(self) -> tuple[str, int]:
        return self._stream.seal()

    def batches(self, places: Records, positions: Positions) -> Batches:
        """The records of some places, in arrays none of which ends inside an index microsecond.

        Records of earlier pieces are not asked for again.
        """
        for gone in [each for each in self._pieces if each < places["piece"][0]]:
            del self._pieces[gone]
        yield from self._halved(places, positions, _borders(places[INDEX]))

    def _halved(self, places: Records, positions: Positions, borders: Borders) -> Batches:
        """One array, or its halves where some long cell would make it too large."""
        header = self._stream.header
        parts = list(self._parts(places))
        layout = layout_of(header, np.max([widths_of(part) for part in parts], axis=0))
        if not len(borders) or layout.itemsize * len(places) <= _MOST_BYTES:
            made = (each for part in parts for each in records_of(part, header, layout))
            yield joined(list(made)), positions
            return
        middle = int(np.abs(borders - len(places) // 2).argmin())
        cut = int(borders[middle])
        yield from self._halved(places[:cut], positions[:cut], borders[:middle])
        yield from self._halved(places[cut:], positions[cut:], borders[middle + 1 :] - cut)

    def _parts(self, places: Records) -> Iterator[Rows]:
        pieces, begins = np.unique(places["piece"], return_index=True)
        for piece, rows in zip(pieces, np.split(places["row"], begins[1:]), strict=True):
            yield self._pieces[int(piece)].chosen(rows)


def check_columns(stream: CsvStream, layout: np.dtype[np.void]) -> None:
    """That the file still has the columns of its survey.

    Raises:
        CorruptPayload: It has not.
    """
    if (layout.names or ())[:-2] != stream.header.names:
        raise CorruptPayload(
            f"the header of {stream.path} changed while it was loaded",
            hint="submit it again as it is now",
        )


def index_of(records: Records, reading: Reading) -> npt.NDArray[np.uint64]:
    """The index timestamp of each record, as its mapping reads it."""
    name = reading.table.index_column
    found: npt.NDArray[np.uint64] = reading.spelling.columns(records, (name,))[name]  # type: ignore[assignment]  # a timestamp's kind
    return found


def _borders(index: npt.NDArray[np.uint64]) -> Borders:
    """Where another microsecond begins; an undefined one is that of the record before it."""
    index = np.ascontiguousarray(index)
    defined = np.flatnonzero(index != np.uint64(UNDEFINED))
    microseconds = index[defined] // np.uint64(MICROSECOND)
    borders: Borders = defined[1:][microseconds[1:] != microseconds[:-1]]
    return borders
