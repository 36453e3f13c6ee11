"""Rows of text as wire records: a field of bytes for each column, and the line as delivered.

Two fields follow the columns, named as no column can be: the line's length, and the line itself,
whose field is called as the header line reads. So each array says by itself what its lines mean.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestor.errors import CorruptPayload
from ingestor.sources.csv_stream import CsvHeader, parse_header
from ingestor.sources.csv_text import Rows, split

if TYPE_CHECKING:
    import numpy.typing as npt

    Records = npt.NDArray[np.void]
    Layout = np.dtype[np.void]

_LENGTH: Final = "\0length"
_MOST_BYTES: Final = 1 << 26
"""Of one array, however long the longest line is."""
_NOWHERE: Final = Path("a quarantined record")


def widths_of(rows: Rows) -> npt.NDArray[np.intp]:
    """Bytes of the longest cell of each column, and of the longest line."""
    cells = (rows.cell_ends - rows.cell_starts).max(axis=1, initial=0)
    return np.append(cells, (rows.ends - rows.starts).max(initial=0))


def layout_of(header: CsvHeader, widths: npt.NDArray[np.intp]) -> Layout:
    """The wire dtype of records with cells and lines of at most these widths."""
    fields = zip((*header.names, f"\0{header.line}"), np.maximum(widths, 1).tolist(), strict=True)
    *columns, line = [(name, f"S{width}") for name, width in fields]
    return np.dtype([*columns, (_LENGTH, "<u4"), line])


def only(layout: Layout, names: Collection[str]) -> Layout:
    """Some of a layout's columns, without the line: for records that are not kept."""
    return np.dtype([(name, layout[name]) for name in (layout.names or ())[:-2] if name in names])


def records_of(rows: Rows, header: CsvHeader, layout: Layout) -> Iterator[Records]:
    """The rows as records of `layout`, in arrays of bounded size.

    A cell that is longer than its field is cut: then the file is not the one that was surveyed.
    """
    step = max(1, _MOST_BYTES // max(layout.itemsize, 1))
    for start in range(0, len(rows), step):
        part = slice(start, min(start + step, len(rows)))
        records = np.empty(part.stop - start, layout)
        for name in layout.names or ():
            width = layout[name].itemsize
            if name == _LENGTH:
                records[name] = rows.ends[part] - rows.starts[part]
            elif name.startswith("\0"):
                records[name] = rows.lines(part, width)
            else:
                records[name] = rows.cells(header.names.index(name), part, width)
        yield records


def widened(arrays: Sequence[Records]) -> Records:
    """All records of arrays whose layouts may differ, with the columns that all of them have."""
    named = [set(each.dtype.names or ()) for each in arrays]
    wanted = sorted(set.intersection(*named)) if named else []
    widths = [max(each.dtype[name].itemsize for each in arrays) for name in wanted]
    layout = np.dtype([(name, f"S{width}") for name, width in zip(wanted, widths, strict=True)])
    whole = np.empty(sum(len(each) for each in arrays), layout)
    for name in wanted:
        whole[name] = np.concatenate([each[name] for each in arrays])
    return whole


def raw_lines(records: Records) -> list[bytes]:
    """Each record as a CSV of its own: the file's header, and the line as delivered."""
    line = (records.dtype.names or ("",))[-1]
    header = line.removeprefix("\0").encode()
    width = records.dtype[line].itemsize
    whole = np.ascontiguousarray(records[line]).tobytes()
    return [
        b"%s\n%s\n" % (header, whole[at * width : at * width + length])
        for at, length in enumerate(records[_LENGTH].tolist())
    ]


def decoded(raw: Sequence[bytes]) -> Iterator[tuple[npt.NDArray[np.intp], Records]]:
    """Records out of such CSV, with their places in `raw`; one array for each header.

    Raises:
        CorruptPayload: Some of it is no header with one record.
    """
    places: dict[bytes, list[int]] = {}
    for place, each in enumerate(raw):
        head = next((head for head in places if each.startswith(head)), None)
        if head is None:
            found = parse_header(each, _NOWHERE)
            head = each[: found[1]] if found else each
        places.setdefault(head, []).append(place)
    for head, at in places.items():
        yield np.array(at, np.intp), _decoded(head, [raw[place][len(head) :] for place in at])


def _decoded(head: bytes, lines: Sequence[bytes]) -> Records:
    found = parse_header(head, _NOWHERE)
    text = b"".join(lines)
    if found is None:
        raise CorruptPayload(f"{head[:60]!r} is no line of CSV under its header")
    header, _ = found
    pieces = [_split(text, header)]
    starts = np.cumsum([0, *(len(line) for line in lines[:-1])])
    if not np.array_equal(pieces[0].starts, starts):  # a quote in one is closed in another
        pieces = [_split(line, header) for line in lines]
        if any(len(piece) != 1 for piece in pieces):
            raise CorruptPayload(
                f"{len(lines)} lines under the header {header.line[:60]!r} hold "
                f"{sum(map(len, pieces))} records"
            )
    layout = layout_of(header, np.max([widths_of(piece) for piece in pieces], axis=0))
    arrays = [each for piece in pieces for each in records_of(piece, header, layout)]
    return np.concatenate([np.empty(0, layout), *arrays])


def _split(text: bytes, header: CsvHeader) -> Rows:
    return split(text, header.delimiter, len(header.names), last=True)[0]
