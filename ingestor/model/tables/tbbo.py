"""Trades with the best bid and ask just before each. Wire record `MBP1Msg`, 80 bytes."""

from __future__ import annotations

from ingestor.model.kind import INT64_MAX, PRICE, UINT32, Column, Table
from ingestor.model.tables.trades import KEY, NARROW, UNDEFINED_ORDER_SIZE, WIDE
from ingestor.vocabulary import Schema

BEST = (
    Column("bid_sz_00", UINT32, "Contracts or shares at the best bid.", null=UNDEFINED_ORDER_SIZE),
    Column("ask_sz_00", UINT32, "Contracts or shares at the best ask.", null=UNDEFINED_ORDER_SIZE),
    Column("bid_ct_00", UINT32, "Orders at the best bid."),
    Column("ask_ct_00", UINT32, "Orders at the best ask."),
    Column("bid_px_00", PRICE, "Best bid; NULL where there is none.", null=INT64_MAX),
    Column("ask_px_00", PRICE, "Best ask; NULL where there is none.", null=INT64_MAX),
)
"""The first level of the book."""

TBBO = Table(
    name="tbbo_data",
    schemas=(Schema.TBBO,),
    columns=(*WIDE, *BEST, *NARROW),
    key=KEY,
    time_column="ts_event",
    index_column="ts_recv",
    interval_days=1,
    doc="Trades, each with the best bid and ask just before it.",
    record="TbboMsg",
    ticks=True,
    main=("price", "bid_px_00", "ask_px_00", "size", "bid_sz_00", "ask_sz_00", "side"),
)

TABLES = (TBBO,)
