"""The statement of a selection, without a database to run it."""

from __future__ import annotations

import datetime as dt
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any

import pytest

from ingestor.model import TABLES, table_of
from ingestor.query.records import field_names
from ingestor.query.selection import Selection, columns_of, instant, statement
from ingestor.query.symbols import Interval
from ingestor.vocabulary import Dataset, Schema

DAY = 86_400 * 10**9
GLBX, OPRA = Dataset("GLBX.MDP3"), Dataset("OPRA.PILLAR")
PUBLISHERS = [
    {"dataset": GLBX, "publisher_id": 1},
    {"dataset": OPRA, "publisher_id": 20},
    {"dataset": OPRA, "publisher_id": 22},
]


class Answers:
    """A reader that knows publishers, and the bounds of what was loaded."""

    def __init__(self, bounds: dict[str, Decimal | None] | None = None) -> None:
        self.bounds = bounds

    async def fetch(self, query: str, *values: Any) -> list[Any]:
        return [self.bounds] if "ingest.chunks" in query else PUBLISHERS

    def connection(self) -> AbstractAsyncContextManager[Any]:
        raise AssertionError("no statement is run here")


def interval(dataset: Dataset, symbol: str, instrument_id: int) -> Interval:
    return Interval(dataset, symbol, instrument_id, dt.date(2024, 3, 11), dt.date(2024, 3, 12))


def test_fields_begin_with_time_and_symbol_and_end_with_the_ledgers() -> None:
    """People read from the left; nanosecond columns are part of their times."""
    assert field_names(table_of(Schema.TRADES))[:5] == [
        "ts_event", "ts_recv", "symbol", "instrument_id", "publisher_id",
    ]  # fmt: skip
    assert field_names(table_of(Schema.TRADES))[-2:] == ["chunk_id", "ordinal"]
    assert field_names(table_of(Schema.OHLCV_1D))[4:9] == [
        "open_price", "high_price", "low_price", "close_price", "vwap",
    ]  # fmt: skip


def test_no_column_is_lost_on_the_way() -> None:
    """Whatever a Table holds, a record has."""
    for table in TABLES:
        nanos = {column.name for column in table.columns if column.nanos_of}
        assert {column.name for column in columns_of(table)} | nanos == {
            column.name for column in table.columns
        }


async def test_values_travel_as_parameters() -> None:
    """A symbol is never part of the SQL."""
    evil = interval(GLBX, "'; DROP TABLE x --", 7)
    made = await statement(Answers(), Selection(Schema.TRADES, 0, DAY, (evil,)))

    assert "DROP" not in made.text
    assert [evil.symbol] in made.values
    assert [1] in made.values


async def test_every_dataset_is_read_by_its_own_publishers() -> None:
    """An instrument id means nothing outside its dataset."""
    both = (interval(OPRA, "A", 7), interval(GLBX, "B", 7))
    made = await statement(Answers(), Selection(Schema.TRADES, 0, DAY, both))

    assert made.text.count("UNION ALL") == 1
    assert made.values.index([1]) < made.values.index([20, 22])


async def test_records_come_in_the_order_of_delivery() -> None:
    """Index timestamp in ns, instrument, key; of other times the microsecond alone."""
    made = await statement(Answers(), Selection(Schema.TRADES, 0, DAY, dataset=GLBX))

    assert made.text.rstrip().endswith(
        "ORDER BY ts_recv, ts_recv_ns, instrument_id, ts_event, sequence, publisher_id, "
        "ordinal, symbol"
    )


async def test_a_filter_on_the_index_timestamp_bounds_the_partitioned_time_too() -> None:
    """Hypertable chunks are left out only by the column that they are cut on."""
    bounds = {"event_low": Decimal(1_500), "event_high": Decimal(DAY)}
    wanted = Selection(Schema.TRADES, 0, DAY, dataset=GLBX, by="index")
    made = await statement(Answers(bounds), wanted)

    assert "t.ts_recv >= $1" in made.text
    assert "t.ts_event >= $3" in made.text
    assert instant(1_500) in made.values


async def test_where_nothing_was_loaded_nothing_is_read() -> None:
    """No bounds: not a single hypertable chunk needs a look."""
    none = {"event_low": None, "event_high": None}
    wanted = Selection(Schema.TRADES, 0, DAY, dataset=GLBX, by="index")

    assert "AND false" in (await statement(Answers(none), wanted)).text


async def test_a_count_has_no_limit() -> None:
    """It says how many more there are than were shown."""
    wanted = Selection(Schema.OHLCV_1D, 0, DAY, dataset=GLBX, limit=50)

    assert "LIMIT" in (await statement(Answers(), wanted)).text
    assert "LIMIT" not in (await statement(Answers(), wanted, counted=True)).text


@pytest.mark.parametrize("ns", [0, 999, 1_710_115_200_000_000_001, 2**63 + 1])
def test_an_instant_is_cut_to_its_microsecond(ns: int) -> None:
    """As the column is; past 2^63 too."""
    at = instant(ns) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

    assert at // dt.timedelta(microseconds=1) == ns // 1000
