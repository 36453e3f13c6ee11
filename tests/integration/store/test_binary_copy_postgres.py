"""The COPY encoder against PostgreSQL's own reading of the same values as text."""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingestor.model import TABLES, Column, Table, table_of
from ingestor.model.frame import Frame
from ingestor.model.kind import TEXT, UINT64_MAX
from ingestor.store.binary_copy import HEADER, TRAILER, columns_of, encode
from ingestor.store.database import Connection
from ingestor.store.schema import create_table
from ingestor.vocabulary import Schema
from tests.conftest import Place

CHUNK_ID = 2**31 - 1
I64 = 2**63
EDGES = {
    # The last is 2554-07-21, the end of what the wire can hold, inside TIMESTAMPTZ.
    "timestamp": [0, 1, 999, 1000, 946_684_800 * 10**9, I64 - 1, I64, I64 + 1, UINT64_MAX - 1000,
                  UINT64_MAX - 1],
    "timestamp, whole seconds": [0, 10**9, 1_710_115_200 * 10**9, 18_446_744_073 * 10**9],
    "price": [0, 1, -1, 9, 10, -10, 10**9, -(10**9), 10**9 - 1, 123_456_789, 10**13, 10**17,
              99_999 * 10**9, I64 - 2, 1 - I64, 2 - I64],
    "64-bit count": [0, 1, I64 - 1],
    "signed 64 bit": [0, 1, -1, -I64, 1 - I64, I64 - 2, I64 - 1],
    "unsigned 64 bit": [0, 1, 9999, 10_000, 10**16, I64 - 1, I64, I64 + 1, UINT64_MAX - 1,
                        UINT64_MAX],
    "unsigned 32 bit": [0, 1, 2**31, 2**32 - 2, 2**32 - 1],
    "signed 32 bit": [0, -1, -(2**31), 2**31 - 1],
    "unsigned 16 bit": [0, 65_535],
    "signed 16 bit": [0, -(2**15), 2**15 - 1],
    "unsigned 8 bit": [0, 255],
    "signed 8 bit": [0, -1, -128, 126, 127],
    "character": [0, 1, 65, 0x7F],
}  # fmt: skip


def frame_of(table: Table, values: dict[str, list[Any]], count: int) -> Frame:
    columns = {
        c.name: np.array(values[c.name], dtype="S" if c.kind is TEXT else c.kind.frame)
        for c in table.frame_columns
    }
    return Frame(
        table, columns, np.zeros(count, "V1"), np.arange(count, dtype=np.uint64),
        np.array(values["ordinal"], np.int16),
    )  # fmt: skip


def text_of(column: Column, value: Any) -> str | None:
    """A frame value as a person would write it in SQL, worked out with Python's own numbers."""
    if column.nullable and value == column.null:
        return None
    match column.kind.name:
        case "price":
            return str(Decimal(int(value)).scaleb(-9))
        case "timestamp" | "timestamp, whole seconds":
            seconds, below = divmod(int(value), 10**9)
            base = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
            return f"{base:%Y-%m-%d %H:%M:%S}.{below // 1000:06d}+00"
        case "character":
            return chr(value)
        case "text":
            return bytes(value).decode()
        case _:
            return str(int(value))


def texts(table: Table, values: dict[str, list[Any]], row: int) -> list[str | None]:
    made: list[str | None] = []
    for column in table.columns:
        if column.name == "chunk_id":
            made.append(str(CHUNK_ID))
        elif column.nanos_of is not None:
            time = int(values[column.nanos_of][row])
            made.append(None if table[column.nanos_of].null == time else str(time % 1000))
        else:
            made.append(text_of(column, values[column.name][row]))
    return made


async def differences(connection: Connection, table: Table, values: Any, count: int) -> list[Any]:
    """Rows that only one of the two ways made, both ways."""
    names = columns_of(table)
    casts = ", ".join(f"${at}::TEXT::{c.kind.sql}" for at, c in enumerate(table.columns, 1))
    async with connection.transaction():
        for name in ("binary_way", "text_way"):
            body = create_table(table).partition("(\n")[2].rpartition(",\n")[0]
            await connection.execute(f"CREATE TEMP TABLE {name} ({body}) ON COMMIT DROP")
        rows = encode(frame_of(table, values, count), chunk_id=CHUNK_ID)
        await connection.copy_to_table(
            "binary_way", columns=names, source=_once(HEADER + rows + TRAILER), format="binary"
        )
        await connection.executemany(
            f"INSERT INTO text_way ({', '.join(names)}) VALUES ({casts})",
            [texts(table, values, row) for row in range(count)],
        )
        return [
            tuple(row)
            for one, other in (("binary_way", "text_way"), ("text_way", "binary_way"))
            for row in await connection.fetch(f"TABLE {one} EXCEPT ALL TABLE {other}")
        ]


async def _once(content: bytes) -> Any:
    yield content


def edges(column: Column) -> list[Any]:
    if column.kind is TEXT:
        some = [b"1m", b"databento", b" A ", "é".encode(), b"\t\\N\n", b"x" * 71]
        return [*some, b""] if column.nullable else some
    found = list(EDGES[column.kind.name])
    return [*found, column.null] if column.null is not None else found


def edge_rows(table: Table, nulls: str) -> tuple[dict[str, list[Any]], int]:
    """Each column's edges in turn, so many rows as the longest list has."""
    columns = {c.name: edges(c) for c in table.frame_columns}
    if nulls != "mixed":
        for column in table.frame_columns:
            if column.null is not None:
                kept = [v for v in columns[column.name] if v != column.null]
                columns[column.name] = [column.null] if nulls == "all" else kept
    columns["ordinal"] = [0, 1, 32_767]
    count = max(len(values) for values in columns.values())
    return {
        name: [values[row % len(values)] for row in range(count)]
        for name, values in columns.items()
    }, count


@pytest.mark.parametrize("nulls", ["none", "mixed", "all"])
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_extreme_values_arrive_as_postgresql_itself_reads_them(
    plain_place: Place, table: Table, nulls: str
) -> None:
    """COPY of our bytes = INSERT of the same values as text, for the edges of every Kind."""
    values, count = edge_rows(table, nulls)
    async with plain_place.open() as database, database.connection() as connection:
        assert await differences(connection, table, values, count) == []


def any_value(column: Column) -> st.SearchStrategy[Any]:
    kind = column.kind
    if kind is TEXT:
        written = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
        return st.text(written, min_size=not column.nullable, max_size=17).map(str.encode)
    info = np.iinfo(kind.frame)
    low = int(info.min) if kind.lowest is None else kind.lowest
    high = int(info.max) if kind.highest is None else kind.highest
    inside = st.integers(low // kind.step, high // kind.step).map(lambda n: n * kind.step)
    return inside if column.null is None else st.one_of(inside, st.just(column.null))


@st.composite
def rows(draw: st.DrawFn, table: Table) -> tuple[dict[str, list[Any]], int]:
    count = draw(st.integers(1, 8))
    values = {
        c.name: draw(st.lists(any_value(c), min_size=count, max_size=count))
        for c in table.frame_columns
    }
    values["ordinal"] = draw(st.lists(st.integers(0, 32_767), min_size=count, max_size=count))
    return values, count


@settings(
    max_examples=40, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(data=st.data())
@pytest.mark.parametrize("schema", [Schema.OHLCV_1D, Schema.TRADES, Schema.TBBO, Schema.STATISTICS])
async def test_any_storable_value_arrives_as_postgresql_itself_reads_it(
    plain_place: Place, schema: Schema, data: st.DataObject
) -> None:
    """The same over the whole storable range of every column."""
    table = table_of(schema)
    values, count = data.draw(rows(table))
    async with plain_place.open() as database, database.connection() as connection:
        assert await differences(connection, table, values, count) == []


@pytest.mark.parametrize("schema", [Schema.TRADES, Schema.DEFINITION])
async def test_a_batch_without_rows_is_a_sound_copy(plain_place: Place, schema: Schema) -> None:
    """Header and trailer alone: what a chunk sends all of whose records are quarantined."""
    table = table_of(schema)
    empty: dict[str, list[Any]] = {c.name: [] for c in table.frame_columns} | {"ordinal": []}
    async with plain_place.open() as database, database.connection() as connection:
        content = HEADER + encode(frame_of(table, empty, 0), chunk_id=1) + TRAILER
        status = await connection.copy_to_table(
            table.name, columns=columns_of(table), source=_once(content), format="binary"
        )
        await asyncio.sleep(0)
    assert status == "COPY 0"
