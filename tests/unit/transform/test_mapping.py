"""Mapping files: those that are shipped agree with wire and tables, wrong ones are told plainly."""

from __future__ import annotations

from pathlib import Path

import databento_dbn
import numpy as np
import pytest
import yaml

from ingestor.errors import BadRules
from ingestor.settings import config_dir
from ingestor.transform.mapping import load_mapping, parse_mapping
from ingestor.transform.rules import Constant, Undefined
from ingestor.vocabulary import Schema

SHIPPED = config_dir() / "mappings" / "databento"
WIRE = dict.fromkeys(Schema, databento_dbn.OHLCVMsg) | {Schema.TRADES: databento_dbn.TradeMsg}
FRAMING = {"length", "rtype"}


def fields(schema: Schema, op: str) -> set[str]:
    rules = load_mapping(SHIPPED, schema).rules.values()
    return {r.field for r in rules if not isinstance(r, Constant | Undefined) and r.op == op}


@pytest.mark.parametrize("schema", list(Schema))
def test_every_field_of_the_wire_record_is_mapped(schema: Schema) -> None:
    rules = load_mapping(SHIPPED, schema).rules.values()
    mapped = {r.field for r in rules if not isinstance(r, Constant | Undefined)}
    assert mapped == {name for name, _ in WIRE[schema]._dtypes} - FRAMING


@pytest.mark.parametrize("schema", list(Schema))
def test_every_price_of_the_wire_is_mapped_as_a_fixed_price(schema: Schema) -> None:
    assert fields(schema, "fixed_price") == set(WIRE[schema]._price_fields)


@pytest.mark.parametrize("schema", list(Schema))
def test_every_timestamp_of_the_wire_is_mapped_as_nanoseconds(schema: Schema) -> None:
    assert fields(schema, "unix_nanos") == set(WIRE[schema]._timestamp_fields)


@pytest.mark.parametrize("schema", list(Schema))
def test_frame_columns_hold_the_wire_values_unchanged(schema: Schema) -> None:
    mapping = load_mapping(SHIPPED, schema)
    dtype = np.dtype(WIRE[schema]._dtypes)
    random = np.random.default_rng(1)
    records = np.frombuffer(random.bytes(dtype.itemsize * 50), dtype)
    columns = mapping.columns(records)
    for name, rule in mapping.rules.items():
        if not isinstance(rule, Constant | Undefined):
            assert columns[name].tobytes() == np.ascontiguousarray(records[rule.field]).tobytes()


@pytest.mark.parametrize("schema", list(Schema))
def test_frame_columns_have_the_dtype_of_their_kind(schema: Schema) -> None:
    mapping = load_mapping(SHIPPED, schema)
    columns = mapping.columns(np.zeros(3, np.dtype(WIRE[schema]._dtypes)))
    for column in mapping.table.frame_columns:
        if not column.kind.frame.startswith("S"):
            assert columns[column.name].dtype == np.dtype(column.kind.frame)


def spoiled(change: object) -> bytes:
    """The trades mapping with columns replaced, or (None) taken out."""
    file = yaml.safe_load((SHIPPED / "trades.yaml").read_text())
    assert isinstance(change, dict)
    for name, rule in change.items():
        file["columns"][name] = rule
        if rule is None:
            del file["columns"][name]
    return yaml.safe_dump(file).encode()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"price": None}, "no rule for price of trades_data"),
        ({"colour": {"op": "undefined"}}, "trades_data has no column colour"),
        ({"price": {"op": "integer", "field": "price"}}, "op integer cannot make a price"),
        ({"size": {"op": "constant", "value": "1"}}, "op constant cannot make a unsigned 32 bit"),
        ({"sequence": {"op": "undefined"}}, "columns.sequence: op undefined, but it is never null"),
        ({"price": {"op": "guess", "field": "price"}}, "'guess'"),
        ({"price": {"op": "fixed_price"}}, "columns.price.fixed_price.field"),
    ],
)
def test_a_wrong_mapping_is_refused_with_file_and_key(change: object, told: str) -> None:
    with pytest.raises(BadRules) as error:
        parse_mapping(spoiled(change), name="my.yaml", schema=Schema.TRADES)
    assert told in error.value.message
    assert error.value.message.startswith("my.yaml")


def test_a_mapping_of_another_schema_is_refused() -> None:
    raw = (SHIPPED / "ohlcv-1m.yaml").read_bytes()
    with pytest.raises(BadRules, match="maps ohlcv-1m to ohlcv_1m_data, not trades to trades_data"):
        parse_mapping(raw, name="x.yaml", schema=Schema.TRADES)


def test_what_is_no_yaml_is_refused() -> None:
    with pytest.raises(BadRules, match="is no YAML"):
        parse_mapping(b"a: [", name="x.yaml", schema=Schema.TRADES)


def test_a_missing_file_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(BadRules, match="cannot be read: No such file"):
        load_mapping(tmp_path, Schema.TRADES)


def test_the_digest_is_that_of_the_file() -> None:
    raw = (SHIPPED / "trades.yaml").read_bytes()
    changed = parse_mapping(raw + b"# note\n", name="x", schema=Schema.TRADES)
    assert changed.digest != load_mapping(SHIPPED, Schema.TRADES).digest
