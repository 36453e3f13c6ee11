"""Trades and bars as plain values: of wire records, decoded here and not by the product; stored."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt

from ingestor.model import table_of
from ingestor.simulator.archive import Selection
from ingestor.simulator.calendar import number
from ingestor.simulator.made_archive import MadeArchive, Terms
from ingestor.simulator.market import DAY
from ingestor.store.database import Database
from ingestor.vocabulary import Schema

Row = tuple[object, ...]
UNDEFINED_PRICE: Final = 2**63 - 1
UNDEFINED_SIZE: Final = 2**32 - 1
BARS: Final = (Schema.OHLCV_1S, Schema.OHLCV_1M, Schema.OHLCV_1H, Schema.OHLCV_1D)

_NS: Final = "(extract(epoch FROM {0}) * 1000000)::BIGINT * 1000"
_TRADES: Final = (
    f"SELECT instrument_id, {_NS.format('ts_event')} + ts_event_ns,"
    f" {_NS.format('ts_recv')} + ts_recv_ns, sequence, publisher_id, price, size, action, side,"
    " flags, depth, ts_in_delta FROM public.{table}"
)
_BARS: Final = (
    f"SELECT instrument_id, {_NS.format('ts_event')}, publisher_id, open_price, high_price,"
    " low_price, close_price, volume FROM public.{table}"
)


def wire_rows(schema: Schema, records: npt.NDArray[np.void]) -> Counter[Row]:
    """What the table must hold of these records of the wire, each as often as it was delivered."""
    return Counter(map(_bar if schema in BARS else _trade, records))


def served(
    schema: Schema, start: str, end: str, *symbols: str, dataset: str = "GLBX.MDP3",
    per_day: int = 50, seed: int = 0,
) -> Counter[Row]:  # fmt: skip
    """What a simulator of that seed holds of the symbols from day `start` to before `end`."""
    first, past = (number(dt.date.fromisoformat(day)) for day in (start, end))
    archive = MadeArchive(Terms(seed, per_day), first, past)
    meant = archive.book(dataset).resolve(list(symbols), "raw_symbol", first, past)
    wanted = Selection(dataset, schema, first * DAY, past * DAY, meant.selected)
    return _sum(wire_rows(schema, records) for records in archive.slices(wanted))


async def served_so_far(
    database: Database, schema: Schema, symbol: str, *, per_day: int = 50
) -> Counter[Row]:
    """What a simulator served of those chunks of a day each, of its source, that completed."""
    rows = await database.fetch(
        "SELECT k.start_ns FROM ingest.chunks k JOIN ingest.jobs j USING (job_id)"
        " WHERE k.state = 'completed' AND j.source = 'databento'"
    )
    days = (dt.date(1970, 1, 1) + dt.timedelta(days=int(row["start_ns"]) // DAY) for row in rows)
    spans = ((day.isoformat(), (day + dt.timedelta(days=1)).isoformat()) for day in days)
    return _sum(served(schema, *span, symbol, per_day=per_day) for span in spans)


async def stored_rows(database: Database, schema: Schema) -> Counter[Row]:
    """All rows of the schema's table, spelled in the same way."""
    select = _BARS if schema in BARS else _TRADES
    rows = await database.fetch(select.format(table=table_of(schema).name))
    return Counter(tuple(row) for row in rows)


def _sum(parts: Iterable[Counter[Row]]) -> Counter[Row]:
    total: Counter[Row] = Counter()
    for part in parts:
        total.update(part)
    return total


def _trade(record: np.void) -> Row:
    size = int(record["size"])
    return (
        int(record["instrument_id"]), int(record["ts_event"]), int(record["ts_recv"]),
        int(record["sequence"]), int(record["publisher_id"]), _price(record["price"]),
        None if size == UNDEFINED_SIZE else size, _letter(record["action"]),
        _letter(record["side"]), int(record["flags"]), int(record["depth"]),
        int(record["ts_in_delta"]),
    )  # fmt: skip


def _bar(record: np.void) -> Row:
    prices = (_price(record[name]) for name in ("open", "high", "low", "close"))
    return (
        int(record["instrument_id"]), int(record["ts_event"]), int(record["publisher_id"]),
        *prices, int(record["volume"]),
    )  # fmt: skip


def _price(fixed: np.int64) -> Decimal | None:
    return None if fixed == UNDEFINED_PRICE else Decimal(int(fixed)).scaleb(-9)


def _letter(mark: bytes) -> str | None:
    return mark.decode() or None
