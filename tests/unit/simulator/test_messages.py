"""Layouts come from the provider's library, for every schema and version."""

from __future__ import annotations

import databento_dbn
import pytest

from ingestor.dbn import index_field, layout, rtype
from ingestor.simulator.messages import SCHEMAS, fields


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_schema_has_a_layout_in_every_version(schema, version):
    assert layout(schema, version).itemsize % 4 == 0
    assert 0 <= rtype(schema) < 256


def test_the_library_knows_no_schema_but_one_that_has_no_layout_here():
    """End-of-day bars are not delivered."""
    known = {str(each) for each in databento_dbn.Schema.variants()}
    assert known - set(SCHEMAS) == {"ohlcv-eod"}


@pytest.mark.parametrize(
    ("schema", "field"),
    [("trades", "ts_recv"), ("definition", "ts_recv"), ("ohlcv-1d", "ts_event")],
)  # fmt: skip
def test_a_range_filters_on_the_time_of_receipt_where_there_is_one(schema, field):
    assert index_field(schema) == field


def test_fields_are_spelled_as_in_c():
    found = {each["name"]: each["type"] for each in fields("definition")}
    assert found["instrument_id"] == "uint32_t"
    assert found["strike_price"] == "int64_t"
    assert found["raw_symbol"] == "char[71]"
    assert found["instrument_class"] == "char"
