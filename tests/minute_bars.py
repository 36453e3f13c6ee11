"""Minute bars of many days, a small file each: jobs of many chunks, and what they must store."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ingestor.simulator.market import DAY, INSTRUMENTS, bars
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Ask
from ingestor.store import ledger
from ingestor.store.database import Database
from ingestor.vocabulary import Priority, Schema
from tests.loads import write
from tests.values import Row, wire_rows

FIRST = 12_000
SCHEMA = Schema.OHLCV_1M


def write_days(
    folder: Path, count: int, *, first: int = FIRST, per_day: int = 5, seed: int = 2
) -> Counter[Row]:
    """So many weekdays from day number `first` on, a file each; the rows they stand for."""
    expected: Counter[Row] = Counter()
    days = (day for day in range(first, first + 2 * count + 7) if (day + 3) % 7 < 5)
    for _, day in zip(range(count), days, strict=False):
        start = day * DAY
        records = bars(SCHEMA, INSTRUMENTS, start, start + DAY, seed=seed, per_day=per_day)
        write(folder / f"{day}.dbn.zst", records, SCHEMA, start=start, end=start + DAY)
        expected.update(wire_rows(SCHEMA, records))
    return expected


async def record(
    database: Database, folder: Path, *, priority: Priority = Priority.NORMAL
) -> list[int]:
    """Records a job of the folder's files and queues none of them; its chunks' numbers."""
    plan = DbnFiles().plan(Ask(folder.name, priority, path=folder))
    accepted = await ledger.submit(database, plan, max_attempts=5)
    rows = await database.fetch(
        "SELECT chunk_id FROM ingest.chunks WHERE job_id = $1 ORDER BY chunk_id", accepted.job_id
    )
    return [row["chunk_id"] for row in rows]
