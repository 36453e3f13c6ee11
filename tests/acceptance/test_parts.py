"""A file cut in two at any record: its parts, loaded at once, store what the whole file would."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import redis

from ingestor.simulator.market import Instrument, make_trades
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Ask
from ingestor.store import ledger
from ingestor.store.database import Database
from ingestor.vocabulary import Priority
from tests.acceptance.commands import ask
from tests.conftest import Servers, _place, make_settings
from tests.loads import cut
from tests.processes import fleet, job_ended

Row = tuple[Any, ...]
INSTRUMENTS = (Instrument("ESM4", 1), Instrument("NQM4", 2))
_COPIES = (1, 3, 1, 2, 4)
_WHOLE = 0
_STEP = 10


def awkward_trades() -> npt.NDArray[np.void]:
    """Runs of one to four trades of one microsecond: alike, apart by nanoseconds, interleaved."""
    found = []
    for place, model in enumerate(make_trades(30, seed=5, instruments=INSTRUMENTS)):
        for copy in range(_COPIES[place % 5]):
            one = model.copy()
            for name in ("ts_event", "ts_recv"):
                one[name] = one[name] // 1000 * 1000 + (0, copy, copy // 2)[place % 3]
            found.append(one)
            if place % 4 == 1:
                other = one.copy()
                other["instrument_id"] = 3
                found.append(other)
    return np.array(found, make_trades(1).dtype)


RECORDS = awkward_trades()
BORDERS = range(1, len(RECORDS))


def expected_rows() -> Counter[Row]:
    """What the whole file is, as plain values; ordinals counted here, not by the product."""
    seen: Counter[Row] = Counter()
    rows: Counter[Row] = Counter()
    for record in RECORDS:
        key = (
            int(record["instrument_id"]), int(record["ts_event"]) // 1000,
            int(record["ts_recv"]) // 1000, int(record["sequence"]), int(record["publisher_id"]),
        )  # fmt: skip
        below = tuple(int(record[name]) % 1000 for name in ("ts_event", "ts_recv"))
        rows[*key, seen[key], *below, int(record["price"]), int(record["size"])] += 1
        seen[key] += 1
    return rows


async def stored_rows(database: Database) -> dict[int, Counter[Row]]:
    """Rows of each cut, with the instrument ids that they were before they were moved apart."""
    found: dict[int, Counter[Row]] = defaultdict(Counter)
    rows = await database.fetch(
        "SELECT instrument_id, (extract(epoch FROM ts_event) * 1000000)::BIGINT,"
        " (extract(epoch FROM ts_recv) * 1000000)::BIGINT, sequence, publisher_id, ordinal,"
        " ts_event_ns, ts_recv_ns, (price * 1000000000)::BIGINT, size FROM trades_data"
    )
    for instrument_id, *values in rows:
        found[instrument_id // _STEP][instrument_id % _STEP, *values] += 1
    return found


async def submit(database: Database, folder: Path, *, force: bool = False) -> None:
    plan = DbnFiles().plan(Ask("parts", Priority.NORMAL, path=folder, force=force))
    await ledger.submit(database, plan, max_attempts=5)


@dataclass(frozen=True)
class Loaded:
    """Rows by border after the first load and after the second; records by job and kind."""

    first: dict[int, Counter[Row]]
    second: dict[int, Counter[Row]]
    records: list[dict[str, int]]
    workers: set[str]


@pytest.fixture(scope="module")
def loaded(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """The file whole and cut at every border, each with instrument ids of its own.

    Two worker processes load all of it at once, and then once more.
    """
    home = tmp_path_factory.mktemp("parts")
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushall()
    folders = []
    for border in (_WHOLE, *BORDERS):
        moved = RECORDS.copy()
        moved["instrument_id"] += border * _STEP
        folders.append(cut(home / f"at-{border}", moved, [border] if border else []))
    for place in _place(servers):
        settings = make_settings(place, servers.redis_url, home)
        with fleet(settings, home) as started:
            started.worker("one")
            started.worker("two")
            started.scheduler()

            async def load(database: Database, *, force: bool) -> dict[int, Counter[Row]]:
                for folder in folders:
                    await submit(database, folder, force=force)
                await job_ended(database, started, timeout_s=150)
                return await stored_rows(database)

            first = ask(place, lambda database: load(database, force=False))
            second = ask(place, lambda database: load(database, force=True))
        yield Loaded(first, second, ask(place, _records), ask(place, _workers))


async def _records(database: Database) -> list[dict[str, int]]:
    rows = await database.fetch("SELECT counts FROM ingest.jobs ORDER BY created_at")
    return [row["counts"]["records"] for row in rows]


async def _workers(database: Database) -> set[str]:
    rows = await database.fetch("SELECT DISTINCT worker FROM ingest.attempts")
    return {row["worker"] for row in rows}


def test_the_whole_file_is_stored_trade_by_trade(loaded: Loaded) -> None:
    """Trades that differ in nothing, or in nanoseconds only, are rows of their own."""
    assert loaded.first[_WHOLE] == expected_rows()
    assert max(row[5] for row in loaded.first[_WHOLE]) == 3


@pytest.mark.parametrize("border", BORDERS)
def test_two_parts_store_what_the_whole_file_would_with_the_same_ordinals(
    loaded: Loaded, border: int
) -> None:
    """Wherever it was cut, and whichever part was loaded first."""
    assert loaded.first[border] == loaded.first[_WHOLE] != Counter()


@pytest.mark.parametrize("border", [_WHOLE, *BORDERS])
def test_loaded_twice_nothing_is_there_twice(loaded: Loaded, border: int) -> None:
    assert loaded.second[border] == loaded.first[border]


def test_the_second_load_finds_every_record_stored_already(loaded: Loaded) -> None:
    again = loaded.records[len(loaded.records) // 2 :]

    assert {each["already_stored"] for each in again} == {len(RECORDS)}
    assert {each["stored"] for each in again} == {0}


def test_two_worker_processes_took_part(loaded: Loaded) -> None:
    assert len({name.partition("@")[0] for name in loaded.workers}) == 2
