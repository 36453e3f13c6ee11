"""Every change of the best bid and ask, trades among them. Wire record `MBP1Msg`, 80 bytes."""

from __future__ import annotations

from ingestor.model.kind import Table
from ingestor.model.tables.tbbo import BEST
from ingestor.model.tables.trades import KEY, NARROW, WIDE
from ingestor.vocabulary import Schema

MBP1 = Table(
    name="mbp1_data",
    schemas=(Schema.MBP_1,),
    columns=(*WIDE, *BEST, *NARROW),
    key=KEY,
    time_column="ts_event",
    index_column="ts_recv",
    interval_days=1,
    doc="Every change of the best bid and ask, and every trade.",
    record="Mbp1Msg",
    ticks=True,
    main=("action", "side", "price", "size", "bid_px_00", "ask_px_00", "bid_sz_00", "ask_sz_00"),
)

TABLES = (MBP1,)
