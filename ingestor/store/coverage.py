"""Which whole UTC days of which symbols the database holds, as receipts have proven them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from ingestor.days import DayRange, DaySet, date_of_day, day_of
from ingestor.job import JobPlan
from ingestor.store.database import Connection, Database
from ingestor.store.queries import queries
from ingestor.vocabulary import ALL_SYMBOLS, Schema

_COVERAGE = queries("coverage")
_EVERY = "*"
"""How the ledger spells a request for all symbols."""


async def held(
    database: Database,
    dataset: str,
    schemas: Sequence[Schema],
    stype_in: str,
    symbols: Sequence[str],
) -> dict[tuple[Schema, str], DaySet]:
    """Held days by (schema, symbol); those of a request for all symbols under ALL_SYMBOLS.

    All symbols of a dataset are all of them, whatever their type was called.
    """
    rows = await database.fetch(
        _COVERAGE["held"], dataset, list(schemas), stype_in, [_spelled(each) for each in symbols]
    )
    found: dict[tuple[Schema, str], list[DayRange]] = defaultdict(list)
    for row in rows:
        symbol = ALL_SYMBOLS if row["symbol"] == _EVERY else row["symbol"]
        found[Schema(row["schema"]), symbol] += [_range(each) for each in row["days"]]
    return {key: DaySet(ranges) for key, ranges in found.items()}


async def underway(database: Database, plan: JobPlan) -> list[tuple[UUID, str]]:
    """Id and name of open jobs that are to fetch some of what the plan would, a few at most."""
    found: dict[UUID, str] = {}
    for request in plan.requests:
        if not request.chunks:
            continue
        rows = await database.fetch(
            _COVERAGE["underway"], request.dataset, request.schema, request.stype_in,
            list(request.symbols), Decimal(min(chunk.start for chunk in request.chunks)),
            Decimal(max(chunk.end for chunk in request.chunks)),
        )  # fmt: skip
        found.update({row["job_id"]: row["name"] for row in rows})
    return list(found.items())


async def cover(
    connection: Connection,
    *,
    dataset: str,
    schema: Schema,
    stype_in: str,
    symbols: Sequence[str],
    days: DaySet,
) -> None:
    """Adds the days that a complete payload proves; merged with what is held."""
    if not days or not symbols:
        return
    firsts = [date_of_day(first) for first, _ in days.ranges]
    pasts = [date_of_day(past) for _, past in days.ranges]
    spelled = [_spelled(each) for each in symbols]
    await connection.execute(
        _COVERAGE["cover"], dataset, schema, stype_in, spelled, firsts, pasts
    )  # fmt: skip


def _spelled(symbol: str) -> str:
    return _EVERY if symbol == ALL_SYMBOLS else symbol


def _range(days: Any) -> DayRange:
    first: dt.date = days.lower
    past: dt.date = days.upper
    return day_of(first), day_of(past)
