"""Views for people are derived from the Tables; the migrations hold what is derived."""

from __future__ import annotations

import pytest

from ingestor.model import TABLES, Column, Table
from ingestor.model.kind import PRICE, TEXT, TIMESTAMP, UINT16, UINT32, WHOLE_SECOND
from ingestor.store.migrate import REVISIONS
from ingestor.store.migrations.statements import statements, tables_of
from ingestor.store.views import market_view, view_name
from ingestor.vocabulary import Schema

FIRST_VIEWS = "0003"
every_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


def shown(table: Table) -> dict[str, str]:
    """What the view's columns are called, each with its comment."""
    start = f"COMMENT ON COLUMN {view_name(table)}."
    found = [s.removeprefix(start) for s in market_view(table) if s.startswith(start)]
    named = dict(text.split(" IS ", 1) for text in found)
    assert len(named) == len(found)
    return named


def made_by_migrations() -> set[str]:
    later = [f"{each}_records" for each in REVISIONS if each > FIRST_VIEWS and tables_of(each)]
    return {s for name in (f"{FIRST_VIEWS}_views", *later) for s in statements(name)}


@every_table
def test_the_migrations_make_what_the_table_generates(table: Table) -> None:
    """Committed SQL and Tables cannot drift apart."""
    assert set(market_view(table)) <= made_by_migrations()


def test_no_migration_makes_a_view_that_no_table_generates() -> None:
    """A column that was taken out of a Table does not live on in its view."""
    ours = {s for table in TABLES for s in market_view(table)}
    made = {s for s in made_by_migrations() if " market." in s and "market.names" not in s}
    assert made == ours


@every_table
def test_a_view_has_every_column_but_the_nanoseconds_beside(table: Table) -> None:
    """In their place the time itself has all of them."""
    beside = {column.name for column in table.columns if column.nanos_of}
    names = set(shown(table))
    assert {column.name for column in table.columns} - names == beside
    assert {"symbol", "dataset", "venue"} <= names


@every_table
def test_a_view_has_a_float_for_each_price_and_nanoseconds_for_each_time(table: Table) -> None:
    """And nothing else that its table lacks, but names."""
    added = shown(table).keys() - {column.name for column in table.columns}
    prices = {f"{c.name}_float" for c in table.columns if c.kind is PRICE}
    times = {f"{c.name}_unix_ns" for c in table.columns if c.kind.sql == "TIMESTAMPTZ"}
    assert added - {"symbol", "dataset", "venue", "stat_name"} == prices | times


@every_table
def test_a_column_says_in_its_view_what_it_says_in_its_table(table: Table) -> None:
    """What psql tells of a table it tells of its view."""
    told = shown(table)
    for column in table.columns:
        if column.name in told:
            assert told[column.name] == "'" + column.doc.replace("'", "''") + "'"


def test_a_new_table_has_its_view_without_being_named() -> None:
    """A schema is one model file and one mapping file."""
    table = Table(
        name="auctions_data",
        schemas=(Schema.IMBALANCE,),
        columns=(
            Column("ts_recv", TIMESTAMP, "The venue's time."),
            Column("ts_recv_ns", TIMESTAMP, "Below.", nanos_of="ts_recv"),
            Column("ts_close", WHOLE_SECOND, "Close.", null=0),
            Column("instrument_id", UINT32, "Id."),
            Column("publisher_id", UINT16, "Publisher."),
            Column("ref_price", PRICE, "Reference.", null=0),
            Column("note", TEXT, "Text.", null=b""),
        ),
        key=("instrument_id", "ts_recv"),
        time_column="ts_recv",
        index_column="ts_recv",
        interval_days=1,
        doc="Auctions.",
        record="AuctionMsg",
    )
    create, comment, *_, grant = market_view(table)

    assert list(shown(table)) == [
        "symbol", "dataset", "venue", "ts_recv", "ts_recv_unix_ns", "ts_close", "ts_close_unix_ns",
        "instrument_id", "publisher_id", "ref_price", "ref_price_float", "note",
    ]  # fmt: skip
    assert create.startswith("CREATE VIEW market.auctions AS\n")
    assert "* 1000 + t.ts_recv_ns END AS ts_recv_unix_ns" in create
    assert "* 1000 + 0 END AS ts_close_unix_ns" in create
    assert "stat_types" not in create
    assert comment == "COMMENT ON VIEW market.auctions IS 'Auctions. With names, for people.'"
    assert grant == "GRANT SELECT ON market.auctions TO hdi_worker, hdi_reader"
