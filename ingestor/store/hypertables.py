"""Hypertable chunks, made before they are loaded into.

Creating one blocks every other creation until commit, and in random order inside load transactions
6 of 8 writers deadlocked. So missing ones are made ahead: ascending, one short transaction each,
under an advisory lock per table (0 deadlocks in 12 rounds × 8 writers).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable
from functools import cache

from ingestor.model import Column, Table
from ingestor.store.database import Connection, Database
from ingestor.store.queries import queries
from ingestor.store.schema import qualified

_HYPERTABLES = queries("hypertables")
_EPOCH = dt.date(1970, 1, 1)


async def has_timescaledb(database: Database) -> bool:
    """Whether the extension is there."""
    return bool(await database.fetchval(_HYPERTABLES["extension"]))


async def prepare(database: Database, table: Table, days: Iterable[int]) -> int:
    """Makes the hypertable chunks that rows of those days (since 1970) need; how many it made.

    Does nothing where the table is a plain one.
    """
    wanted = [_midnight(day) for day in sorted(days)]
    async with database.connection() as connection:
        if not wanted or not await _is_hypertable(connection, table, database.facts["hypertables"]):
            return 0
        made = 0
        while missing := await connection.fetchval(
            _HYPERTABLES["first_missing"], table.name, wanted
        ):
            await _make(connection, table, missing)
            wanted = [day for day in wanted if day >= missing]
            made += 1
        return made


async def _is_hypertable(connection: Connection, table: Table, known: set[Hashable]) -> bool:
    """Whether it is one: it stays one then."""
    if table.name in known:
        return True
    # Two steps: without the extension its views do not exist.
    if not await connection.fetchval(_HYPERTABLES["extension"]):
        return False
    if not await connection.fetchval(_HYPERTABLES["is_hypertable"], table.name):
        return False
    known.add(table.name)
    return True


async def _make(connection: Connection, table: Table, time: dt.datetime) -> None:
    # `create_chunk()` is refused under the Apache licence; a row that comes and goes is not.
    async with connection.transaction():
        await connection.execute(_HYPERTABLES["own_creation"], table.name)
        if await connection.fetchval(_HYPERTABLES["first_missing"], table.name, [time]):
            await connection.execute(_insert(table), time)
            await connection.execute(_delete(table), time)


@cache
def _insert(table: Table) -> str:
    names = ", ".join(column.name for column in table.columns)
    values = ", ".join(_filler(column, table) for column in table.columns)
    return f"INSERT INTO {qualified(table)} ({names}) VALUES ({values})"


@cache
def _delete(table: Table) -> str:
    same = " AND ".join(f"{name} = {_filler(table[name], table)}" for name in table.key)
    return f"DELETE FROM {qualified(table)} WHERE {same}"


def _filler(column: Column, table: Table) -> str:
    if column.name == table.time_column:
        return "$1"
    if column.nullable and column.name not in table.key:
        return "NULL"
    match column.kind.sql:
        case "TIMESTAMPTZ":
            return "'epoch'::TIMESTAMPTZ"
        case "TEXT":
            return "''"
        case _:
            return "0"


def _midnight(day: int) -> dt.datetime:
    return dt.datetime.combine(_EPOCH + dt.timedelta(days=day), dt.time(), dt.UTC)
