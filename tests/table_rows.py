"""Rows of any record table put in by hand, where a test is about reading and not about loading."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ingestor.model import Column, Table
from ingestor.store.database import Database

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def row(table: Table, values: Mapping[str, Any]) -> list[Any]:
    """The row's values in the table's order: what is not given is null, or else nothing much."""
    assert not values.keys() - {column.name for column in table.columns}
    return [values.get(column.name, _nothing(column)) for column in table.columns]


async def put(database: Database, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Stores rows in a record table."""
    places = ", ".join(f"${at}" for at, _ in enumerate(table.columns, start=1))
    names = ", ".join(column.name for column in table.columns)
    async with database.connection() as connection:
        await connection.executemany(
            f"INSERT INTO public.{table.name} ({names}) VALUES ({places})",
            [row(table, values) for values in rows],
        )


def _nothing(column: Column) -> Any:
    if column.nullable:
        return None
    if column.kind.sql == "TIMESTAMPTZ":
        return _EPOCH
    return "" if column.kind.sql == "TEXT" else 0
