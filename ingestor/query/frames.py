"""Stored records as a DataFrame. pandas is loaded when one is asked for.

By columns from the server on: with Python objects, one per value, asyncpg's rows take five times as
long to become one (a million trades: 7 s against 1.5 s; `scripts/bench --only read`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingestor.query.gathered import gathered
from ingestor.query.reader import Reader
from ingestor.query.records import field_names
from ingestor.query.row_symbols import row_symbols
from ingestor.query.selection import Selection
from ingestor.query.series import Prices, named, series

if TYPE_CHECKING:
    import pandas as pd


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

    table = wanted.table
    columns = await gathered(reader, wanted)
    symbols = await row_symbols(reader, wanted, columns)
    made = {}
    for name in field_names(table):
        if name == "symbol":
            made[name] = named(symbols.names, symbols.codes)
        else:
            made[name] = series(table[name], columns.pop(name), prices)
    return pd.DataFrame(made).set_index(table.index_column)
