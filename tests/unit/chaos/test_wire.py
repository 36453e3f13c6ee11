"""The oracle's own reading of the wire."""

from __future__ import annotations

import re
from decimal import Decimal

import numpy as np
import pytest

from ingestor.dbn import layout
from ingestor.model import table_of
from ingestor.vocabulary import Schema
from tests.chaos import wire

_TIMES = ("ts_event", "ts_recv", "ts_ref")


@pytest.mark.parametrize("schema", wire.FIELDS)
def test_every_column_but_the_chunk_is_compared(schema: Schema) -> None:
    """A column that is added to a table must be added to the comparison, too."""
    read = {
        name for each in wire.FIELDS[schema] for name in re.findall(r"[a-z][a-z_0-9]+", each.sql)
    }
    columns = {column.name for column in table_of(schema).columns}
    assert columns - read == {"chunk_id"}


def test_a_trade_is_read_to_the_nanosecond_and_to_the_last_decimal() -> None:
    """No float, no rounding, and null for what is undefined."""
    records = np.zeros(1, layout(Schema.TRADES, 3))
    records["ts_event"], records["ts_recv"] = 1_700_000_000_123_456_789, 2**64 - 1
    records["price"], records["size"] = -1, 2**32 - 1
    records["action"], records["side"] = b"T", b""
    row = wire.rows(Schema.TRADES, records)[0]
    assert row[:2] == (1_700_000_000_123_456_789, None)
    assert row[6:10] == (Decimal("-0.000000001"), None, "T", None)


def test_records_alike_in_their_key_are_numbered_as_they_come() -> None:
    """Times that differ below the microsecond only are alike, as they are in the table's key."""
    records = np.zeros(4, layout(Schema.TRADES, 3))
    records["ts_recv"] = [1_000, 1_999, 2_000, 1_000]
    assert [row[-1] for row in wire.rows(Schema.TRADES, records)] == [0, 1, 0, 2]
