"""How the server reads a key space: by hypertable chunks of its bounds, and no others."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from ingestor.model import STORED, table_of
from ingestor.simulator.market import DAY, MONDAY
from ingestor.store.key_space_sql import days_statement, held_statement, remove_statement
from ingestor.store.merge import stage_statement
from ingestor.store.queries import queries
from ingestor.vocabulary import Schema
from tests.loads import Bench, write
from tests.made import made

LOW = dt.datetime(2024, 3, 12, tzinfo=dt.UTC)


@pytest.mark.timescaledb
@pytest.mark.parametrize("everything", [False, True], ids=["instruments", "everything"])
@pytest.mark.parametrize("schema", STORED)
async def test_a_forced_load_looks_into_the_hypertable_chunks_of_its_days_only(
    timescale_bench: Bench, tmp_path: Path, schema: Schema, everything: bool
) -> None:
    """Of several chunks of the table only the one that holds the day shows in any plan."""
    table = table_of(schema)
    step = max(table.interval_days, 1) * DAY
    days = 2 * table.interval_days + 1
    records = made(schema, 3, step=step, start=MONDAY + DAY)
    path = write(tmp_path / "x.dbn", records, schema, days=days + 1)
    await timescale_bench.load(path)
    bounds = (LOW, LOW + dt.timedelta(days=1))
    day = MONDAY // DAY + 1
    async with timescale_bench.database.connection() as connection, connection.transaction():
        await connection.execute(queries("force")["make_space"])
        await connection.execute(stage_statement(table))
        for made_statement, values in (
            (days_statement, ()), (held_statement, ([day],)), (remove_statement, ([day], 1)),
        ):  # fmt: skip
            statement = made_statement(table, everything=everything)
            plan = await connection.fetch(f"EXPLAIN {statement}", [1], *bounds, *values)
            text = "\n".join(row[0] for row in plan)
            assert len(set(re.findall(r"_hyper_\d+_\d+_chunk\b", text))) == 1, text
