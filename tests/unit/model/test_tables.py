"""The Tables say what the wire says: which values are undefined, and what a key may rest on."""

from __future__ import annotations

from typing import Any

import databento_dbn as dbn
import numpy as np
import pytest

from ingestor.dbn import layout
from ingestor.model import STORED, TABLES, Column, Table, table_of
from ingestor.model.kind import PRICE, UINT64_MAX
from ingestor.settings import config_dir
from ingestor.transform import load_mapping
from ingestor.vocabulary import Schema

SHIPPED = config_dir() / "mappings" / "databento"
UNSET = dbn.UNDEF_TIMESTAMP
BY_TABLE = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


def defaults(record: Any, schema: Schema) -> dict[str, Any]:
    """What a record of databento_dbn holds by column, where nothing but the required was given."""
    wire = layout(schema, 3)
    rows = np.frombuffer(bytes(record)[: wire.itemsize], wire)
    return {
        name: each[0].item() for name, each in load_mapping(SHIPPED, schema).columns(rows).items()
    }


def nulls(table: Table, *names: str) -> dict[str, Any]:
    """Sentinels of all nullable columns, or of these."""
    return {
        c.name: c.null for c in table.frame_columns if c.nullable and c.name in (names or c.name)
    }


DEFINITION = dbn.v3.InstrumentDefMsg(
    1, 2, UNSET, 4, dbn.UNDEF_PRICE, dbn.UNDEF_PRICE, "", "", "",
    dbn.InstrumentClass.FUTURE, dbn.SecurityUpdateAction.ADD,
)  # fmt: skip
# DBN 3 has dropped the first four; of the others its default is a letter, and NUL the null.
NO_DEFAULT = {
    "trading_reference_price", "trading_reference_date", "md_security_trading_status",
    "settl_price_type", "security_update_action", "instrument_class", "match_algorithm",
    "user_defined_instrument", "leg_side",
}  # fmt: skip


def test_a_definition_of_defaults_is_null_in_every_nullable_column() -> None:
    """Each field has an undefined value of its own: 255, 65535, 2^31 − 1, the empty text …"""
    table = table_of(Schema.DEFINITION)
    expected = {name: null for name, null in nulls(table).items() if name not in NO_DEFAULT}
    found = defaults(DEFINITION, Schema.DEFINITION)

    assert len(expected) > 50
    assert {name: found[name] for name in expected} == expected


def test_what_a_definition_never_leaves_undefined_is_never_null() -> None:
    """Zero is a number of legs, an id that stands for none, a ratio: a value, not null."""
    table = table_of(Schema.DEFINITION)
    found = defaults(DEFINITION, Schema.DEFINITION)
    zero = {name for name, value in found.items() if value == 0 and not table[name].nullable}

    assert {"underlying_id", "leg_instrument_id", "leg_count", "leg_index"} <= zero
    assert "raw_instrument_id" in zero


def test_a_statistic_is_null_where_the_wire_says_undefined() -> None:
    """Price or quantity, the reference time, the channel."""
    record = dbn.v3.StatMsg(
        1, 2, 3, 4, UNSET, dbn.UNDEF_PRICE, dbn.UNDEF_STAT_QUANTITY, dbn.StatType.OPEN_INTEREST
    )
    table = table_of(Schema.STATISTICS)
    found = defaults(record, Schema.STATISTICS)
    undefined = {
        column.name
        for column in table.frame_columns
        if found[column.name] == np.iinfo(column.kind.frame).max
    }

    assert nulls(table).keys() == undefined == {"ts_ref", "price", "quantity", "channel_id"}
    assert {name: found[name] for name in nulls(table)} == nulls(table)


@pytest.mark.parametrize("schema", [s for s in STORED if "size" in nulls(table_of(s))])
def test_prices_and_sizes_of_ticks_are_null_where_the_wire_says_undefined(schema: Schema) -> None:
    """Every price and size of the record and of the book's levels; a count of orders has none."""
    for name, null in nulls(table_of(schema)).items():
        column = table_of(schema)[name]
        if column.kind is PRICE or "sz" in name or name == "size":
            assert null == (dbn.UNDEF_PRICE if column.kind is PRICE else dbn.UNDEF_ORDER_SIZE), name


@BY_TABLE
def test_every_price_and_time_can_be_undefined(table: Table) -> None:
    """Real files have undefined ones in most of them; only a key's time must be there."""
    for column in table.frame_columns:
        if column.kind is PRICE:
            assert column.null == dbn.UNDEF_PRICE, column.name
        if column.kind.sql == "TIMESTAMPTZ":
            assert (
                UINT64_MAX == UNSET == (column.required if in_key(table, column) else column.null)
            )


def in_key(table: Table, column: Column) -> bool:
    return column.name in table.key


@BY_TABLE
def test_no_column_of_a_key_is_nullable(table: Table) -> None:
    """PostgreSQL would refuse it, and two unknowns are not one record."""
    assert [name for name in table.key if table[name].nullable] == []


@BY_TABLE
def test_a_key_holds_who_and_when(table: Table) -> None:
    """Without the publisher four daily bars were one; without the index timestamp two days meet."""
    assert {"instrument_id", "publisher_id", table.index_column, table.time_column} <= set(
        table.key
    )
    assert len(table.key) == len(set(table.key))
    assert table.numbered == (table.key[-1] == "ordinal")


@BY_TABLE
def test_every_time_below_the_second_keeps_its_nanoseconds_beside_it(table: Table) -> None:
    """TIMESTAMPTZ ends at the microsecond; null beside null."""
    times = [c for c in table.columns if c.kind.sql == "TIMESTAMPTZ" and c.kind.step == 1]
    beside = {c.nanos_of: c for c in table.columns if c.nanos_of is not None}

    assert set(beside) == {time.name for time in times}
    for time in times:
        assert beside[time.name].name == f"{time.name}_ns"
        assert beside[time.name].nullable == time.nullable


@BY_TABLE
def test_every_row_names_its_chunk(table: Table) -> None:
    """And never null: a row without a receipt would be one without proof."""
    assert table["chunk_id"].ledger
    assert not table["chunk_id"].nullable


@BY_TABLE
def test_main_columns_are_columns(table: Table) -> None:
    """What a terminal shows; times and the ledger's are shown or left out by rule."""
    own = {c.name for c in table.frame_columns}

    assert table.main
    assert set(table.main) <= own


@BY_TABLE
def test_names_are_not_used_twice(table: Table) -> None:
    """Column by column; `symbol` is the name that a query adds."""
    names = [column.name for column in table.columns]

    assert len(names) == len(set(names))
    assert "symbol" not in names


@BY_TABLE
def test_every_column_tells_what_it_is(table: Table) -> None:
    """A sentence for the documentation and the database's comments."""
    assert [c.name for c in table.columns if not c.doc.endswith(".")] == []
    assert table.doc.endswith(".")


def test_every_schema_has_one_table_and_every_table_a_schema() -> None:
    """Found by looking into the package: no list beside it."""
    assert len(STORED) == len(set(STORED))
    assert sorted(s for table in TABLES for s in table.schemas) == sorted(STORED)
    assert len({table.name for table in TABLES}) == len(TABLES)
