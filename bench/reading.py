"""Stored trades as a DataFrame: the service's own way, and asyncpg's rows."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import payloads
from servers import Place

from ingestor.model.tables.trades import TRADES
from ingestor.query import read_frame
from ingestor.simulator import market
from ingestor.vocabulary import Role

if TYPE_CHECKING:
    import pandas as pd

_SYMBOLS = {each.instrument_id: each.symbol for each in market.INSTRUMENTS}
_TIMES = ("ts_event", "ts_recv")
# Of the columns that a record has on the wire; without the symbol, which needs a join.
_COLUMNS = [column.name for column in TRADES.columns if not column.ledger]
_FETCH = f"""
SELECT {", ".join(_COLUMNS)} FROM public.{TRADES.name}
WHERE ts_event >= $1 AND ts_event < $2 AND instrument_id = ANY ($3)
ORDER BY ts_recv
"""


@dataclass(frozen=True, slots=True)
class Frame:
    """A DataFrame, and how long it took from an open connection on."""

    frame: pd.DataFrame
    seconds: float


def ours(place: Place) -> Frame:
    return asyncio.run(_ours(place))


async def _ours(place: Place) -> Frame:
    day = payloads.open_day(0)
    async with place.open(Role.READER) as database:
        gc.collect()
        started = time.perf_counter()
        frame = await read_frame(
            database, "trades", list(_SYMBOLS.values()), dataset=payloads.DATASET,
            start=payloads.date_of(day), end=payloads.date_of(day + market.DAY),
        )  # fmt: skip
        return Frame(frame, time.perf_counter() - started)


def fetched(place: Place) -> Frame:
    return asyncio.run(_fetched(place))


async def _fetched(place: Place) -> Frame:
    import asyncpg
    import pandas as pd

    start = dt.datetime.fromtimestamp(payloads.open_day(0) // 10**9, dt.UTC)
    connection = await asyncpg.connect(place.url(Role.READER))
    try:
        gc.collect()
        started = time.perf_counter()
        rows = await connection.fetch(_FETCH, start, start + dt.timedelta(days=1), list(_SYMBOLS))
        frame = pd.DataFrame(rows, columns=_COLUMNS)
        return Frame(frame, time.perf_counter() - started)
    finally:
        await connection.close()


def require_same(mine: pd.DataFrame, their: pd.DataFrame, count: int) -> None:
    """Raises RuntimeError where the two do not hold the same `count` records, value by value."""
    a, b = _compared(mine.reset_index(), exact=True), _compared(their, exact=False)
    if len(a) != count or len(b) != count:
        raise RuntimeError(f"{len(a)} and {len(b)} trades were read, {count} are stored")
    if unlike := [name for name in a.columns if not a[name].equals(b[name])]:
        raise RuntimeError(f"the two ways read other values in {', '.join(unlike)}")


def _compared(frame: pd.DataFrame, *, exact: bool) -> pd.DataFrame:
    """The columns that both have, as plain types, in one order.

    Args:
        exact: Whether times hold their nanoseconds; else columns of their own do.
    """
    import pandas as pd

    made = pd.DataFrame({"price": frame["price"].astype("float64")})
    for name in _TIMES:
        times = frame[name].astype("datetime64[ns, UTC]").astype("int64")
        made[name] = times if exact else times + frame[f"{name}_ns"].astype("int64")
    for name in ("instrument_id", "sequence", "size", "flags", "ts_in_delta", "publisher_id"):
        made[name] = frame[name].astype("int64")
    for name in ("action", "side"):
        made[name] = frame[name].astype("object")
    if exact:
        known = frame["symbol"].map({symbol: at for at, symbol in _SYMBOLS.items()})
        if not (known.astype("int64") == made["instrument_id"]).all():
            raise RuntimeError("a trade was read under another symbol than its own")
    order = ["ts_recv", "instrument_id", "sequence", "ts_event", "price", "size", "flags"]
    names = [*order, "side", "ts_in_delta"]
    return made.sort_values(names).reset_index(drop=True)
