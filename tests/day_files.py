"""Trades of many days, a file each: a job of a chunk per file, and what it must store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from ingestor.simulator.market import DAY, INSTRUMENTS, MONDAY, mappings, trades
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Ask
from ingestor.store import ledger
from ingestor.store.database import Database
from ingestor.vocabulary import Priority, Schema
from tests.loads import write
from tests.values import Row, wire_rows

FIRST_DAY: Final = MONDAY // DAY


def write_days(
    folder: Path, count: int, *, first: int = 0, per_day: int = 100, seed: int = 1
) -> Mapping[str, Counter[Row]]:
    """Trades of `count` weekdays, the first of them the `first`th from 2024-03-11 on, a file each.

    Returns:
        What the tables must hold of them, for `check_invariants`.
    """
    expected: Counter[Row] = Counter()
    for number, day in zip(range(first + count), weekdays(), strict=False):
        if number < first:
            continue
        start = day * DAY
        records = trades(INSTRUMENTS, start, start + DAY, seed=seed, per_day=per_day)
        write(
            folder / f"{day}.dbn.zst", records, start=start, end=start + DAY,
            symbols=[each.symbol for each in INSTRUMENTS],
            mappings=mappings(INSTRUMENTS, start, start + DAY),
        )  # fmt: skip
        expected += wire_rows(Schema.TRADES, records)
    return {Schema.TRADES: expected}


def weekdays() -> Iterator[int]:
    """Days since 1970 on which there is trading."""
    return (FIRST_DAY + n for n in range(3_650) if (FIRST_DAY + n + 3) % 7 < 5)


async def submit_files(database: Database, folder: Path, *, max_attempts: int = 5) -> list[int]:
    """Records a job of the folder's files, as `hdi-submit` does; numbers of its chunks."""
    plan = DbnFiles().plan(Ask(uuid4().hex, Priority.NORMAL, path=folder))
    accepted = await ledger.submit(database, plan, max_attempts=max_attempts)
    return await chunks_of(database, accepted.job_id)


async def chunks_of(database: Database, job_id: UUID) -> list[int]:
    """Numbers of a job's chunks, in the order of the plan."""
    rows = await database.fetch(
        "SELECT chunk_id FROM ingest.chunks WHERE job_id = $1 ORDER BY 1", job_id
    )
    return [row["chunk_id"] for row in rows]
