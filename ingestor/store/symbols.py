"""Which symbol was which instrument, kept as payloads, providers and definitions tell it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cache

from ingestor.days import DayRange, date_of_day
from ingestor.errors import UnlikeRequest
from ingestor.job import SymbolInterval
from ingestor.model import Table
from ingestor.store.database import Connection
from ingestor.store.queries import queries
from ingestor.store.schema import qualified
from ingestor.vocabulary import SType

_LOAD = queries("load")


async def keep_intervals(
    connection: Connection, dataset: str, intervals: Sequence[SymbolInterval], *, source: str
) -> None:
    """Adds intervals to those that are held; only ones that name an instrument id."""
    named = [each for each in intervals if each.target.isdecimal()]
    kinds = sorted({(each.stype_in, each.stype_out) for each in named})
    for stype_in, stype_out in kinds:
        some = [e for e in named if (e.stype_in, e.stype_out) == (stype_in, stype_out)]
        await connection.execute(
            _LOAD["keep_intervals"], dataset, stype_in, stype_out, source,
            [e.symbol for e in some], [int(e.target) for e in some],
            [dt.date.fromisoformat(e.start) for e in some],
            [dt.date.fromisoformat(e.end) for e in some],
        )  # fmt: skip


async def refuse_shared_ids(
    connection: Connection, dataset: str, intervals: Sequence[SymbolInterval]
) -> None:
    """Refuses ids of HDI's own making that another symbol of the dataset has.

    Other loads of the dataset that make ids wait until the transaction ends: what is found here
    stays true.

    Raises:
        UnlikeRequest: Two symbols would be one instrument.
    """
    await connection.execute(_LOAD["own_ids"], dataset)
    named = [e for e in intervals if e.stype_in == SType.RAW_SYMBOL and e.target.isdecimal()]
    found = await connection.fetchrow(
        _LOAD["shared_id"], dataset, [e.symbol for e in named], [int(e.target) for e in named]
    )
    if found is not None:
        raise UnlikeRequest(
            f"instrument id {found['id']} of symbol {found['symbol']!r} is taken: in {dataset} it "
            f"is {found['other']!r}",
            hint=f"give {found['symbol']!r} an id of its own under `ids:` of `symbol_id` in the "
            "mapping file",
        )


async def learn_definitions(
    connection: Connection,
    table: Table,
    dataset: str,
    chunk_id: int,
    bounds: tuple[dt.datetime, dt.datetime],
) -> None:
    """Names from the records of a chunk that say what their instrument is called.

    Each holds for the day of its index timestamp, where no raw symbol names the instrument on that
    day yet. Does nothing for a table without names. `bounds`: of the chunk's time column.
    """
    statement = _learn(table)
    if statement is not None:
        await connection.execute(statement, dataset, chunk_id, *bounds)


async def count_nameless(
    connection: Connection, dataset: str, ids: Sequence[int], days: DayRange
) -> int:
    """How many of the instruments no raw symbol names on any of the days (since 1970)."""
    if not ids:
        return 0
    first, past = (date_of_day(day) for day in days)
    return int(await connection.fetchval(_LOAD["count_nameless"], dataset, ids, first, past))


@cache
def _learn(table: Table) -> str | None:
    """SQL that learns the names in a chunk's rows; None where the table has none.

    Parameters: $1 dataset, $2 chunk_id, $3 and $4 bounds of the time column, inclusive.
    """
    names = {column.name for column in table.columns}
    if "raw_symbol" not in names:
        return None
    # A deletion tells that the instrument has no name any more.
    alive = "t.security_update_action IS DISTINCT FROM 'D'"
    return f"""
INSERT INTO ingest.symbol_intervals AS s
    (dataset, stype_in, symbol, stype_out, instrument_id, days, source)
SELECT $1, 'raw_symbol', raw_symbol, 'instrument_id', instrument_id,
       range_agg(daterange(day, day + 1)), 'definition'
FROM (SELECT DISTINCT t.raw_symbol, t.instrument_id,
             (t.{table.index_column} AT TIME ZONE 'UTC')::DATE AS day
      FROM {qualified(table)} t
      WHERE t.chunk_id = $2 AND t.{table.time_column} BETWEEN $3 AND $4
        AND t.raw_symbol IS NOT NULL{f" AND {alive}" if "security_update_action" in names else ""}
     ) d
WHERE NOT EXISTS (
    SELECT FROM ingest.symbol_intervals n
    WHERE n.dataset = $1 AND n.stype_in = 'raw_symbol' AND n.stype_out = 'instrument_id'
      AND n.instrument_id = d.instrument_id AND n.days @> d.day)
GROUP BY raw_symbol, instrument_id
ORDER BY raw_symbol, instrument_id
ON CONFLICT (dataset, stype_in, symbol, stype_out, instrument_id) DO UPDATE
SET days = s.days + excluded.days
WHERE NOT s.days @> excluded.days"""
