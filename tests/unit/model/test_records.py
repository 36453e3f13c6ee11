"""A record's model takes what its table can hold, spelled as queries spell it, and nothing else."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from ingestor.model import STORED, TABLES, Table, records, table_of
from ingestor.model.kind import NANOSECONDS
from ingestor.model.records import OhlcvMsg, TradeMsg, record_model, spelled
from ingestor.vocabulary import Schema

BY_TABLE = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
TRADE: dict[str, Any] = {
    "ts_event": "2024-03-11T00:00:00.000000001Z", "ts_recv": 1_710_115_200_000_000_002,
    "instrument_id": 17_077, "sequence": 1, "size": 3, "price": Decimal("-5200.25"),
    "ts_in_delta": -1, "publisher_id": 1, "flags": 128, "depth": 0, "action": "T", "side": None,
}  # fmt: skip


def broken(model: type[BaseModel], given: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Fields that are refused."""
    with pytest.raises(ValidationError) as error:
        model(**given)
    return [each["loc"] for each in error.value.errors()]


def test_every_schema_has_its_model_under_its_name() -> None:
    """`from ingestor.model.records import TradeMsg`; the four tables of bars share one."""
    for schema in STORED:
        table = table_of(schema)
        assert getattr(records, table.record) is record_model(table)
    assert OhlcvMsg is record_model(table_of(Schema.OHLCV_1S))
    assert TradeMsg.__name__ == "TradeMsg"
    with pytest.raises(AttributeError):
        records.NoSuchMsg  # noqa: B018 - asked for


@BY_TABLE
def test_a_model_has_the_columns_of_its_table(table: Table) -> None:
    """Those of the frame with their sentences, the ledger's, the symbol; no nanoseconds apart."""
    model = record_model(table)
    own = {c.name for c in table.columns if c.nanos_of is None}

    assert set(model.model_fields) == own | {"symbol"}
    for column in table.frame_columns:
        assert model.model_fields[column.name].description == column.doc


@BY_TABLE
def test_null_is_for_columns_that_can_be_null(table: Table) -> None:
    """And for the symbol of a record that no name is known of."""
    names = [c.name for c in table.frame_columns]
    refused = {where for (where,) in broken(record_model(table), dict.fromkeys(names))}

    assert refused == {c.name for c in table.frame_columns if not c.nullable}


def test_a_record_is_taken_as_a_query_gives_it() -> None:
    """ISO 8601 with nine digits; what the ledger adds stays."""
    made = TradeMsg(**TRADE, symbol="ESM4", chunk_id=7, ordinal=0).model_dump()

    assert made["ts_event"] == 1_710_115_200_000_000_001
    assert (made["symbol"], made["chunk_id"], made["ordinal"]) == ("ESM4", 7, 0)
    assert made["price"] == Decimal("-5200.25")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", 1.5),
        ("price", "0.0000000001"),
        ("price", "9223372036.854775807"),
        ("price", "-9223372036.854775808"),
        ("price", "NaN"),
        ("price", True),
        ("size", 2**32 - 1),
        ("size", -1),
        ("sequence", 2**32),
        ("ts_recv", 2**64 - 1),
        ("ts_recv", -1),
        ("ts_recv", "2024-03-11"),
        ("ts_recv", "2024-03-11T00:00:00.0000000001Z"),
        ("ts_recv", "2024-02-30T00:00:00Z"),
        ("ts_recv", "2024-03-11T00:00:00+01:00"),
        ("flags", True),
        ("flags", 256),
        ("flags", 1.0),
        ("action", ""),
        ("action", "TT"),
        ("action", "é"),
        ("action", "\0"),
        ("publisher_id", "1"),
        ("colour", 1),
    ],
)
def test_what_the_table_cannot_hold_is_refused_by_its_field(field: str, value: object) -> None:
    """Range, exactness, a sentinel where null is meant, a field that there is not."""
    assert broken(TradeMsg, TRADE | {field: value}) == [(field,)]


@given(st.integers(1 - 2**63, 2**63 - 2))
def test_every_price_of_the_wire_is_exact(units: int) -> None:
    """At 1e-9, whatever the precision of the caller's own arithmetic."""
    sign, (whole, below) = "-" if units < 0 else "", divmod(abs(units), 10**9)
    column = table_of(Schema.TRADES)["price"]
    with localcontext(prec=6):
        as_text: Any = TradeMsg(**TRADE | {"price": f"{sign}{whole}.{below:09d}"})
        from_wire: Any = TradeMsg(**TRADE | {"price": spelled(column, np.int64(units))})

    assert as_text.price == from_wire.price
    assert int(as_text.price.scaleb(9)) == units


@given(st.integers(0, 2**64 - 2))
def test_a_time_is_the_same_as_number_and_as_text(ns: int) -> None:
    """Over all of u64, past the year 2262 too."""
    whole = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=ns // 10**9)
    text = f"{whole:%Y-%m-%dT%H:%M:%S}.{ns % 10**9:09d}Z"

    assert TradeMsg(**TRADE | {"ts_recv": ns}) == TradeMsg(**TRADE | {"ts_recv": text})


def test_a_bar_begins_on_a_whole_second() -> None:
    """Its table keeps no nanoseconds."""
    bar: dict[str, Any] = dict.fromkeys(c.name for c in table_of(Schema.OHLCV_1S).frame_columns)
    bar |= {"instrument_id": 1, "publisher_id": 1, "volume": 2**63 - 1, "granularity": "1s",
            "data_source": "databento", "ts_event": NANOSECONDS}  # fmt: skip

    assert OhlcvMsg(**bar)
    assert broken(OhlcvMsg, bar | {"ts_event": NANOSECONDS + 1}) == [("ts_event",)]
    assert broken(OhlcvMsg, bar | {"volume": 2**63}) == [("volume",)]


@BY_TABLE
def test_a_sentinel_is_spelled_none(table: Table) -> None:
    """Of every nullable column, and of no other."""
    for column in table.frame_columns:
        if column.null is not None:
            value = column.null
            plain = value if isinstance(value, bytes) else np.dtype(column.kind.frame).type(value)
            assert spelled(column, plain) is None, column.name


def test_a_character_is_spelled_as_its_byte() -> None:
    """Whether a byte is a character is for the model to say."""
    column = table_of(Schema.TRADES)["action"]

    assert spelled(column, np.uint8(84)) == b"T"
    assert broken(TradeMsg, TRADE | {"action": spelled(column, np.uint8(200))}) == [("action",)]


def test_tables_are_read_without_pydantic() -> None:
    """Help and completion name schemas; they need no models."""
    asked = "import sys, ingestor.model; sys.exit('pydantic' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", asked], timeout=60, check=False).returncode == 0
