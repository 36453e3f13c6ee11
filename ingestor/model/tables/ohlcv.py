"""Bars: four tables of one shape. Wire record `OHLCVMsg`, 56 bytes."""

from __future__ import annotations

from ingestor.model.kind import (
    COUNT64,
    INT64_MAX,
    PRICE,
    TEXT,
    UINT16,
    UINT32,
    UINT64_MAX,
    WHOLE_SECOND,
    Column,
    Table,
    chunk_id,
)
from ingestor.vocabulary import Schema


def _price(name: str, doc: str) -> Column:
    return Column(name, PRICE, doc, null=INT64_MAX)


_COLUMNS = (
    Column("ts_event", WHOLE_SECOND, "Start of the bar, UTC.", required=UINT64_MAX),
    Column("instrument_id", UINT32, "The venue's number of the instrument, unique in a dataset."),
    Column("volume", COUNT64, "Contracts or shares traded in the bar."),
    Column(
        "trade_count", COUNT64, "Trades in the bar; NULL where the source has none.",
        null=UINT64_MAX,
    ),
    _price("open_price", "First price of the bar."),
    _price("high_price", "Highest price of the bar."),
    _price("low_price", "Lowest price of the bar."),
    _price("close_price", "Last price of the bar."),
    _price("vwap", "Volume-weighted average price; NULL where the source has none."),
    chunk_id(),
    Column("publisher_id", UINT16, "Dataset and venue, see table publishers."),
    Column("granularity", TEXT, "Width of the bar: 1s, 1m, 1h or 1d."),
    Column("data_source", TEXT, "Where the bar came from: databento, or csv:NAME."),
)  # fmt: skip


def _bars(name: str, schema: Schema, width: str, interval_days: int) -> Table:
    return Table(
        name=name,
        schemas=(schema,),
        columns=_COLUMNS,
        key=("instrument_id", "ts_event", "publisher_id"),
        time_column="ts_event",
        index_column="ts_event",
        interval_days=interval_days,
        doc=f"Bars of one {width}: open, high, low, close and volume.",
        record="OhlcvMsg",
        main=("open_price", "high_price", "low_price", "close_price", "vwap", "volume",
              "trade_count"),
    )  # fmt: skip


# Seven days for daily bars, as first specified, makes 520 hypertable chunks of ten years.
OHLCV_1D = _bars("daily_ohlcv_data", Schema.OHLCV_1D, "day", 5 * 365)
OHLCV_1H = _bars("ohlcv_1h_data", Schema.OHLCV_1H, "hour", 365)
OHLCV_1M = _bars("ohlcv_1m_data", Schema.OHLCV_1M, "minute", 90)
OHLCV_1S = _bars("ohlcv_1s_data", Schema.OHLCV_1S, "second", 7)

TABLES = (OHLCV_1D, OHLCV_1H, OHLCV_1M, OHLCV_1S)
