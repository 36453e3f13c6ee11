"""Stored records, read by symbol and range of days: one at a time, as a list, or counted.

Prices are exact (Decimal), times are ISO 8601 with nine digits: a float or a datetime would lose
some of either. `ingestor.query.frames` makes a DataFrame of the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from decimal import Decimal
from typing import Any, Final

from ingestor.model import Table
from ingestor.model.kind import UINT64
from ingestor.query.names import Instrument, Names
from ingestor.query.reader import Reader
from ingestor.query.selection import Selection, columns_of, statement

Row = Mapping[str, Any]

# A pager may stand still for minutes in the midst of an answer.
_PATIENT: Final = "SELECT set_config('idle_in_transaction_session_timeout', '1h', true)"
BATCH = 5_000


async def batches(reader: Reader, wanted: Selection) -> AsyncGenerator[tuple[list[Row], Names]]:
    """Rows as the database has them, at most `BATCH` at a time, and the names of their ids.

    The selection is one snapshot; memory does not grow with it.
    """
    if not wanted.datasets:
        return
    made = await statement(reader, wanted)
    names = Names(reader)
    async with reader.connection() as connection, connection.transaction(readonly=True):
        await connection.execute(_PATIENT)
        cursor = await connection.cursor(made.text, *made.values)
        while rows := await cursor.fetch(BATCH):
            await names.learn(_instrument(row) for row in rows if row["symbol"] is None)
            yield rows, names


async def records(reader: Reader, wanted: Selection) -> AsyncGenerator[dict[str, Any]]:
    """Records one at a time: column name → value, with `symbol` (None where no name is known)."""
    spelled, index_column = _spellings(wanted.table), wanted.table.index_column
    async with aclosing(batches(reader, wanted)) as every:
        async for rows, names in every:
            for row in rows:
                yield _record(row, names, spelled, index_column)


async def read(reader: Reader, wanted: Selection) -> list[dict[str, Any]]:
    """All records of the selection, as `records` gives them."""
    async with aclosing(records(reader, wanted)) as every:
        return [record async for record in every]


async def count(reader: Reader, wanted: Selection) -> int:
    """How many records the selection holds, its limit left out."""
    if not wanted.datasets:
        return 0
    made = await statement(reader, wanted, counted=True)
    [row] = await reader.fetch(made.text, *made.values)
    return int(row["count"])


def field_names(table: Table) -> list[str]:
    """Names of a record's fields, in order; the symbol stands behind the times."""
    columns = columns_of(table)
    times = [column.name for column in columns if column.kind.sql == "TIMESTAMPTZ"]
    return [*times, "symbol", *(column.name for column in columns if column.name not in times)]


def symbol_of(row: Row, names: Names, index_column: str) -> str | None:
    """The symbol that was asked for, else the raw symbol of the row's instrument on its day."""
    if row["symbol"] is not None:
        return str(row["symbol"])
    return names.of(_instrument(row), row[index_column].date())


def _instrument(row: Row) -> Instrument:
    return row["dataset"], row["instrument_id"]


_Spelling = Callable[[Row], Any]


def _spellings(table: Table) -> dict[str, _Spelling | None]:
    """Field → how it is taken from a row; None for the symbol, which is not in it."""
    nanos = {column.nanos_of: column.name for column in table.columns if column.nanos_of}
    return {
        name: None if name == "symbol" else _spelling(table, name, nanos.get(name))
        for name in field_names(table)
    }


def _spelling(table: Table, name: str, nanos: str | None) -> _Spelling:
    if table[name].kind is UINT64:
        return lambda row: whole(row[name])
    if table[name].kind.sql != "TIMESTAMPTZ":
        return lambda row: row[name]
    if nanos is None:
        return lambda row: _iso(row[name], 0)
    return lambda row: _iso(row[name], row[nanos])


def whole(value: Decimal | None) -> int | None:
    """A value of a NUMERIC column without decimals."""
    return None if value is None else int(value)


def _iso(time: dt.datetime | None, nanos: int | None) -> str | None:
    if time is None:
        return None
    return f"{time.isoformat(timespec='microseconds')[:26]}{nanos or 0:03d}Z"


def _record(
    row: Row, names: Names, spelled: Mapping[str, _Spelling | None], index_column: str
) -> dict[str, Any]:
    return {
        name: symbol_of(row, names, index_column) if spelling is None else spelling(row)
        for name, spelling in spelled.items()
    }
