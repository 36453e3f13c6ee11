"""CSV as bytes: where each record, and each of its cells, begins and ends.

RFC 4180, delimited by comma, semicolon, tab or bar. Lines end with LF or CR LF; empty ones are no
records. A cell that begins with a quote ends with one, and may hold delimiters, line ends and
quotes written twice; a quote inside another cell is text. Text whose quotes all stand where they
should, which is nearly all there is, is split with numpy; the rest is walked by `csv_walk`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestor.sources.csv_walk import (
    CR,
    LF,
    MOST_RECORD,
    QUOTE,
    Record,
    is_sound,
    next_record,
    record_at,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    Places = npt.NDArray[np.intp]

_NONE: Final = np.empty(0, np.intp)
_PADDING: Final = MOST_RECORD


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The n records of a piece of text, and their cells.

    Attributes:
        text: The piece, with bytes of NUL behind it, as many as a record may have.
        starts: intp (n,), where each record begins.
        ends: intp (n,), where it ends, without its line end.
        cell_starts: intp (columns, n), where each cell begins, inside its quotes.
        cell_ends: intp (columns, n). All cells of a broken record are empty.
        doubled: Rows that hold a quote written twice.
    """

    text: bytes
    starts: Places
    ends: Places
    cell_starts: Places
    cell_ends: Places
    doubled: Places

    def __len__(self) -> int:
        return len(self.starts)

    def chosen(self, rows: Places) -> Rows:
        """Some of the rows, ascending."""
        return Rows(
            self.text,
            self.starts[rows],
            self.ends[rows],
            self.cell_starts[:, rows],
            self.cell_ends[:, rows],
            np.flatnonzero(np.isin(rows, self.doubled)),
        )

    def cells(self, column: int, part: slice, width: int) -> npt.NDArray[np.bytes_]:
        """Cells of one column as bytes of a fixed width, for a part of the records."""
        starts = self.cell_starts[column, part]
        found = self._taken(starts, self.cell_ends[column, part], width)
        low, past = np.searchsorted(self.doubled, (part.start, part.stop))
        for row in self.doubled[low:past] - part.start:
            if self.text[starts[row] - 1] == QUOTE:
                found[row] = found[row].replace(b'""', b'"')
        return found

    def lines(self, part: slice, width: int) -> npt.NDArray[np.bytes_]:
        """The records as they stand in the text."""
        return self._taken(self.starts[part], self.ends[part], width)

    def _taken(self, starts: Places, ends: Places, width: int) -> npt.NDArray[np.bytes_]:
        # Every `width` bytes of the text as one overlapping array: a row is one memcpy.
        every = np.ndarray((len(self.text) - width + 1,), f"S{width}", self.text, strides=(1,))
        taken: npt.NDArray[np.bytes_] = every[starts]
        as_bytes = taken.view(np.uint8).reshape(len(starts), width)
        as_bytes *= np.arange(width) < (ends - starts)[:, None]
        return taken


def split(text: bytes, delimiter: int, columns: int, *, last: bool = False) -> tuple[Rows, int]:
    """The records that end in `text`, which begins with one, and how many bytes they take.

    A record is broken that has another number of cells than `columns`, holds a NUL or is no UTF-8;
    so is a line with a quote that is not closed.

    Args:
        last: Nothing follows `text`.
    """
    data = np.frombuffer(text, np.uint8)
    newlines = np.flatnonzero(data == LF)
    separators = np.flatnonzero(data == delimiter)
    doubled = _NONE
    if b'"' in text and len(newlines):
        quotes = np.flatnonzero(data == QUOTE)
        outside = newlines[_outside(newlines, quotes)]
        end = int(outside[-1]) + 1 if len(outside) else 0
        quotes = quotes[quotes < end]
        # A line that ends behind them: a cell goes on there, or a quote is text.
        if (
            newlines[-1] >= end
            or not _in_place(data, quotes, delimiter)
            or not _are_sound(text, newlines, outside, delimiter, columns)
        ):
            return _walked(text, delimiter, columns, last=last)
        newlines = outside
        separators = separators[_outside(separators, quotes)]
        doubled = quotes[1:-1:2][np.diff(quotes)[1::2] == 1]
    if not len(newlines):
        return _rows(text, [], columns), 0
    return _arranged(text, newlines, separators, doubled, columns), int(newlines[-1]) + 1


def _outside(places: Places, quotes: Places) -> npt.NDArray[np.bool_]:
    """Which places have an even number of quotes before them."""
    even: npt.NDArray[np.bool_] = np.searchsorted(quotes, places) % 2 == 0
    return even


def _in_place(data: npt.NDArray[np.uint8], quotes: Places, delimiter: int) -> bool:
    """Whether opening quotes follow, and closing ones precede, what separates cells."""
    opening, closing = quotes[::2], quotes[1::2]
    before = np.where(opening > 0, data[opening - 1], LF)
    after = data[closing + 1]
    line_end = (after == CR) & (data[np.minimum(closing + 2, len(data) - 1)] == LF)
    return bool(
        ((before == delimiter) | (before == LF) | (before == QUOTE)).all()
        and ((after == delimiter) | (after == LF) | (after == QUOTE) | line_end).all()
    )


def _are_sound(
    text: bytes, newlines: Places, outside: Places, delimiter: int, columns: int
) -> bool:
    """Whether the records of several lines are; `outside` are the line ends of records."""
    if len(newlines) == len(outside):
        return True
    inside = newlines[~np.isin(newlines, outside, assume_unique=True)]
    begins = np.concatenate((np.zeros(1, np.intp), outside + 1))
    starts = begins[np.unique(np.searchsorted(outside, inside))].tolist()
    records = (record_at(text, start, delimiter) for start in starts)
    return all(each is not None and is_sound(text, each[0], delimiter, columns) for each in records)


def _arranged(
    text: bytes, newlines: Places, separators: Places, doubled: Places, columns: int
) -> Rows:
    data = np.frombuffer(text, np.uint8)
    starts = np.concatenate((np.zeros(1, np.intp), newlines[:-1] + 1))
    ends = newlines - ((data[newlines - 1] == CR) & (newlines > starts))
    edges = np.searchsorted(separators, newlines)
    counts = np.diff(edges, prepend=0)
    filled = ends > starts
    whole = filled & (counts == columns - 1) & ~_unreadable(text, starts, newlines)
    inner = separators[: edges[-1]][np.repeat(whole, counts)].reshape(-1, max(columns - 1, 1)).T
    cell_starts = np.zeros((columns, len(starts)), np.intp)
    cell_ends = np.zeros((columns, len(starts)), np.intp)
    cell_starts[0, whole], cell_ends[-1, whole] = starts[whole], ends[whole]
    if columns > 1:
        cell_starts[1:, whole], cell_ends[:-1, whole] = inner + 1, inner
    quoted = (data[cell_starts] == QUOTE) & (cell_ends > cell_starts)
    rows = np.searchsorted(newlines, doubled)
    return Rows(
        text + bytes(_PADDING),
        starts[filled],
        ends[filled],
        (cell_starts + quoted)[:, filled],
        (cell_ends - quoted)[:, filled],
        np.searchsorted(np.flatnonzero(filled), np.unique(rows)),
    )


def _unreadable(text: bytes, starts: Places, newlines: Places) -> npt.NDArray[np.bool_]:
    """Which lines hold a NUL or are no UTF-8."""
    found = np.zeros(len(starts), np.bool_)
    if b"\0" in text:
        found[_lines_of(text, 0, 1, newlines)] = True
    if not text.isascii() and not _is_utf8(text[: newlines[-1]]):
        for row in _lines_of(text, 0x80, 0x100, newlines):
            found[row] |= not _is_utf8(text[starts[row] : newlines[row]])
    return found


def _lines_of(text: bytes, low: int, past: int, newlines: Places) -> Places:
    """The lines that hold a byte from `low` to `past`, exclusive."""
    data = np.frombuffer(text, np.uint8)[: newlines[-1]]
    return np.unique(np.searchsorted(newlines, np.flatnonzero((data >= low) & (data < past))))


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _walked(text: bytes, delimiter: int, columns: int, *, last: bool) -> tuple[Rows, int]:
    records: list[Record] = []
    at = 0
    while at < len(text):
        found = next_record(text, at, delimiter, columns, last=last)
        if found is None:
            break
        record, at = found
        if record.end > record.start:
            records.append(record)
    return _rows(text, records, columns), at


def _rows(text: bytes, records: list[Record], columns: int) -> Rows:
    starts = np.array([each.start for each in records], np.intp)
    ends = np.array([each.end for each in records], np.intp)
    bounds = np.zeros((len(records), columns, 2), np.intp)
    doubled = []
    for row, each in enumerate(records):
        line = text[each.start : each.end]
        if len(each.cells) == columns and b"\0" not in line and _is_utf8(line):
            bounds[row] = each.cells
            doubled += [row] if b'""' in line else []
    return Rows(
        text + bytes(_PADDING),
        starts,
        ends,
        np.ascontiguousarray(bounds[..., 0].T),
        np.ascontiguousarray(bounds[..., 1].T),
        np.array(doubled, np.intp),
    )
