"""What the ledger tells of jobs, against the real one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import numpy as np
import pytest

from ingestor import insights
from ingestor.errors import UnknownJob
from ingestor.insights import (
    AmbiguousJob,
    chunks,
    failures,
    follow,
    job_names,
    job_status,
    jobs,
    presence_warnings,
    resolve_job,
    retries,
    workers,
)
from ingestor.simulator.market import DAY, MONDAY, make_trades
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Ask
from ingestor.store import ledger, presence
from ingestor.store.database import Database
from ingestor.vocabulary import ChunkState, JobState, Priority, Role
from tests.conftest import Place
from tests.loads import Bench, bench, write

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "reference" / "status.schema.json").read_text()
)


@pytest.fixture
async def loads(place: Place, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(place, tmp_path) as made:
        yield made


@pytest.fixture(autouse=True)
def fresh_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts are never kept here, so that every look is one."""
    monkeypatch.setattr(insights.counts, "CACHE_S", 0.0)


async def submitted(loads: Bench, folder: Path, name: str, *, days: int = 2) -> UUID:
    """A job of one chunk per day, 100 trades each."""
    parts = [make_trades(100, start=MONDAY + day * DAY, seed=day) for day in range(days)]
    records = np.concatenate(parts)
    path = write(folder / name / "x.dbn", records, days=days)
    ask = Ask(name, Priority.NORMAL, path=path, force=True, chunk_days=1)
    plan = DbnFiles().plan(ask)
    accepted = await ledger.submit(loads.database, plan, max_attempts=5)
    return accepted.job_id


async def chunk_ids(loads: Bench, job_id: UUID) -> list[int]:
    rows = await loads.database.fetch(
        "SELECT chunk_id FROM ingest.chunks WHERE job_id = $1 ORDER BY chunk_id", job_id
    )
    return [row["chunk_id"] for row in rows]


async def finished(loads: Bench, job_id: UUID) -> None:
    for chunk_id in await chunk_ids(loads, job_id):
        await loads.run(await loads.claim(chunk_id))
    await ledger.end_job(loads.database, job_id)


async def failed(loads: Bench, chunk_id: int, text: str = "the file is damaged") -> None:
    claim = await loads.claim(chunk_id)
    assert await ledger.fail(loads.database, claim, code="CorruptPayload", text=text)


async def test_a_status_follows_the_job_from_plan_to_end(loads: Bench, tmp_path: Path) -> None:
    """Every one validates; at the end fetched = stored + quarantined + already_stored."""
    job_id = await submitted(loads, tmp_path, "march")
    first, second = await chunk_ids(loads, job_id)

    planned = await job_status(loads.database, job_id)
    claim = await loads.claim(first)
    claimed = await job_status(loads.database, job_id)
    await loads.run(claim)
    half = await job_status(loads.database, job_id)
    await loads.run(await loads.claim(second))
    await ledger.end_job(loads.database, job_id)
    done = await job_status(loads.database, job_id)

    for each in (planned, claimed, half, done):
        jsonschema.validate(each.as_json(), SCHEMA)
    assert [each.state for each in (planned, claimed, half, done)] == [
        JobState.PENDING, JobState.RUNNING, JobState.RUNNING, JobState.COMPLETED,
    ]  # fmt: skip
    assert planned.chunks[ChunkState.PENDING] == 2
    assert claimed.chunks[ChunkState.IN_PROGRESS] == 1
    assert (half.records["stored"], done.records["stored"]) == (100, 200)
    assert done.total == done.ended_chunks == 2
    assert done.records["fetched"] == sum(
        done.records[name] for name in ("stored", "quarantined", "already_stored")
    )


async def test_an_ended_job_is_read_from_its_frozen_counts(loads: Bench, tmp_path: Path) -> None:
    """A job of a million chunks is not counted again whenever somebody looks."""
    job_id = await submitted(loads, tmp_path, "march")
    await finished(loads, job_id)
    before = await job_status(loads.database, job_id)
    async with loads.place.open(Role.OWNER) as owner, owner.connection() as connection:
        await connection.execute("TRUNCATE ingest.chunks CASCADE")

    after = await job_status(loads.database, job_id)
    assert (after.chunks, after.records) == (before.chunks, before.records)


async def test_the_reader_may_see_all_of_it(loads: Bench, tmp_path: Path) -> None:
    """Commands that look need no right to write."""
    job_id = await submitted(loads, tmp_path, "march")
    async with loads.place.open(Role.READER) as reader:
        assert (await job_status(reader, job_id)).total == 2
        assert await failures(reader, job_id) == []
        assert await retries(reader, job_id) == []
        assert await workers(reader) == []
        assert len(await presence_warnings(reader)) == 2


async def test_jobs_come_newest_first_and_by_state(loads: Bench, tmp_path: Path) -> None:
    """Open ones are counted, ended ones read."""
    old = await submitted(loads, tmp_path, "old")
    await finished(loads, old)
    new = await submitted(loads, tmp_path, "new", days=3)

    listed = await jobs(loads.database)
    assert [line.status.job_id for line in listed] == [new, old]
    assert [line.status.total for line in listed] == [3, 2]
    assert [line.status.name for line in await jobs(loads.database, limit=1)] == ["new"]
    ended = await jobs(loads.database, state=JobState.COMPLETED)
    assert [line.status.job_id for line in ended] == [old]
    assert await job_names(loads.database) == [(new, "new"), (old, "old")]


async def test_a_job_is_found_by_name_prefix_and_last(loads: Bench, tmp_path: Path) -> None:
    """With and without dashes, in any case."""
    old = await submitted(loads, tmp_path, "old")
    new = await submitted(loads, tmp_path, "new")

    async def found(text: str) -> UUID:
        return await resolve_job(loads.database, text)

    assert await found("old") == old
    assert await found("@last") == new
    assert await found(str(old)) == old
    assert await found(str(old)[:13]) == old
    assert await found(old.hex.upper()[:20]) == old


async def test_a_name_goes_before_a_prefix(loads: Bench, tmp_path: Path) -> None:
    """An id can be written out further, a name cannot."""
    other = await submitted(loads, tmp_path, "other")
    named = await submitted(loads, tmp_path, other.hex[:1])

    assert await resolve_job(loads.database, other.hex[:1]) == named


async def test_a_job_that_nobody_knows_is_told_with_near_ones(loads: Bench, tmp_path: Path) -> None:
    """And without any job, how to submit one."""
    with pytest.raises(UnknownJob, match="no job was submitted yet"):
        await resolve_job(loads.database, "@last")
    await submitted(loads, tmp_path, "march-trades")
    with pytest.raises(UnknownJob) as error:
        await resolve_job(loads.database, "march-trade")
    with pytest.raises(UnknownJob, match="no job has the id"):
        await job_status(loads.database, UUID(int=0))

    assert error.value.hint == "did you mean march-trades?"
    assert error.value.exit_code == 2


async def test_a_word_that_means_several_jobs_lists_them(loads: Bench, tmp_path: Path) -> None:
    """Enough of each id to choose by."""
    made = [await submitted(loads, tmp_path / str(n), "same", days=n) for n in (1, 2)]
    with pytest.raises(AmbiguousJob, match="'same' means several jobs") as error:
        await resolve_job(loads.database, "same")

    assert all(str(job_id)[:13] in error.value.message for job_id in made)


async def test_a_prefix_that_is_no_number_is_no_pattern(loads: Bench, tmp_path: Path) -> None:
    """`%` and `_` mean something to LIKE."""
    await submitted(loads, tmp_path, "march")
    for text in ("%", "_", "-", "' OR true --", "\0", "march\0"):
        with pytest.raises(UnknownJob, match="no job is called"):
            await resolve_job(loads.database, text)


async def test_chunks_are_told_page_by_page_and_by_state(loads: Bench, tmp_path: Path) -> None:
    """Every chunk once, in the order they were planned; those that ended with their receipt."""
    await submitted(loads, tmp_path, "other")
    job_id = await submitted(loads, tmp_path, "march", days=5)
    first, second, *rest = await chunk_ids(loads, job_id)
    await loads.run(await loads.claim(first))
    await failed(loads, second)

    async def ids(**chosen: Any) -> list[int]:
        return [line.chunk_id for line in await chunks(loads.database, job_id, **chosen)]

    assert await ids() == [first, second, *rest]
    assert await ids(limit=2) == [first, second]
    assert await ids(limit=2, after=second) == rest[:2]
    assert await ids(after=rest[-1]) == []
    assert await ids(states=[ChunkState.PENDING], after=rest[0]) == rest[1:]
    assert await ids(states=[ChunkState.FAILED, ChunkState.COMPLETED]) == [first, second]
    done, dead, *_ = await chunks(loads.database, job_id)
    assert done.receipt is not None
    assert (done.receipt["stored"], done.error_text, done.attempt) == (100, "", 1)
    assert (dead.receipt, dead.error_text) == (None, "the file is damaged")
    assert done.uri.endswith("x.dbn")


async def test_failures_say_what_and_why(loads: Bench, tmp_path: Path) -> None:
    """With the payload, so that somebody can mend it."""
    job_id = await submitted(loads, tmp_path, "march")
    first, second = await chunk_ids(loads, job_id)
    await failed(loads, first)
    claim = await loads.claim(second)
    how = ledger.Release("SourceUnavailable", "gone", 90, False, "retrying", True)
    await ledger.release(loads.database, claim, how)

    [dead] = await failures(loads.database, job_id)
    [again] = await retries(loads.database, job_id)
    assert (dead.chunk_id, dead.error_code, dead.error_text) == (
        first, "CorruptPayload", "the file is damaged",
    )  # fmt: skip
    assert dead.uri.endswith("x.dbn")
    assert (dead.attempts, dead.state) == (1, ChunkState.FAILED)
    assert (again.chunk_id, again.error_code) == (second, "SourceUnavailable")
    assert dead.again_in_s is None
    assert again.again_in_s is not None
    assert 60 < again.again_in_s <= 90

    await loads.database.fetch("UPDATE ingest.chunks SET not_before = clock_timestamp()")
    [due] = await retries(loads.database, job_id)
    assert due.again_in_s is None


async def test_workers_show_the_chunk_they_hold_and_its_rows(loads: Bench, tmp_path: Path) -> None:
    """As of the last heartbeat."""
    job_id = await submitted(loads, tmp_path, "march")
    await presence.seen(loads.database, presence.Process("w/1", "worker", "h", 1, "0.1"))
    claim = await loads.claim((await chunk_ids(loads, job_id))[0])
    await ledger.renew(loads.database, claim, lease_s=60, rows=40, bytes_=1)
    [worker] = await workers(loads.database)

    assert worker.online
    assert worker.work is not None
    assert (worker.work.chunk_id, worker.work.rows) == (claim.chunk_id, 40)
    assert (worker.work.job_id, worker.work.expected) == (job_id, 100)
    assert (worker.work.start, worker.work.end) == (MONDAY, MONDAY + DAY)


async def test_an_idle_worker_and_one_that_is_away_are_told_apart(loads: Bench) -> None:
    """Away: not heard of for 30 s by the database's clock."""
    for name in ("idle", "away"):
        await presence.seen(loads.database, presence.Process(name, "worker", "h", 1, "0.1"))
    await presence.seen(loads.database, presence.Process("s", "scheduler", "h", 1, "0.1"))
    await age(loads.database, "away", 31)
    await age(loads.database, "s", 40)
    online = {worker.name: worker.online for worker in await workers(loads.database)}
    told = [str(notice) for notice in await presence_warnings(loads.database)]

    assert online == {"idle": True, "away": False, "s": False}
    assert told == ["no scheduler for 40 s; start one with `hdi scheduler`"]


async def age(database: Database, worker: str, seconds: float) -> None:
    await database.fetch(
        "UPDATE ingest.workers SET last_seen = clock_timestamp() - make_interval(secs => $2)"
        " WHERE worker = $1",
        worker,
        seconds,
    )


async def test_progress_counts_what_is_under_way(loads: Bench, tmp_path: Path) -> None:
    """A job of one large chunk moves too; the last look is of its end."""
    job_id = await submitted(loads, tmp_path, "march")
    first, second = await chunk_ids(loads, job_id)
    await loads.run(await loads.claim(first))
    claim = await loads.claim(second)
    seen: list[tuple[int, int, bool]] = []
    async with aclosing(follow(loads.database, job_id, every_s=0.01)) as looks:
        async for progress in looks:
            jsonschema.validate(progress.as_json(), SCHEMA)
            seen.append((progress.rows, progress.expected, progress.status.final))
            if len(seen) == 1:
                await ledger.renew(loads.database, claim, lease_s=60, rows=40, bytes_=1)
            elif len(seen) == 2:
                await loads.run(claim)
                await ledger.end_job(loads.database, job_id)

    assert seen == [(100, 200, False), (140, 200, False), (200, 200, True)]


async def test_a_job_can_be_followed_over_a_restart_of_the_database(
    loads: Bench, tmp_path: Path
) -> None:
    """The job outlives it, and so does whoever watches."""
    job_id = await submitted(loads, tmp_path, "march")
    looks = 0
    async with aclosing(follow(loads.database, job_id, every_s=0.05)) as every:
        async for progress in every:
            looks += 1
            if looks == 1:
                await sessions_ended(loads.place)
            elif looks == 2:
                await finished(loads, job_id)
            assert looks < 10
            if progress.status.final:
                break

    assert looks == 3


async def sessions_ended(place: Place) -> None:
    """Ends all sessions of the worker's login, as a restart does."""
    async with place.open() as other:
        await other.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = current_user AND datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )
    await asyncio.sleep(0.05)


async def test_a_job_without_chunks_is_completed_with_zeros(loads: Bench) -> None:
    """Nothing left to do is an answer, too."""
    from ingestor.job import JobPlan

    plan = JobPlan("key", "none", "dbn-files", Priority.LOW, {}, ())
    accepted = await ledger.submit(loads.database, plan, max_attempts=5)
    await ledger.end_job(loads.database, accepted.job_id)
    status = await job_status(loads.database, accepted.job_id)

    jsonschema.validate(status.as_json(), SCHEMA)
    assert (status.state, status.total) == (JobState.COMPLETED, 0)
    assert np.sum(list(status.records.values())) == 0
