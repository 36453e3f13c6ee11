"""Trades, one row per trade. Wire record `TradeMsg`, 48 bytes.

What trades share with quotes at trades and with book updates: all three begin with the same fields.
"""

from __future__ import annotations

from ingestor.model.kind import (
    CHARACTER,
    INT32,
    INT64_MAX,
    PRICE,
    TIMESTAMP,
    UINT8,
    UINT16,
    UINT32,
    UINT64_MAX,
    Column,
    Table,
    chunk_id,
    nanos,
    ordinal,
)
from ingestor.vocabulary import Schema

UNDEFINED_ORDER_SIZE = 2**32 - 1

KEY = ("instrument_id", "ts_event", "ts_recv", "sequence", "publisher_id", "ordinal")

WIDE = (
    Column("ts_event", TIMESTAMP, "When the venue's matching engine made the event, UTC.",
           required=UINT64_MAX),
    Column("ts_recv", TIMESTAMP, "When the capture server received it: the index timestamp.",
           required=UINT64_MAX),
    Column("instrument_id", UINT32,
           "The venue's number of the instrument, unique in a dataset."),
    Column("sequence", UINT32, "The venue's message sequence number."),
    Column("size", UINT32, "Contracts or shares.", null=UNDEFINED_ORDER_SIZE),
    Column("price", PRICE, "Price, exact at 1e-9.", null=INT64_MAX),
)  # fmt: skip
"""Columns of eight bytes and more that every event of a book has."""

NARROW = (
    Column("ts_in_delta", INT32, "ts_recv minus the venue's sending time, nanoseconds."),
    chunk_id(),
    Column("publisher_id", UINT16, "Dataset and venue, see table publishers."),
    ordinal(),
    nanos("ts_event"),
    nanos("ts_recv"),
    Column("flags", UINT8, "Bit field: LAST 128, TOB 64, SNAPSHOT 32, MBP 16, BAD_TS_RECV 8."),
    Column("depth", UINT8, "Book level of the event."),
    Column("action", CHARACTER,
           "Event action: T trade, F fill, A add, C cancel, M modify, R clear, N none.", null=0),
    Column("side", CHARACTER,
           "Side of the aggressor of a trade, of the order otherwise: A ask, B bid, N none.",
           null=0),
)  # fmt: skip
"""The others."""

TRADES = Table(
    name="trades_data",
    schemas=(Schema.TRADES,),
    columns=(*WIDE, *NARROW),
    key=KEY,
    time_column="ts_event",
    index_column="ts_recv",
    interval_days=1,
    doc="Trades, every one, exactly as delivered.",
    record="TradeMsg",
    ticks=True,
    main=("price", "size", "action", "side"),
)

TABLES = (TRADES,)
