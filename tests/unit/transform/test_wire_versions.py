"""The shipped mappings fit every version of the wire."""

from __future__ import annotations

import numpy as np
import pytest

from ingestor.dbn import layout
from ingestor.dbn.layout import message
from ingestor.model import STORED
from ingestor.settings import config_dir
from ingestor.transform.mapping import load_mapping
from ingestor.transform.rules import Constant, Undefined
from ingestor.vocabulary import Schema

SHIPPED = config_dir() / "mappings" / "databento"


EVERY = [(schema, version) for schema in STORED for version in (1, 2, 3)]
EVERY_WIRE = pytest.mark.parametrize(("schema", "version"), EVERY)
BARS = [schema for schema in STORED if "granularity" in load_mapping(SHIPPED, schema).rules]


def fields(schema: Schema, version: int, *ops: str) -> list[str]:
    """Fields that the mapping copies, by these ops or by any, of those that the version has."""
    wire = layout(schema, version).names or ()
    rules = load_mapping(SHIPPED, schema).rules.values()
    copied = [rule for rule in rules if not isinstance(rule, Constant | Undefined)]
    return sorted(r.field for r in copied if r.field in wire and (not ops or r.op in ops))


@EVERY_WIRE
def test_no_value_of_the_wire_is_narrowed(schema: Schema, version: int) -> None:
    """Every value of a mapped field fits its column's dtype, sign and width."""
    wire = layout(schema, version)
    mapping = load_mapping(SHIPPED, schema)
    for column in mapping.table.frame_columns:
        rule = mapping.rules[column.name]
        if isinstance(rule, Constant | Undefined) or rule.field not in (wire.names or ()):
            continue
        if rule.op == "character":
            assert wire[rule.field].itemsize == 1, column.name
        else:
            assert np.can_cast(wire[rule.field], np.dtype(column.kind.frame), "safe"), column.name


@EVERY_WIRE
def test_every_field_of_the_wire_is_kept_once(schema: Schema, version: int) -> None:
    """But for length, record type and reserved bytes, which are constants of the schema."""
    wire = [name for name in layout(schema, version).names or () if not name.startswith("_")]
    kept = fields(schema, version)

    assert [name for name in kept if name != "rtype"] == sorted(set(wire) - {"length", "rtype"})


@EVERY_WIRE
def test_prices_and_times_are_those_that_the_wire_calls_so(schema: Schema, version: int) -> None:
    """Read as plain numbers they would be stored wrong by nine digits."""
    told = message(schema, version)

    assert fields(schema, version, "fixed_price") == sorted(told._price_fields)
    assert fields(schema, version, "unix_nanos") == sorted(told._timestamp_fields)


@EVERY_WIRE
def test_text_and_numbers_are_told_apart_as_the_wire_does(schema: Schema, version: int) -> None:
    """A text of one byte is a character, a longer one a text, nothing else is either."""
    wire = layout(schema, version)
    names = [name for name in wire.names or () if not name.startswith("_")]
    text = {name: wire[name].itemsize for name in names if wire[name].kind == "S"}

    assert fields(schema, version, "character") == sorted(n for n in text if text[n] == 1)
    assert fields(schema, version, "text") == sorted(n for n in text if text[n] > 1)


@EVERY_WIRE
def test_a_field_that_a_version_lacks_has_a_value_for_it(schema: Schema, version: int) -> None:
    """Blank records of every version make every column, in the dtype of its Kind."""
    mapping = load_mapping(SHIPPED, schema)
    made = mapping.columns(np.zeros(2, layout(schema, version)))

    for column in mapping.table.frame_columns:
        values = made[column.name]
        assert values.shape == (2,), column.name
        if column.kind.frame.startswith("S"):
            assert values.dtype.kind == "S", column.name
        else:
            assert values.dtype == np.dtype(column.kind.frame), column.name


@EVERY_WIRE
def test_frame_columns_hold_the_wire_values_unchanged(schema: Schema, version: int) -> None:
    """Any bytes at all; only a narrower undefined value is spelled anew."""
    mapping = load_mapping(SHIPPED, schema)
    dtype = layout(schema, version)
    records = np.frombuffer(np.random.default_rng(1).bytes(dtype.itemsize * 50), dtype)
    columns = mapping.columns(records)

    for name, rule in mapping.rules.items():
        if isinstance(rule, Constant | Undefined) or rule.field not in (dtype.names or ()):
            continue
        found = columns[name].view("S1") if rule.op == "character" else columns[name]
        assert found.tolist() == records[rule.field].tolist(), name


def test_what_old_definitions_have_and_new_ones_lack_is_null_and_the_other_way_round() -> None:
    """Four fields went with DBN 3; legs came, and an outright is what has none."""
    mapping = load_mapping(SHIPPED, Schema.DEFINITION)
    new, old = (mapping.columns(np.zeros(1, layout(Schema.DEFINITION, v))) for v in (3, 1))
    dropped = ("trading_reference_price", "trading_reference_date", "md_security_trading_status",
               "settl_price_type")  # fmt: skip

    assert [new[name][0] for name in dropped] == [mapping.table[name].null for name in dropped]
    assert [old[name][0] for name in dropped] == [0, 0, 0, 0]
    assert [old[name][0] for name in ("leg_count", "leg_index", "leg_instrument_id")] == [0, 0, 0]
    assert old["leg_price"][0] == mapping.table["leg_price"].null
    assert chr(old["leg_side"][0]) == "N"
    assert old["leg_raw_symbol"][0] == b""


@pytest.mark.parametrize("version", [1, 2])
def test_an_undefined_quantity_of_32_bits_is_undefined_in_64(version: int) -> None:
    """The largest value of either width; the next below is a value."""
    records = np.zeros(3, layout(Schema.STATISTICS, version))
    records["quantity"] = [2**31 - 1, 2**31 - 2, -(2**31)]
    made = load_mapping(SHIPPED, Schema.STATISTICS).columns(records)

    assert made["quantity"].tolist() == [2**63 - 1, 2**31 - 2, -(2**31)]


def test_the_largest_32_bit_number_is_a_quantity_in_64() -> None:
    """What DBN 1 and 2 call undefined is a number in 3."""
    records = np.zeros(1, layout(Schema.STATISTICS, 3))
    records["quantity"] = 2**31 - 1

    assert load_mapping(SHIPPED, Schema.STATISTICS).columns(records)["quantity"][0] == 2**31 - 1


@pytest.mark.parametrize("schema", BARS)
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
