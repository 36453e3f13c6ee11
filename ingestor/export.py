"""Stored records as a DBN file again: selection → rows in order → wire records → file.

Quarantined records come back from their raw bytes, each at its place. Rows and quarantine are read
of one snapshot, window by window: memory does not grow with the range.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingestor.dbn import DbnWriter, Header
from ingestor.query import Question, Reader, Selection, proven
from ingestor.query.columns import RowLayout
from ingestor.query.copied import Columns, copy_rows, publishers
from ingestor.query.held import Held, Key, in_order
from ingestor.query.quarantined import quarantined
from ingestor.query.snapshot import snapshot
from ingestor.query.symbology import symbology
from ingestor.query.windows import windows
from ingestor.transform import load_mapping
from ingestor.transform.inverse import Inverse

MAPPINGS = "databento"
"""The folder of mapping files whose fields are those of DBN."""

UNPROVEN = 2**63 - 1
"""The limit in the metadata of a file that may lack something: who loads it takes a file with a
limit for no proof, and does not force rows away by what it lacks."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What a file holds now.

    Attributes:
        quarantined: Of `records`, those that no table could hold.
        size: Bytes of the file.
        proven: Whether receipts prove it to be all that there is of these symbols and days.
        shortened: Of `records`, those with a value in one of `left_out`.
        left_out: Columns whose fields only older versions of DBN have.
    """

    path: Path
    records: int
    quarantined: int
    size: int
    proven: bool
    shortened: int
    left_out: tuple[str, ...]


async def export(
    reader: Reader,
    asked: Question,
    wanted: Selection,
    target: Path,
    *,
    mappings: Path,
    with_quarantined: bool = True,
    overwrite: bool = False,
) -> Exported:
    """Writes the records of `wanted`, the selection that `asked` means, in order of `order_of`.

    Args:
        asked: By index timestamp, and of a named dataset.
        mappings: The folder ``configs/mappings``.

    Raises:
        Usage: The file cannot be given this name, or is there already.
        DatabaseUnavailable: The database left; nothing was written.
    """
    whole = with_quarantined and await proven(reader, asked, wanted)
    inverse = Inverse(load_mapping(mappings / MAPPINGS, wanted.schema), wanted.schema)
    with DbnWriter(
        target, await _header(reader, asked, wanted, whole), overwrite=overwrite
    ) as file:
        async with (
            snapshot(reader) as (connection, other),
            aclosing(in_order(_newest(other, wanted, inverse))) as held,
        ):
            merge = _Merge(file, inverse, held if with_quarantined else None)
            await _rows(connection, wanted, inverse, merge)
            await merge.end()
    return Exported(
        target, merge.records, merge.quarantined, file.size, whole, merge.shortened, inverse.lost
    )


async def _header(reader: Reader, asked: Question, wanted: Selection, whole: bool) -> Header:
    assert wanted.dataset is not None
    told = await symbology(reader, asked)
    return Header(
        dataset=wanted.dataset, schema=wanted.schema, start=wanted.start, end=wanted.end,
        stype_in=told.stype_in, symbols=told.symbols, mappings=told.mappings,
        partial=told.partial, not_found=told.not_found, limit=None if whole else UNPROVEN,
    )  # fmt: skip


async def _rows(connection: object, wanted: Selection, inverse: Inverse, merge: _Merge) -> None:
    names = [*inverse.fields, *(["ordinal"] if wanted.table.numbered else [])]
    layout = RowLayout.of(wanted.table, names, inverse.widths)
    publisher_ids = await publishers(connection, wanted)
    for window in await windows(connection, wanted):
        await copy_rows(connection, wanted, window, layout, publisher_ids, merge.rows)


async def _newest(connection: object, wanted: Selection, inverse: Inverse) -> AsyncGenerator[Held]:
    """Quarantined records of the newest version, with their keys."""
    key = Key.of(wanted.table)
    async with aclosing(quarantined(connection, wanted)) as batches:
        async for batch in batches:
            made, shortened = inverse.upgraded_bytes([each.raw for each in batch])
            columns = inverse.mapping.columns(np.frombuffer(b"".join(made), inverse.layout))
            for at, (each, raw) in enumerate(zip(batch, made, strict=True)):
                rest = key.rest(columns, at, each.ordinal)
                yield Held(each, rest, raw, 0 if at else shortened)


class _Merge:
    """Puts quarantined records between rows, by the whole of their key."""

    def __init__(self, file: DbnWriter, inverse: Inverse, held: AsyncIterator[Held] | None) -> None:
        self._file = file
        self._inverse = inverse
        self._held = held
        self._next: Held | None = None
        self._key = Key.of(inverse.mapping.table)
        self.records = self.quarantined = self.shortened = 0

    async def rows(self, columns: Columns) -> None:
        """Writes a batch of rows, and what comes before the last of them."""
        records = self._inverse.records(columns)
        done, count = 0, len(records)
        while (each := await self._peek()) is not None:
            if self._key.stored(columns, each):
                self._skip(each)
                continue
            if (at := self._key.place(columns, each)) == count:
                break
            self._file.write(records[done:at].tobytes())
            self._put(each)
            done = at
        self._file.write(records[done:].tobytes())
        self.records += count
        self.shortened += self._inverse.losing(columns)

    async def end(self) -> None:
        """Writes what comes behind all rows."""
        while (each := await self._peek()) is not None:
            self._put(each)

    async def _peek(self) -> Held | None:
        if self._next is None and self._held is not None:
            self._next = await anext(self._held, None)
        return self._next

    def _skip(self, each: Held) -> None:
        self._next = None
        self.shortened += each.shortened

    def _put(self, each: Held) -> None:
        self._file.write(each.raw)
        self._next = None
        self.records += 1
        self.quarantined += 1
        self.shortened += each.shortened
