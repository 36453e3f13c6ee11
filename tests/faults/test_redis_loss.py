"""FLUSHALL with 200 chunks queued: the job completes without a person, every row once."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import redis

from ingestor.broker import Broker
from ingestor.settings import Settings
from ingestor.simulator.market import DAY, INSTRUMENTS, bars
from ingestor.store.database import Database
from ingestor.vocabulary import Schema
from tests.acceptance.commands import submit
from tests.conftest import environment
from tests.loads import write
from tests.processes import fleet, job_ended, until

CHUNKS = 200
FIRST = 19_000
_PRICES = ("open", "high", "low", "close")
Row = tuple[object, ...]


def write_days(folder: Path, count: int) -> Counter[Row]:
    """Minute bars of so many days, a file each; the records as plain values."""
    expected: Counter[Row] = Counter()
    days = (FIRST + n for n in range(400) if (FIRST + n + 3) % 7 < 5)
    for _, day in zip(range(count), days, strict=False):
        start = day * DAY
        records = bars(Schema.OHLCV_1M, INSTRUMENTS, start, start + DAY, seed=2, per_day=10)
        write(folder / f"{day}.dbn.zst", records, Schema.OHLCV_1M, start=start, end=start + DAY)
        expected.update(map(_values, records))
    return expected


def _values(record: np.void) -> Row:
    return (
        int(record["instrument_id"]), int(record["ts_event"]) // 10**9, int(record["volume"]),
        int(record["publisher_id"]),
        *(Decimal(int(record[name])).scaleb(-9) for name in _PRICES),
    )  # fmt: skip


async def stored(database: Database) -> Counter[Row]:
    rows = await database.fetch(
        "SELECT instrument_id, extract(epoch FROM ts_event)::BIGINT, volume, publisher_id,"
        " open_price, high_price, low_price, close_price FROM ohlcv_1m_data"
    )
    return Counter(tuple(row) for row in rows)


@pytest.mark.timeout(240)
async def test_a_job_whose_200_messages_redis_forgot_completes_without_a_person(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """The ledger knows what was queued; the scheduler notices that the queue does not."""
    expected = write_days(tmp_path / "dbn", CHUNKS)
    wide = {"HDI_SCHEDULER__WINDOW_MIN": "500"}
    with fleet(settings, tmp_path) as started:
        said = submit({**environment(settings), **wide}, "--path", tmp_path / "dbn")
        assert said.code == 0, said
        broker = Broker(settings)
        assert len(broker.held()) == CHUNKS
        client = redis.Redis.from_url(settings.redis_dsn())
        client.flushall()
        client.close()
        assert not broker.held()
        broker.close()
        scheduler = started.scheduler(**wide)

        async def noticed() -> bool:
            return "messages lost" in scheduler.text()

        await until("the scheduler notices", noticed, timeout_s=60, fleet=started)
        started.worker("one")
        started.worker("two")
        await job_ended(database, started, timeout_s=150)
    job = await database.fetchrow("SELECT state, counts FROM ingest.jobs")
    assert job is not None
    assert job["state"] == "completed"
    assert job["counts"]["chunks"] == {"completed": CHUNKS}
    records = job["counts"]["records"]
    assert records["fetched"] == records["stored"] == expected.total()
    assert records["already_stored"] == 0
    attempts = await database.fetchval("SELECT count(*) FROM ingest.attempts")
    assert attempts == CHUNKS
    assert await stored(database) == expected


@pytest.mark.timeout(240)
async def test_a_queue_forgotten_while_workers_are_at_it_loses_and_doubles_nothing(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """FLUSHALL takes the unacknowledged messages of chunks under way, too."""
    expected = write_days(tmp_path / "dbn", 60)
    env = {**environment(settings), "HDI_SCHEDULER__WINDOW_MIN": "500"}
    client = redis.Redis.from_url(settings.redis_dsn())
    with fleet(settings, tmp_path) as started:
        assert submit(env, "--path", tmp_path / "dbn").code == 0
        started.scheduler()
        started.worker("one")
        started.worker("two")

        async def some_done() -> bool:
            return await database.fetchval(
                "SELECT EXISTS (SELECT 1 FROM ingest.chunks WHERE state = 'completed')"
            )

        await until("some chunks are done", some_done, timeout_s=60, fleet=started)
        client.flushall()
        client.close()
        await job_ended(database, started, timeout_s=150)
    counts = await database.fetchval("SELECT counts FROM ingest.jobs")
    assert counts["chunks"] == {"completed": 60}
    assert counts["records"]["stored"] == expected.total()
    assert await stored(database) == expected
