"""Real files through the rooms: what is stored, held against another decoder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import databento
import pytest

from ingestor.dbn import layout
from ingestor.model import STORED, Column, table_of
from ingestor.model.kind import PRICE
from ingestor.vocabulary import Schema
from tests.loads import Bench, nanoseconds
from tests.records import inverse_of

pytestmark = pytest.mark.corpus

_FOLDER = Path(os.environ.get("HDI_DBN_CORPUS") or ".")
FILES = [
    pytest.param(path, id=f"{path.parent.name}-{schema}")
    for schema in STORED
    for path in sorted(_FOLDER.glob(f"*/test_data.{schema}.dbn.zst"))
] or [pytest.param(_FOLDER, id="none")]


def decoded(path: Path, schema: Schema) -> list[tuple[Any, ...]]:
    """The file's records by the provider's own client, as tuples of Python values, sorted."""
    fields = inverse_of(schema).fields
    return sorted(
        (
            tuple(_wire(getattr(record, field), column) for column, field in told(schema, fields))
            for record in databento.DBNStore.from_file(path)
        ),
        key=repr,
    )


def told(schema: Schema, fields: Mapping[str, str]) -> Iterator[tuple[Column, str]]:
    """The columns that are copied from a wire of today, with their fields."""
    wire = layout(schema).names or ()
    return (
        (column, fields[column.name])
        for column in table_of(schema).columns
        if fields.get(column.name) in wire
    )


def _wire(value: Any, column: Column) -> Any:
    """A value of the client as the database has it."""
    if column.kind.sql == "TEXT":
        return str(value).strip("\0") or None
    number = int(value)
    if number == column.null:
        return None
    return Decimal(number).scaleb(-9).normalize() if column.kind is PRICE else number


async def stored(bench: Bench, schema: Schema) -> list[tuple[Any, ...]]:
    """The rows of the schema's table, as `decoded` spells them."""
    table, fields = table_of(schema), inverse_of(schema).fields
    rows = await bench.database.fetch(f"SELECT * FROM {table.name}")
    return sorted(
        (tuple(_kept(row, column) for column, _ in told(schema, fields)) for row in rows), key=repr
    )


def _kept(row: Any, column: Column) -> Any:
    value = row[column.name]
    if value is None:
        return None
    match column.kind.sql:
        case "TIMESTAMPTZ":
            below = f"{column.name}_ns"
            return nanoseconds(value, row[below] if below in row.keys() else 0)  # noqa: SIM118
        case "NUMERIC":
            return value.normalize()
        case "NUMERIC(20)":
            return int(value)
        case _:
            return value


def schema_of(path: Path) -> Schema:
    return Schema(path.name.split(".")[1])


@pytest.mark.parametrize("path", FILES)
async def test_a_real_file_is_stored_value_by_value(
    corpus: Path, timescale_bench: Bench, path: Path
) -> None:
    """Rows = the records of the file as the provider's own client decodes them, every field."""
    schema = schema_of(path)
    await timescale_bench.load(path)
    assert await stored(timescale_bench, schema) == decoded(path, schema)


async def test_all_real_files_load_on_plain_postgresql(corpus: Path, plain_bench: Bench) -> None:
    """Plain tables hold the same: of every file, stored = records in the file."""
    for param in FILES:
        (path,) = param.values
        receipts = await plain_bench.load(path)
        count = sum(1 for _ in databento.DBNStore.from_file(path))
        assert sum(each.stored for each in receipts) == count, path


async def test_opra_daily_bars_keep_four_publishers(corpus: Path, plain_bench: Bench) -> None:
    """Bars of one instrument and day that come from several publishers are several rows."""
    path = corpus / "OPRA.PILLAR" / "test_data.ohlcv-1d.dbn.zst"
    await plain_bench.load(path)
    found = await plain_bench.database.fetch("SELECT publisher_id FROM daily_ohlcv_data")
    assert len({row["publisher_id"] for row in found}) == 4


async def test_a_sample_with_a_limit_proves_no_coverage(corpus: Path, plain_bench: Bench) -> None:
    """A payload that was cut short by a limit says so in its receipt and covers no day."""
    path = corpus / "GLBX.MDP3" / "test_data.trades.dbn.zst"
    [receipt] = await plain_bench.load(path)
    covered = await plain_bench.database.fetchval("SELECT count(*) FROM ingest.coverage")
    assert (receipt.partial.startswith("limit"), covered) == (True, 0)
