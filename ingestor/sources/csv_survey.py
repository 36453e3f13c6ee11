"""The check pass over a vendor's file: what is in it, as its mapping reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestor.documents import nearest
from ingestor.errors import CorruptPayload, UnlikeRequest
from ingestor.job import SymbolInterval
from ingestor.model import Table
from ingestor.sources.csv_records import layout_of, only, records_of, widths_of
from ingestor.sources.csv_stream import CsvStream
from ingestor.sources.survey import date_of
from ingestor.sources.tally import DAY, EVERYTHING, Tally, Window, merged

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.job import Contents
    from ingestor.sources.csv_text import Rows
    from ingestor.sources.source import Spelling
    from ingestor.sources.surveyed import Surveyed
    from ingestor.vocabulary import Schema

    Records = npt.NDArray[np.void]

_WORD: Final = 8


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file is read as: nothing in it says so.

    Attributes:
        spelling: The mapping of the dataset's schema.
    """

    dataset: str
    schema: Schema
    spelling: Spelling

    @property
    def table(self) -> Table:
        return self.spelling.table


@dataclass(frozen=True, slots=True, eq=False)
class CsvSurvey:
    """What one pass over a file found.

    Attributes:
        contents: Of the window that was asked for.
        index_range: First and last index timestamp of the whole file; None where none is defined.
        days: One row per day of the index timestamp and day of ts_event in the window, ascending.
        undefined: Records of the window whose index timestamp cannot be read.
        layout: Wire dtype of the records.
        symbols: Instrument id → symbol, of the records of the window; empty where the file has ids.
    """

    path: Path
    reading: Reading
    contents: Contents
    sha256: str
    size: int
    index_range: tuple[int, int] | None
    days: npt.NDArray[np.void]
    undefined: int
    layout: np.dtype[np.void]
    symbols: dict[int, str] = field(default_factory=dict)

    @property
    def dataset(self) -> str:
        return self.reading.dataset

    @property
    def schema(self) -> Schema:
        return self.reading.schema

    @property
    def delivery(self) -> str:
        """Files of one folder are parts of one delivery, as far as they tell."""
        return f"{self.dataset} {self.schema}"

    def parts_with(self, other: Surveyed, /) -> bool:
        return self.delivery == other.delivery

    def arrays(self) -> Iterator[Records]:
        """The records as their mapping reads them, in all columns of the table."""
        layout = _frame_layout(self.reading.table)
        with open_csv(self.path, self.reading) as stream:
            for records in bare_arrays(stream, self.reading):
                columns = self.reading.spelling.columns(records)
                frame = np.zeros(len(records), layout)
                for name, values in columns.items():
                    frame[name] = values
                yield frame

    @property
    def intervals(self) -> tuple[SymbolInterval, ...]:
        """Each symbol with its id, from the first day that has records to the last."""
        low, high = self.contents.index_min, self.contents.index_max
        if low is None or high is None:
            return ()
        start, end = date_of(low), date_of(high // DAY * DAY + DAY)
        return tuple(
            SymbolInterval("raw_symbol", symbol, "instrument_id", str(id_), start, end)
            for id_, symbol in sorted(self.symbols.items())
        )


def survey(path: Path, reading: Reading, window: Window = EVERYTHING) -> CsvSurvey:
    """Checks the whole file; counts what lies in `window`.

    Raises:
        CorruptPayload: It is damaged, or its header lacks a column that the mapping reads.
        UnlikeRequest: Two of its symbols have the same instrument id.
    """
    index = reading.table.index_column
    names = sorted({index, "ts_event", "instrument_id", "publisher_id"})
    keys = np.dtype([(name, reading.table[name].kind.frame) for name in names])
    tally, symbols = Tally(index, window), _Symbols(path, reading.spelling.symbol_field)
    with open_csv(path, reading) as stream:
        widths = np.zeros(len(stream.header.names) + 1, np.intp)
        for rows in stream.rows():
            widths = np.maximum(widths, widths_of(rows))
            for records in bare(rows, stream, reading):
                key = _keys(records, reading, keys)
                tally.add(key)
                symbols.add(records, key["instrument_id"], window.rows(key[index]))
        digest, size = stream.seal()
    days = merged(tally.rows)
    return CsvSurvey(
        path=path,
        reading=reading,
        contents=tally.contents(days),
        sha256=digest,
        size=size,
        index_range=tally.index_range,
        days=days,
        undefined=tally.undefined,
        layout=layout_of(stream.header, widths),
        symbols=symbols.found,
    )


def open_csv(path: Path, reading: Reading) -> CsvStream:
    """The file, once its header has every column that the mapping reads.

    Raises:
        CorruptPayload: It is damaged, or its header lacks one.
    """
    stream = CsvStream(path, reading.spelling.fields)
    missing = sorted(reading.spelling.fields - set(stream.header.names))
    if missing:
        stream.__exit__()
        raise CorruptPayload(
            f"{path} has no column {', '.join(missing)}; its header names "
            f"{', '.join(stream.header.names)[:500]}{nearest(missing[0], stream.header.names)}",
            hint=f"the mapping of {reading.schema} of {reading.dataset} reads it: correct the "
            "mapping, or give a file of that layout",
        )
    return stream


def bare_arrays(stream: CsvStream, reading: Reading) -> Iterator[Records]:
    """The records' cells that the mapping reads, each array as wide as its own cells need."""
    for rows in stream.rows():
        yield from bare(rows, stream, reading)


def bare(rows: Rows, stream: CsvStream, reading: Reading) -> Iterator[Records]:
    """The cells of some rows that the mapping reads: others may be long."""
    layout = layout_of(stream.header, widths_of(rows))
    return records_of(rows, stream.header, only(layout, reading.spelling.fields))


class _Symbols:
    """Which symbol each instrument id was made of."""

    def __init__(self, path: Path, symbol_field: str | None) -> None:
        self.found: dict[int, str] = {}
        self._path = path
        self._field = symbol_field

    def add(
        self,
        records: Records,
        ids: npt.NDArray[np.uint32],
        inside: npt.NDArray[np.bool_] | None,
    ) -> None:
        if self._field is None:
            return
        symbols = np.ascontiguousarray(records[self._field])
        if inside is not None:
            ids, symbols = ids[inside], symbols[inside]
        _, first, at = np.unique(ids, return_index=True, return_inverse=True)
        other = np.flatnonzero(symbols != symbols[first][at])
        named = np.concatenate((first, other))
        for id_, symbol in set(zip(ids[named].tolist(), symbols[named].tolist(), strict=True)):
            self._note(id_, symbol.decode())

    def _note(self, id_: int, symbol: str) -> None:
        if not symbol or not symbol.isprintable():  # it has no id, and its record is refused
            return
        known = self.found.setdefault(id_, symbol)
        if known != symbol:
            raise UnlikeRequest(
                f"{self._path} holds two symbols of instrument id {id_}: {known!r} and {symbol!r}",
                hint="give one of them another id in the mapping: instrument_id: {ids: {…}}",
            )


def _keys(records: Records, reading: Reading, keys: np.dtype[np.void]) -> Records:
    found = np.empty(len(records), keys)
    for name, values in reading.spelling.columns(records, keys.names or ()).items():
        found[name] = values
    return found


def _frame_layout(table: Table) -> np.dtype[np.void]:
    """All columns of a standard frame as one record, of whole words."""
    packed = np.dtype([(column.name, column.kind.frame) for column in table.frame_columns])
    fill = -packed.itemsize % _WORD
    return np.dtype([*packed.descr, ("", f"V{fill}")] if fill else packed.descr)
