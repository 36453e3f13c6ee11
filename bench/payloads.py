"""What is loaded: made from a seed, so that every run of every machine has the same records."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from rulesets import spoil

from ingestor.job import Claim, Contents, JobPlan
from ingestor.simulator import market
from ingestor.simulator.calendar import is_open
from ingestor.simulator.dbn_writer import write_dbn
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Ask
from ingestor.vocabulary import ChunkId, Fence, Priority, Schema

DATASET = "GLBX.MDP3"
SOURCE = "dbn-files"


def open_day(number: int) -> int:
    """The `number`-th day of trading from the first on (0), UTC nanoseconds at midnight."""
    day = market.MONDAY // market.DAY
    while number or not is_open(day):
        number -= is_open(day)
        day += 1
    return day * market.DAY


def write_trades(path: Path, count: int, seed: int, bad: float = 0.0, day: int = 0) -> Path:
    """One day of trades in one file, zstd, as the provider delivers it; a share of them is bad."""
    start = open_day(day)
    end = start + market.DAY
    trades = market.make_trades(count, seed=seed, start=start)
    spoil(trades, bad)
    return write_dbn(
        path,
        Schema.TRADES,
        trades,
        dataset=DATASET,
        start=start,
        end=end,
        symbols=[each.symbol for each in market.INSTRUMENTS],
        mappings=market.mappings(market.INSTRUMENTS, start, end),
    )


def write_trades_apart(path: Path, count: int, seed: int, bad: float = 0.0, day: int = 0) -> Path:
    """The same in a process of its own: making ten million takes more memory than loading them."""
    arguments = [str(path), str(count), str(seed), str(bad), str(day)]
    subprocess.run([sys.executable, __file__, *arguments], check=True)
    return path


def write_days(folder: Path, days: int, count: int, seed: int) -> Path:
    """So many days of trades, one file each, named as the provider names them."""
    folder.mkdir()
    for day in range(days):
        write_trades(folder / _named(open_day(day), Schema.TRADES), count, seed, day=day)
    return folder


def _named(day: int, schema: Schema) -> str:
    return f"glbx-mdp3-{date_of(day).replace('-', '')}.{schema}.dbn.zst"


def date_of(day: int) -> str:
    """``2024-03-11`` of UTC nanoseconds."""
    return f"{datetime.fromtimestamp(day // market.SECOND, UTC):%Y-%m-%d}"


def write_daily_bars(folder: Path, files: int, seed: int) -> Path:
    """So many days of daily bars, one file each, named as the provider names them."""
    folder.mkdir()
    day = market.MONDAY
    written = 0
    while written < files:
        end = day + market.DAY
        bars = market.bars(Schema.OHLCV_1D, market.INSTRUMENTS, day, end, seed=seed, per_day=1)
        if len(bars):
            write_dbn(
                folder / _named(day, Schema.OHLCV_1D),
                Schema.OHLCV_1D,
                bars,
                dataset=DATASET,
                start=day,
                end=end,
                symbols=[each.symbol for each in market.INSTRUMENTS],
                mappings=market.mappings(market.INSTRUMENTS, day, end),
            )
            written += 1
        day = end
    return folder


def plan(path: Path, *, again: bool = False) -> JobPlan:
    """The job that loads `path`; `again`: one that is not taken for the same."""
    job = DbnFiles().plan(Ask(name="bench", priority=Priority.NORMAL, path=path.absolute()))
    return replace(job, key=uuid4().hex) if again else job


def require_records(path: Path, count: int) -> None:
    """Raises RuntimeError where the file does not hold exactly so many records."""
    found = contents_of(plan(path)).records
    if found != count:
        raise RuntimeError(f"{path.name} holds {found} records, not {count}")


def contents_of(job: JobPlan) -> Contents:
    """What the check pass found in the only chunk of `job`."""
    contents = job.requests[0].chunks[0].contents
    assert contents is not None
    return contents


def claim_of(job: JobPlan) -> Claim:
    """A claim on the only chunk of `job`, without a ledger, for the rooms before the load."""
    request = job.requests[0]
    (chunk,) = request.chunks
    return Claim(
        chunk_id=ChunkId(1),
        job_id=UUID(int=1),
        fence=Fence(1),
        attempt=1,
        max_attempts=1,
        lost_count=0,
        deferrals=0,
        first_deferred_s=0,
        source=job.source,
        dataset=request.dataset,
        schema=request.schema,
        stype_in=request.stype_in,
        symbols=request.symbols,
        start=chunk.start,
        end=chunk.end,
        last_slice=True,
        expected=contents_of(job).records,
        payload=chunk.payload,
        predecessors=chunk.predecessors,
        partial=chunk.partial,
    )


if __name__ == "__main__":
    write_trades(
        Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
    )
