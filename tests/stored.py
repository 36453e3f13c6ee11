"""Rows put into a database by hand, where a test is about reading and not about loading."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ingestor.days import midnight
from ingestor.store.database import Database
from ingestor.store.queries import queries

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_TRADE: Final = """
INSERT INTO public.trades_data (ts_event, ts_event_ns, ts_recv, ts_recv_ns, instrument_id, sequence,
    price, size, ts_in_delta, chunk_id, publisher_id, ordinal, flags, depth, action, side)
VALUES ($1, $2, $3, $4, $5, $6::BIGINT, $6::BIGINT, 1, 0, 0, $7, 0, 0, 0, 'T', 'N')
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What a payload told: from `first` to before `past`, this symbol was that instrument."""

    dataset: str
    stype_in: str
    symbol: str
    instrument_id: int
    first: dt.date
    past: dt.date
    source: str = "databento"


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade; `number` is its sequence and its price. Times are nanoseconds since 1970."""

    publisher_id: int
    instrument_id: int
    ts_event: int
    ts_recv: int
    number: int


async def keep(database: Database, told: Iterable[Told]) -> None:
    """Stores mappings as a load does."""
    async with database.connection() as connection:
        for each in told:
            await connection.execute(
                queries("load")["keep_intervals"], each.dataset, each.stype_in, "instrument_id",
                each.source, [each.symbol], [each.instrument_id], [each.first], [each.past],
            )  # fmt: skip


async def forget(owner: Database) -> None:
    """Drops every mapping; a worker may not."""
    async with owner.connection() as connection:
        await connection.execute("DELETE FROM ingest.symbol_intervals")


async def trade(database: Database, trades: Iterable[Trade]) -> None:
    """Stores trades."""
    rows = [
        (_instant(e.ts_event), e.ts_event % 1000, _instant(e.ts_recv), e.ts_recv % 1000,
         e.instrument_id, e.number, e.publisher_id)
        for e in trades
    ]  # fmt: skip
    async with database.connection() as connection:
        await connection.executemany(_TRADE, rows)


async def cover(database: Database, dataset: str, schema: str, first: int, past: int) -> None:
    """Stores that every day (numbers since 1970) of the schema is held, of one symbol."""
    async with database.connection() as connection:
        await connection.execute(
            queries("coverage")["cover"], dataset, schema, "raw_symbol", ["A"],
            [_instant(midnight(first)).date()], [_instant(midnight(past)).date()],
        )  # fmt: skip


def _instant(ns: int) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=ns // 1000)
