"""Statistics that venues publish: settlements, open interest, limits. Wire record `StatMsg`.

80 bytes in DBN version 3; 64 in 1 and 2, whose quantity has 32 bits.
"""

from __future__ import annotations

from ingestor.model.kind import (
    INT32,
    INT64,
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

STATISTICS = Table(
    name="statistics_data",
    schemas=(Schema.STATISTICS,),
    columns=(
        Column("ts_event", TIMESTAMP, "When the venue sent it, UTC.", required=UINT64_MAX),
        Column("ts_recv", TIMESTAMP, "When the capture server received it: the index timestamp.",
               required=UINT64_MAX),
        Column("ts_ref", TIMESTAMP, "What time the statistic is about, UTC.", null=UINT64_MAX),
        Column("instrument_id", UINT32,
               "The venue's number of the instrument, unique in a dataset."),
        Column("quantity", INT64, "Value of statistics that are quantities.", null=INT64_MAX),
        Column("sequence", UINT32, "The venue's message sequence number."),
        Column("price", PRICE, "Value of statistics that are prices, exact at 1e-9.",
               null=INT64_MAX),
        Column("ts_in_delta", INT32, "ts_recv minus the venue's sending time, nanoseconds."),
        chunk_id(),
        Column("publisher_id", UINT16, "Dataset and venue, see table publishers."),
        Column("stat_type", UINT16,
               "What the statistic is: 1 opening price, 3 settlement, 9 open interest …; table "
               "stat_types names them."),
        Column("channel_id", UINT16, "The venue's channel.", null=2**16 - 1),
        ordinal(),
        nanos("ts_event"),
        nanos("ts_recv"),
        nanos("ts_ref", nullable=True),
        Column("update_action", UINT8, "1 new, 2 delete."),
        Column("stat_flags", UINT8, "Bit field of the venue, by stat_type."),
    ),
    key=("instrument_id", "ts_event", "ts_recv", "stat_type", "sequence", "publisher_id",
         "ordinal"),
    time_column="ts_event",
    index_column="ts_recv",
    interval_days=30,
    doc="Statistics of venues, with their whole history; statistics_current has the latest values.",
    record="StatisticsMsg",
    main=("stat_type", "price", "quantity", "ts_ref", "update_action"),
)  # fmt: skip

TABLES = (STATISTICS,)
