"""Mapping files: read anew when they change, and wrong ones are told with file, line and key."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.dbn import layout
from ingestor.errors import BadRules
from ingestor.model import table_of
from ingestor.settings import config_dir
from ingestor.transform.formats import DIRECTIVES
from ingestor.transform.mapping import Mapping, load_mapping, parse_mapping
from ingestor.transform.rules import RULES
from ingestor.transform.wires import DbnWire, TextWire
from ingestor.vocabulary import Schema
from tests.cells import records, spoiled

SHIPPED = config_dir() / "mappings" / "databento"
TRADES = (SHIPPED / "trades.yaml").read_bytes()
TEXT = b"""\
schema: trades
table: trades_data
columns:
  ts_event: {op: time, field: time, zone: America/New_York}
  ts_recv: {op: copy_of, column: ts_event}
  instrument_id: {op: symbol_id, field: ticker}
  publisher_id: {op: constant, value: 60000}
  sequence: {op: number, field: seq, absent: 0}
  price: {op: decimal_price, field: price}
  size: {op: number, field: size}
  action: {op: constant, value: T}
  side: {op: enum, field: side, values: {buy: B, sell: A}}
  flags: {op: constant, value: 0}
  depth: {op: constant, value: 0}
  ts_in_delta: {op: difference, of: ts_recv, minus: ts_event}
"""


def text_mapping(**columns: Any) -> Mapping:
    raw = spoiled(TEXT, **columns) if columns else TEXT
    return parse_mapping(raw, name="my.yaml", schema=Schema.TRADES, wire=TextWire())


def refusal(raw: bytes, wire: Any, schema: Schema = Schema.TRADES) -> str:
    with pytest.raises(BadRules) as error:
        parse_mapping(raw, name="my.yaml", schema=schema, wire=wire)
    assert error.value.message.startswith("mapping file my.yaml")
    assert error.value.hint.endswith("docs/reference/mapping-files.md says what it may hold")
    assert "\n" not in error.value.message
    return error.value.message


def op(name: str, **keys: Any) -> dict[str, Any]:
    return {"op": name, **keys}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"price": None}, "line 3 (columns): holds no rule for price; op undefined makes"),
        ({"pirce": op("undefined")}, "(columns.pirce): is no column of trades_data; there are "),
        ({"pirce": op("undefined")}, "did you mean price?"),
        (
            {"price": op("integer", field="price")},
            (
                "(columns.price.op): op integer cannot make a column of kind price; allowed are "
                "fixed_price, decimal_price, constant, undefined, copy_of, difference"
            ),
        ),
        ({"sequence": op("undefined")}, "(columns.sequence.op): op undefined makes nulls, but"),
        (
            {"price": op("fixed_prise", field="price")},
            "(columns.price.op): 'fixed_prise' is no op; there are unix_nanos, fixed_price, ",
        ),
        ({"price": op("fixed_prise", field="price")}, "did you mean fixed_price?"),
        ({"price": {"field": "price"}}, "(columns.price.op): is missing; there are unix_nanos"),
        ({"price": op("fixed_price")}, "(columns.price.field): is missing"),
        ({"price": op("fixed_price", field="")}, "(columns.price.field): "),
        (
            {"price": op("fixed_price", feild="price")},
            (
                "(columns.price.feild): is no key of op fixed_price; allowed are field, absent, "
                "op; did you mean field?"
            ),
        ),
        ({"price": 5}, "(columns.price): must hold keys with values, found '5'"),
        ({"price": op("fixed_price", field="prize")}, "(columns.price.field): 'prize' is no field"),
        ({"price": op("fixed_price", field="prize")}, "there are length, rtype, publisher_id, "),
        ({"price": op("fixed_price", field="prize")}, "did you mean price?"),
        (
            {"price": op("fixed_price", field="size")},
            (
                "(columns.price.op): op fixed_price cannot read size of DBN 1, a whole number; "
                "integer, enum can"
            ),
        ),
        ({"ts_event": op("unix_nanos", field="price")}, "unix_nanos cannot read price of DBN 1"),
        ({"flags": op("integer", field="size")}, "size of DBN 1 (uint32) does not fit the column"),
        ({"side": op("text", field="side")}, "op text cannot make a column of kind character"),
        (
            {"sequence": op("integer", field="sequence", absent="undefined")},
            "(columns.sequence.absent): makes nulls, but sequence is never null",
        ),
        (
            {"flags": op("integer", field="flags", absent=256)},
            "(columns.flags.absent): must be a whole number of 0 to 255, found '256'",
        ),
        (
            {"side": op("character", field="side", absent="NN")},
            "(columns.side.absent): must be one ASCII character, found 'NN'",
        ),
        (
            {"size": op("integer", field="size", undefined="minimum")},
            "(columns.size.undefined): must be 'maximum', found 'minimum'",
        ),
        ({"size": op("constant", value=2**32 - 1)}, "is how size spells null"),
        ({"price": op("constant", value="1.0000000001")}, "must be a price: 12.25, found"),
        ({"ts_event": op("constant", value="now")}, "must be a time: 2024-03-11T09:30:00Z, found"),
        ({"action": op("constant", value="")}, "(columns.action.value): "),
    ],
)  # fmt: skip
def test_a_wrong_mapping_of_the_wire_is_refused(change: dict[str, Any], told: str) -> None:
    assert told in refusal(spoiled(TRADES, **change), DbnWire(Schema.TRADES))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"size": op("integer", field="size")},
            (
                "(columns.size.op): op integer reads numbers of a binary wire, and the fields of "
                "this one are text; allowed are character, decimal_price, enum, number, symbol_id, "
                "text"
            ),
        ),
        (
            {"size": op("number", field="size", nulls=[])},
            "",
        ),
        (
            {"sequence": op("number", field="x", nulls=["-"])},
            "(columns.sequence.nulls): makes nulls, but sequence is never null",
        ),
        (
            {"price": op("decimal_price", field="x", scale="0.02")},
            "(columns.price.scale): must be a power of ten: 0.01, 100; found '0.02'",
        ),
        (
            {"ts_event": op("time", field="x", zone="America/NewYork")},
            "(columns.ts_event.zone): 'America/NewYork' is no time zone; IANA's names are",
        ),
        (
            {"ts_event": op("time", field="x", format="%H:%M")},
            "(columns.ts_event.format): '%H:%M' says no day",
        ),
        (
            {"ts_event": op("time", field="x", unit="s", format="%Y-%m-%d")},
            "(columns.ts_event): unit is a count since 1970, UTC; it excludes format",
        ),
        (
            {"side": op("enum", field="x", values={"buy": "BB"})},
            "(columns.side.values.buy): must be one ASCII character, found 'BB'",
        ),
        (
            {"side": op("enum", field="x", values={})},
            "(columns.side.values): ",
        ),
        (
            {"instrument_id": op("symbol_id", field="x", ids={"A": 1, "B": 1})},
            "(columns.instrument_id.ids): gives one id to two symbols",
        ),
        (
            {"instrument_id": op("symbol_id", field="x", ids={"A": 2**32})},
            "(columns.instrument_id.ids.A): must be at most 4294967295",
        ),
        (
            {"publisher_id": op("symbol_id", field="x")},
            "op symbol_id cannot make a column of kind unsigned 16 bit",
        ),
        (
            {"ts_recv": op("copy_of", column="ts_evnt")},
            "(columns.ts_recv.column): 'ts_evnt' is no column of trades_data; there are ",
        ),
        (
            {"ts_in_delta": op("difference", of="price", minus="ts_event")},
            "(columns.ts_in_delta): price and ts_event are not of one sort",
        ),
        (
            {"ts_recv": op("copy_of", column="ts_event"),
             "ts_event": op("copy_of", column="ts_recv")},
            "is made of itself: ts_",
        ),
        ({"flags": op("constant", value=-1)}, "must be a whole number of 0 to 255, found '-1'"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_of_text_is_refused(change: dict[str, Any], told: str) -> None:
    if told:
        assert told in refusal(spoiled(TEXT, **change), TextWire())
    else:
        assert text_mapping(**change)


def test_a_field_that_a_version_lacks_needs_a_word_about_it() -> None:
    raw = (SHIPPED / "definition.yaml").read_bytes().replace(
        b"field: leg_count, absent: 0", b"field: leg_count"
    )  # fmt: skip

    assert "(columns.leg_count.field): DBN of version 1, 2 has no leg_count; say with" in refusal(
        raw, DbnWire(Schema.DEFINITION), Schema.DEFINITION
    )


def test_a_mapping_of_another_schema_or_table_is_refused() -> None:
    raw = (SHIPPED / "ohlcv-1m.yaml").read_bytes()
    assert "line 2 (schema): must be trades, found ohlcv-1m" in refusal(raw, None)
    raw = TRADES.replace(b"table: trades_data", b"table: tbbo_data")
    assert "line 3 (table): must be trades_data, found 'tbbo_data'" in refusal(raw, None)
    raw = TRADES.replace(b"schema: trades", b"schema: trade")
    assert "(schema): 'trade' is no schema; there are " in refusal(raw, None)


def test_all_faults_are_told_at_once_in_the_order_of_the_file() -> None:
    """One run, one round of mending."""
    said = refusal(spoiled(TEXT, price=op("fixed_price", field="x"),
                           side=op("enum", field="x", values={"b": "BB"})), TextWire())  # fmt: skip
    assert said.startswith("mapping file my.yaml has 2 faults: line ")
    assert said.index("columns.price.op") < said.index("columns.side.values.b")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "must hold keys with values, found nothing"),
        (b"- 1", "must hold keys with values, found a list"),
        (b"a: [", "line 1: "),
        (b"schema: mbo", "'mbo' is no schema"),
        (b"schema: trades", "line 1 (table): is missing"),
        (b"table: trades_data", "line 1 (schema): is missing; there are ohlcv-1s, "),
        (TRADES + b"colums: {}\n", "(colums): is no key of a mapping file; allowed are schema, "),
        (TRADES + b"table: trades_data\n", "(table): is there twice"),
        (TRADES.replace(b"field: price", b"field:"), "(columns.price.field): is empty"),
        (b"!!python/object/apply:print [1]", "a tag ("),
        (b"#" * 300_000, "is larger than 256 KiB"),
    ],
)
def test_another_shape_is_refused_with_its_line(raw: bytes, said: str) -> None:
    assert said in refusal(raw, None)


def test_a_missing_file_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(BadRules, match=r"trades\.yaml cannot be read: No such file"):
        load_mapping(tmp_path, Schema.TRADES)


def test_an_edit_takes_effect_at_once(tmp_path: Path) -> None:
    """Even one that leaves length and time of the file as they were; nothing is compiled twice."""
    file = tmp_path / "trades.yaml"
    file.write_bytes(TEXT)
    os.utime(file, (1, 1))
    before = load_mapping(tmp_path, Schema.TRADES)
    again = load_mapping(tmp_path, Schema.TRADES)
    file.write_bytes(TEXT.replace(b"value: T", b"value: F"))
    os.utime(file, (1, 1))
    after = load_mapping(tmp_path, Schema.TRADES)

    assert again is before
    assert before.digest != after.digest
    wire = records(time=["2024-03-11"], ticker=["A"], price=["1"], size=["1"], side=["buy"])
    assert [chr(each.columns(wire)["action"][0]) for each in (before, after)] == ["T", "F"]


def test_the_folder_says_what_the_wire_is(tmp_path: Path) -> None:
    """Text below csv-files, DBN in databento; of other sources nothing is known."""
    for folder, refused in (("csv-files/ACME.X", True), ("databento", False), ("mine", False)):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "trades.yaml").write_bytes(TRADES)
        if refused:
            with pytest.raises(BadRules, match="reads numbers of a binary wire"):
                load_mapping(tmp_path / folder, Schema.TRADES)
        else:
            assert load_mapping(tmp_path / folder, Schema.TRADES).symbol_field is None


def test_text_becomes_the_columns_of_a_table() -> None:
    wire = records(
        time=["2024-03-11 09:30:00.000000001", "yesterday"], ticker=["A", "B"],
        price=["-0.5", "1.2.3"], size=["", "12.5"], side=["sell", "both"], seq=["7", "8"],
    )  # fmt: skip
    spelled = text_mapping().spell(wire)

    assert list(spelled.columns) == [each.name for each in table_of(Schema.TRADES).frame_columns]
    assert {name: mask.tolist() for name, mask in spelled.unread.items()} == {
        name: [False, True]
        for name in ("ts_event", "ts_recv", "price", "size", "side", "ts_in_delta")
    }
    first = {name: values[0] for name, values in spelled.columns.items()}
    assert first["ts_event"] == first["ts_recv"] == 1_710_163_800_000_000_001
    assert (first["price"], first["size"], first["side"]) == (-500_000_000, 2**32 - 1, ord("A"))
    assert (first["publisher_id"], first["sequence"], first["ts_in_delta"]) == (60_000, 7, 0)
    for column in table_of(Schema.TRADES).frame_columns:
        assert spelled.columns[column.name].dtype == np.dtype(column.kind.frame), column.name


def test_no_record_makes_columns_of_their_kinds() -> None:
    wire = records(time=["x"], ticker=["A"], price=["1"], size=["1"], side=["buy"], seq=["1"])[:0]
    spelled = text_mapping().spell(wire)

    assert spelled.unread == {}
    for column in table_of(Schema.TRADES).frame_columns:
        assert spelled.columns[column.name].shape == (0,), column.name
        assert spelled.columns[column.name].dtype == np.dtype(column.kind.frame), column.name


def test_columns_that_were_read_whole_are_not_called_unread() -> None:
    wire = records(time=["2024-03-11"], ticker=["A"], price=["1"], size=["1"], side=["buy"])
    assert text_mapping().spell(wire).unread == {}


@settings(max_examples=30, deadline=None)
@given(names=st.lists(st.sampled_from([c.name for c in table_of(Schema.TRADES).frame_columns])))
def test_some_columns_are_the_same_as_of_all(names: list[str]) -> None:
    """With what they are derived from made on the way, and left out."""
    wire = records(time=["2024-03-11", "x"], ticker=["A", "B"], price=["1", "2"], size=["1", ""],
                   side=["buy", "sell"])  # fmt: skip
    some, every = text_mapping().columns(wire, names), text_mapping().columns(wire)

    assert list(some) == list(dict.fromkeys(names))
    assert all(np.array_equal(some[name], every[name]) for name in names)


def test_what_records_must_have_is_known_before_they_come() -> None:
    """A field with `absent` need not be there."""
    mapping = text_mapping()
    assert mapping.fields == {"time", "ticker", "price", "size", "side"}
    assert mapping.symbol_field == "ticker"


def test_records_without_a_field_are_refused_by_its_name() -> None:
    wire = records(time=["2024-03-11"], ticker=["A"], Price=["1"], size=["1"], side=["buy"])
    with pytest.raises(BadRules) as error:
        text_mapping().spell(wire)
    assert error.value.message == (
        "mapping file my.yaml reads price for price, but the records have time, ticker, Price, "
        "size, side; did you mean Price?"
    )


def test_a_derived_column_is_silent_where_its_source_is() -> None:
    """A version that lacks the field says nothing of either."""
    raw = spoiled(
        (SHIPPED / "definition.yaml").read_bytes(),
        underlying_product={"op": "copy_of", "column": "settl_price_type"},
    )
    mapping = parse_mapping(raw, name="x", schema=Schema.DEFINITION)

    assert {"settl_price_type", "underlying_product"} <= mapping.silent(layout("definition", 3))
    assert "underlying_product" not in mapping.silent(layout("definition", 2))
    assert mapping.silent(layout("definition", 1)) >= {"leg_count"}


def test_the_page_explains_every_op_and_every_key() -> None:
    """What is not on it nobody finds; and its examples are mapping files."""
    page = (Path(__file__).parents[3] / "docs" / "reference" / "mapping-files.md").read_text()
    keys = {(op, key) for op, each in RULES.items() for key in each.model_fields if key != "op"}

    assert [op for op in RULES if f"| `{op}` |" not in page] == []
    assert sorted({key for _, key in keys if f"| `{key}` |" not in page}) == []
    assert [each for each in DIRECTIVES if f"`%{each}`" not in page] == []
    examples = re.findall(r"```yaml\n(schema: .*?)```", page, re.DOTALL)
    assert len(examples) == 2
    for each in examples:
        schema = Schema(re.findall(r"schema: (\S+)", each)[0])
        assert parse_mapping(each.encode(), name="page", schema=schema, wire=TextWire())


def test_the_digest_is_that_of_the_file() -> None:
    changed = parse_mapping(TRADES + b"# note\n", name="x", schema=Schema.TRADES)
    assert changed.digest != load_mapping(SHIPPED, Schema.TRADES).digest


@pytest.mark.parametrize("schema", [each for each in Schema if each.startswith("ohlcv-1")])
def test_bars_may_not_be_called_by_another_width(schema: Schema) -> None:
    """They would be stored in a table of bars whose width they do not have."""
    text = (SHIPPED / f"{schema}.yaml").read_text()
    width = schema.removeprefix("ohlcv-")
    other = "1m" if width == "1h" else "1h"
    wrong = text.replace(f"value: {width}}}", f"value: {other}}}")
    line = text[: text.index("granularity:")].count("\n") + 1
    said = refusal(wrong.encode(), DbnWire(schema), schema)

    assert f"line {line} (columns.granularity.value): must be {width}, as bars of" in said
    assert f"found '{other}'" in said
