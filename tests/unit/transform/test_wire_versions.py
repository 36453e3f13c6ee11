"""The shipped mappings fit every version of the wire."""

from __future__ import annotations

import numpy as np
import pytest

from ingestor.errors import BadRules
from ingestor.settings import config_dir
from ingestor.sources.dbn import layout
from ingestor.transform.mapping import load_mapping, parse_mapping
from ingestor.transform.rules import Constant, Undefined
from ingestor.vocabulary import Schema

SHIPPED = config_dir() / "mappings" / "databento"


@pytest.mark.parametrize("schema", Schema)
@pytest.mark.parametrize("version", [1, 2, 3])
def test_no_integer_of_the_wire_is_narrowed(schema: Schema, version: int) -> None:
    """Every value of a mapped field fits its column's dtype, sign and width."""
    wire = layout(schema, version)
    mapping = load_mapping(SHIPPED, schema)
    for column in mapping.table.frame_columns:
        rule = mapping.rules[column.name]
        if not isinstance(rule, Constant | Undefined) and rule.op != "character":
            assert np.can_cast(wire[rule.field], np.dtype(column.kind.frame), "safe"), column.name


@pytest.mark.parametrize("schema", [s for s in Schema if s is not Schema.TRADES])
def test_bars_carry_their_granularity(schema: Schema) -> None:
    """The constant of each file is the schema's own width."""
    made = load_mapping(SHIPPED, schema).columns(np.zeros(1, layout(schema, 3)))
    assert made["granularity"].tolist() == [schema.removeprefix("ohlcv-").encode()]


def test_values_are_copied_out_of_the_records() -> None:
    """A column outlives the batch it was made from."""
    records = np.zeros(3, layout(Schema.TRADES, 3))
    made = load_mapping(SHIPPED, Schema.TRADES).columns(records)
    records["price"] = 5
    assert made["price"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("raw", [b"", b"- 1", b"42", b"schema: mbo"])
def test_another_shape_is_refused_by_name(raw: bytes) -> None:
    """A file that is YAML but no mapping file of ours."""
    with pytest.raises(BadRules) as told:
        parse_mapping(raw, name="x.yaml", schema=Schema.TRADES)
    assert told.value.message.startswith("x.yaml: ")


def test_an_empty_constant_is_refused() -> None:
    """It would be NULL in a column that never is."""
    raw = (SHIPPED / "ohlcv-1d.yaml").read_bytes().replace(b"value: databento", b"value: ''")
    with pytest.raises(BadRules, match="data_source: an empty constant"):
        parse_mapping(raw, name="x.yaml", schema=Schema.OHLCV_1D)


def test_yaml_cannot_make_objects() -> None:
    """A mapping file is data: a tag that would call something is no YAML to us."""
    with pytest.raises(BadRules, match="is no YAML"):
        parse_mapping(b"!!python/object/apply:print [1]", name="x.yaml", schema=Schema.TRADES)
