"""Two workers with different host names share a job of 1,000 chunks of bars."""

from __future__ import annotations

from pathlib import Path

from ingestor.settings import Settings
from ingestor.simulator.dbn_writer import write_dbn
from ingestor.simulator.market import INSTRUMENTS, bars, mappings
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Ask
from ingestor.store import ledger
from ingestor.store.database import Database
from ingestor.vocabulary import Priority, Schema
from tests.processes import fleet, job_ended, until

DAY = 86_400 * 10**9
FIRST = 18_000
FILES = 1_000


def write_files(folder: Path) -> dict[tuple[int, int], tuple[int, ...]]:
    """Minute bars, a file per day; what is in them: (instrument, second) → values."""
    expected = {}
    for day in range(FIRST, FIRST + FILES):
        start = day * DAY
        records = bars(Schema.OHLCV_1M, INSTRUMENTS, start, start + DAY, seed=day, per_day=20)
        write_dbn(
            folder / f"{day}.dbn.zst", "ohlcv-1m", records, dataset="GLBX.MDP3", start=start,
            end=start + DAY, symbols=[each.symbol for each in INSTRUMENTS],
            mappings=mappings(INSTRUMENTS, start, start + DAY),
        )  # fmt: skip
        for record in records:
            key = (int(record["instrument_id"]), int(record["ts_event"]) // 10**9)
            names = ("open", "high", "low", "close", "volume", "publisher_id")
            expected[key] = tuple(int(record[name]) for name in names)
    return expected


async def stored(database: Database) -> dict[tuple[int, int], tuple[int, ...]]:
    rows = await database.fetch(
        "SELECT instrument_id, extract(epoch FROM ts_event)::BIGINT AS second, publisher_id,"
        " volume,"
        " (open_price * 1000000000)::BIGINT AS o, (high_price * 1000000000)::BIGINT AS h,"
        " (low_price * 1000000000)::BIGINT AS l, (close_price * 1000000000)::BIGINT AS c"
        " FROM ohlcv_1m_data"
    )
    return {
        (row["instrument_id"], row["second"]): (
            row["o"], row["h"], row["l"], row["c"], row["volume"], row["publisher_id"],
        )
        for row in rows
    }  # fmt: skip


async def test_two_workers_share_a_thousand_chunks_and_every_row_is_as_in_the_files(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """Both take part; rows equal the files' records, value by value; receipts add up."""
    folder = tmp_path / "dbn"
    folder.mkdir()
    expected = write_files(folder)
    plan = DbnFiles().plan(Ask(name="bars", priority=Priority.NORMAL, path=folder))
    assert plan.chunk_count == FILES
    await ledger.submit(database, plan, max_attempts=5)
    with fleet(settings, tmp_path) as started:
        started.worker("alpha@first-host")
        started.worker("beta@second-host")

        async def both_online() -> bool:
            found = await database.fetch("SELECT DISTINCT host FROM ingest.workers")
            return {row["host"] for row in found} >= {"alpha@first-host", "beta@second-host"}

        await until("both workers are online", both_online, timeout_s=60, fleet=started)
        started.scheduler()
        await job_ended(database, started, timeout_s=180)
    shares = await database.fetch(
        "SELECT split_part(worker, '/', 1) AS host, count(*) AS chunks FROM ingest.attempts"
        " WHERE outcome LIKE 'completed%' GROUP BY 1"
    )
    assert {row["host"] for row in shares} == {"alpha@first-host", "beta@second-host"}
    assert sum(row["chunks"] for row in shares) == FILES
    assert min(row["chunks"] for row in shares) > FILES // 10
    counts = await database.fetchval("SELECT counts FROM ingest.jobs")
    assert counts["records"]["stored"] == counts["records"]["fetched"] == len(expected)
    assert await stored(database) == expected
