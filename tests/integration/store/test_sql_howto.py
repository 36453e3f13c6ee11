"""Every statement of the page on SQL works as it stands there, with a reader's login."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingestor.model import table_of
from ingestor.store.database import Database
from ingestor.vocabulary import Role, Schema
from tests.conftest import Place
from tests.stored import Told, keep
from tests.table_rows import put

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "sql.md"
MONDAY = dt.datetime(2024, 3, 11, tzinfo=dt.UTC)
ESM4, NQM4, GLBX = 17_077, 750, "GLBX.MDP3"


def blocks(language: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def as_grafana_asks(statement: str) -> str:
    """With the range of a dashboard that shows the first day."""
    return re.sub(
        r"\$__timeFilter\((\w+)\)",
        r"\1 BETWEEN '2024-03-11T00:00:00Z' AND '2024-03-12T00:00:00Z'",
        statement,
    )


async def fill(database: Database) -> None:
    """Two days of two contracts among 500 that have a name."""
    first, past = MONDAY.date(), MONDAY.date() + dt.timedelta(days=2)
    told = [Told(GLBX, "raw_symbol", f"S{n}", n, first, past) for n in range(20_000, 20_500)]
    told += [
        Told(GLBX, "raw_symbol", "ESM4", ESM4, first, past),
        Told(GLBX, "raw_symbol", "NQM4", NQM4, first, past),
        Told(GLBX, "continuous", "ES.c.0", ESM4, first, past),
    ]
    await keep(database, told)
    for schema in (Schema.TRADES, Schema.TBBO, Schema.OHLCV_1H):
        step = dt.timedelta(seconds=3600 if schema is Schema.OHLCV_1H else 86)
        rows = [_record(schema, MONDAY + at * step, at)
                for at in range(dt.timedelta(days=2) // step)]  # fmt: skip
        await put(database, table_of(schema), rows)
    both = {"ts_event": MONDAY, "ts_recv": MONDAY, "instrument_id": ESM4, "publisher_id": 1}
    settlement = both | {"stat_type": 3, "price": 5, "update_action": 1}
    await put(database, table_of(Schema.STATISTICS), [settlement])
    definition = both | {"raw_symbol": "ESM4", "asset": "ES", "instrument_class": "F"}
    await put(database, table_of(Schema.DEFINITION), [definition])


def _record(schema: Schema, time: dt.datetime, at: int) -> dict[str, Any]:
    """The `at`-th record, of the two contracts and ten others in turn."""
    who = (ESM4, NQM4, *range(20_000, 20_010))[at % 12]
    made = {"instrument_id": who, "publisher_id": 1, "ts_event": time, "ts_recv": time, "size": 2}
    made |= {name: Decimal("5000.25") for name in ("price", "bid_px_00", "ask_px_00")}
    made |= {f"{name}_price": Decimal(5000) for name in ("open", "high", "low", "close")}
    names = {column.name for column in table_of(schema).columns}
    return {name: value for name, value in made.items() if name in names}


@pytest.fixture
async def filled(any_place: Place) -> Place:
    async with any_place.open() as database:
        await fill(database)
    async with any_place.open(Role.OWNER) as owner, owner.connection() as connection:
        await connection.execute("ANALYZE ingest.symbol_intervals, public.trades_data")
    return any_place


async def test_its_statements_give_rows(filled: Place) -> None:
    """All of them: none is only for show."""
    panels = [each for each in blocks("text") if each.startswith("SELECT")]
    statements = [*blocks("sql"), *map(as_grafana_asks, panels)]
    async with filled.open(Role.READER) as database:
        empty = [each for each in statements if not await database.fetch(each)]
    assert (len(statements), len(panels)) == (16, 2)
    assert empty == []


async def test_its_plan_is_what_explain_says(place: Place) -> None:
    """Line for line, but for numbers of hypertable chunks and what the page leaves out."""
    async with place.open() as database:
        await fill(database)
    [statement] = [each for each in blocks("sql") if each.startswith("EXPLAIN")]
    [shown] = [each for each in blocks("text") if each.startswith("->")]
    async with place.open(Role.OWNER) as owner:
        async with owner.connection() as connection:
            await connection.execute("ANALYZE ingest.symbol_intervals, public.trades_data")
        plan = [_unnumbered(row[0]) for row in await owner.fetch(statement)]
    for line in shown.splitlines():
        told = _unnumbered(line).partition("…")[0].strip()
        assert [each for each in plan if told in each], line
    assert len([each for each in plan if "_chunk" in each]) == 1


def _unnumbered(line: str) -> str:
    return re.sub(r'_hyper_\d+_\d+_|"\d+_\d+_', "_hyper_#_", line)
