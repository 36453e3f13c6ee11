"""Stored records as a DataFrame. pandas is loaded when one is asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, Literal

from ingestor.errors import Usage
from ingestor.model import Column
from ingestor.model.kind import PRICE, UINT64
from ingestor.query.reader import Reader
from ingestor.query.records import batches, field_names, symbol_of, whole
from ingestor.query.selection import Selection

if TYPE_CHECKING:
    import pandas as pd

Prices = Literal["float", "decimal"]

_INTEGERS: Final = {"i1": "int8", "i2": "int16", "i4": "int32", "i8": "int64", "u1": "uint8",
                    "u2": "uint16", "u4": "uint32", "u8": "uint64"}  # fmt: skip
_PAST: Final = dt.datetime(2262, 4, 11, 23, 47, 16, tzinfo=dt.UTC)


async def frame(reader: Reader, wanted: Selection, *, prices: Prices = "float") -> pd.DataFrame:
    """The selection as a DataFrame, indexed by the index timestamp.

    Times are ``datetime64[ns, UTC]`` and exact. Integers keep the width they have on the wire;
    those that may be null are pandas' nullable ones.

    Args:
        prices: ``float`` for float64 (null is NaN), ``decimal`` for exact Decimals (null is None).

    Raises:
        Usage: A time lies past 2262.
    """
    import pandas as pd

    values = await _gathered(reader, wanted)
    table = wanted.table
    nanos = {column.nanos_of: column.name for column in table.columns if column.nanos_of}
    made = {}
    for name in field_names(table):
        if name == "symbol":
            made[name] = pd.Series(values[name], dtype="str")
        elif table[name].kind.sql == "TIMESTAMPTZ":
            made[name] = _times(name, values[name], values.get(nanos.get(name, "")))
        else:
            made[name] = _series(table[name], values[name], prices)
    return pd.DataFrame(made).set_index(table.index_column)


async def _gathered(reader: Reader, wanted: Selection) -> dict[str, list[Any]]:
    """Values by column, `symbol` among them."""
    values: dict[str, list[Any]] = {column.name: [] for column in wanted.table.columns}
    symbols: list[str | None] = []
    index_column = wanted.table.index_column
    async with aclosing(batches(reader, wanted)) as every:
        async for rows, names in every:
            for name, column in values.items():
                column.extend(row[name] for row in rows)
            symbols.extend(symbol_of(row, names, index_column) for row in rows)
    return values | {"symbol": symbols}


def _times(name: str, times: Sequence[Any], nanos: Sequence[Any] | None) -> pd.Series:
    import pandas as pd

    if late := [time for time in times if time is not None and time >= _PAST]:
        raise Usage(
            f"{name} {min(late)} is past {_PAST:%Y-%m-%d}, where pandas' nanoseconds end",
            hint="read_records gives it as text",
        )
    whole = pd.Series(pd.to_datetime(list(times), utc=True)).astype("datetime64[ns, UTC]")
    if nanos is None:
        return whole
    return whole + pd.to_timedelta(pd.Series(nanos, dtype="Int64").fillna(0), unit="ns")


def _series(column: Column, values: Sequence[Any], prices: Prices) -> pd.Series:
    import pandas as pd

    if column.kind is PRICE:
        return pd.Series(values, dtype="float64" if prices == "float" else "object")
    if column.kind.sql == "TEXT":
        return pd.Series(values, dtype="str")
    if column.kind is UINT64:
        values = [whole(value) for value in values]
    width = _INTEGERS[column.kind.frame]
    # pandas spells its nullable integers with capitals: UInt32, Int16.
    nullable = width.replace("uint", "UInt").replace("int", "Int")
    return pd.Series(values, dtype=nullable if column.nullable else width)
