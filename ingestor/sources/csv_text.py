"""CSV as bytes: where each record, and each of its cells, begins and ends.

RFC 4180, delimited by comma, semicolon, tab or bar. Lines end with LF or CR LF; empty ones are no
records. A cell that begins with a quote ends with one, and may hold delimiters, line ends and
quotes written twice; a quote inside another cell is text. Text whose quotes all stand where they
should, which is nearly all there is, is split with numpy; the rest is walked cell by cell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Places = npt.NDArray[np.intp]

MOST_RECORD: Final = 1 << 14
"""Bytes that a record may have: no bar or trade has more, but what an unclosed quote swallows."""

_LF, _CR, _QUOTE = b'\n\r"'
_NONE: Final = np.empty(0, np.intp)
DELIMITERS: Final = b",;\t|"
_PLAIN: Final = {each: re.compile(rb"[^\n%c]*" % each) for each in DELIMITERS}
# Possessive: a quote written twice never closes the cell, also where the text ends behind it.
_QUOTED: Final = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The n records of a piece of text, and their cells.

    Attributes:
        text: The piece, with MOST_RECORD bytes of NUL behind it.
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

    def cells(self, column: int, part: slice, width: int) -> npt.NDArray[np.bytes_]:
        """Cells of one column as bytes of a fixed width, for a part of the records."""
        starts = self.cell_starts[column, part]
        found = self._taken(starts, self.cell_ends[column, part], width)
        low, past = np.searchsorted(self.doubled, (part.start, part.stop))
        for row in self.doubled[low:past] - part.start:
            if self.text[starts[row] - 1] == _QUOTE:
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


def split(text: bytes, delimiter: int, columns: int) -> tuple[Rows, int]:
    """The records that end in `text`, which begins with one, and how many bytes they take.

    A record is broken that has another number of cells than `columns`, holds a NUL or is no UTF-8.
    """
    data = np.frombuffer(text, np.uint8)
    newlines = np.flatnonzero(data == _LF)
    separators = np.flatnonzero(data == delimiter)
    doubled = _NONE
    if b'"' in text and len(newlines):
        quotes = np.flatnonzero(data == _QUOTE)
        outside = newlines[_outside(newlines, quotes)]
        end = int(outside[-1]) + 1 if len(outside) else 0
        quotes = quotes[quotes < end]
        # A line that ends behind them: a cell goes on there, or a quote is text.
        if newlines[-1] >= end or not _in_place(data, quotes, delimiter):
            return _walked(text, delimiter, columns)
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
    before = np.where(opening > 0, data[opening - 1], _LF)
    after = data[closing + 1]
    line_end = (after == _CR) & (data[np.minimum(closing + 2, len(data) - 1)] == _LF)
    return bool(
        ((before == delimiter) | (before == _LF) | (before == _QUOTE)).all()
        and ((after == delimiter) | (after == _LF) | (after == _QUOTE) | line_end).all()
    )


def _arranged(
    text: bytes, newlines: Places, separators: Places, doubled: Places, columns: int
) -> Rows:
    data = np.frombuffer(text, np.uint8)
    starts = np.concatenate((np.zeros(1, np.intp), newlines[:-1] + 1))
    ends = newlines - ((data[newlines - 1] == _CR) & (newlines > starts))
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
    quoted = (data[cell_starts] == _QUOTE) & (cell_ends > cell_starts)
    rows = np.searchsorted(newlines, doubled)
    return Rows(
        text + bytes(MOST_RECORD),
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


@dataclass(frozen=True, slots=True)
class Record:
    """One record as walked through: its bounds, and those of its cells; none where broken."""

    start: int
    end: int
    cells: list[tuple[int, int]]


def _walked(text: bytes, delimiter: int, columns: int) -> tuple[Rows, int]:
    records: list[Record] = []
    at = 0
    while at < len(text):
        found = record_at(text, at, delimiter)
        if found is None:
            break
        record, at = found
        if record.end > record.start:
            records.append(record)
    return _rows(text, records, columns), at


def record_at(text: bytes, start: int, delimiter: int) -> tuple[Record, int] | None:
    """The record at `start` and where the next begins; None where the text ends inside it."""
    cells: list[tuple[int, int]] = []
    at = start
    while True:
        quoted = text[at : at + 1] == b'"'
        found = (_QUOTED if quoted else _PLAIN[delimiter]).match(text, at)
        if found is None or found.end() >= len(text):
            return None
        end = found.end()
        cells.append((at + 1, end - 1) if quoted else (at, end))
        if text[end] == delimiter:
            at = end + 1
            continue
        newline = text.find(b"\n", end)
        if newline < 0:
            return None
        last = newline - (newline > start and text[newline - 1] == _CR)
        if not quoted:
            cells[-1] = (at, last)
        elif end != last:  # something stands behind the closing quote
            cells = []
        return Record(start, last, cells), newline + 1


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
        text + bytes(MOST_RECORD),
        starts,
        ends,
        np.ascontiguousarray(bounds[..., 0].T),
        np.ascontiguousarray(bounds[..., 1].T),
        np.array(doubled, np.intp),
    )
