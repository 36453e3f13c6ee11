"""CSV walked through cell by cell, and what is made of a quote that is not closed.

A quoted cell may hold line ends only where the record that results is well formed and swallows no
line that is a record by itself. Else its first line alone is broken: a stray quote costs the line
that it stands in, and those behind it are read as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MOST_RECORD: Final = 1 << 14
"""Bytes that a record may have: no bar or trade has more."""

DELIMITERS: Final = b",;\t|"
LF, CR, QUOTE = b'\n\r"'
_PLAIN: Final = {each: re.compile(rb"[^\n%c]*" % each) for each in DELIMITERS}
# Possessive: a quote written twice never closes the cell, also where the text ends behind it.
_QUOTED: Final = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')
_LINE_END: Final = len(b"\r\n")


@dataclass(frozen=True, slots=True)
class Record:
    """One record as walked through: its bounds, and those of its cells; none where broken."""

    start: int
    end: int
    cells: list[tuple[int, int]]


def next_record(
    text: bytes, start: int, delimiter: int, columns: int, *, last: bool
) -> tuple[Record, int] | None:
    """The record or the broken line at `start`, and where the next begins.

    None where what follows `text` decides, which is nothing when it is the `last` of a file.
    """
    newline = text.find(b"\n", start)
    if newline < 0:
        return None
    limit = start + MOST_RECORD + _LINE_END
    found = record_at(text, start, delimiter, max(limit, newline + 1))
    if found is None:
        if not last and len(text) <= limit:
            return None
    elif found[1] == newline + 1 or is_sound(text, found[0], delimiter, columns):
        return found
    return Record(start, _without_cr(text, start, newline), []), newline + 1


def record_at(
    text: bytes, start: int, delimiter: int, limit: int | None = None
) -> tuple[Record, int] | None:
    """The record at `start` and where the next begins; None where the text ends inside it."""
    limit = len(text) if limit is None else min(limit, len(text))
    cells: list[tuple[int, int]] = []
    at = start
    while True:
        quoted = text[at : at + 1] == b'"'
        found = (_QUOTED if quoted else _PLAIN[delimiter]).match(text, at, limit)
        if found is None or found.end() >= limit:
            return None
        end = found.end()
        cells.append((at + 1, end - 1) if quoted else (at, end))
        if text[end] == delimiter:
            at = end + 1
            continue
        newline = text.find(b"\n", end)
        if newline < 0:
            return None
        last = _without_cr(text, start, newline)
        if not quoted:
            cells[-1] = (at, last)
        elif end != last:  # something stands behind the closing quote
            cells = []
        return Record(start, last, cells), newline + 1


def is_sound(text: bytes, record: Record, delimiter: int, columns: int) -> bool:
    """Whether a record of several lines is one, not lines behind a quote that is not closed."""
    if len(record.cells) != columns or record.end - record.start > MOST_RECORD:
        return False
    return not any(
        _swallows(text, start, end, delimiter, columns)
        if start > record.start and text[start - 1] == QUOTE
        else text.find(b'"', start, end) >= 0
        for start, end in record.cells
    )


def _swallows(text: bytes, start: int, end: int, delimiter: int, columns: int) -> bool:
    """Whether a quoted cell holds a line that is a record by itself."""
    for line in text[start:end].split(b"\n")[1:-1]:
        if line.strip(b"\r") and line.count(delimiter) >= columns - 1:
            found = record_at(line + b"\n", 0, delimiter)
            if found is not None and len(found[0].cells) == columns:
                return True
    return False


def _without_cr(text: bytes, start: int, newline: int) -> int:
    return newline - (newline > start and text[newline - 1] == CR)
