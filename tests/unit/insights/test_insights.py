"""Counts, rates and notices, without a database."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import jsonschema
import pytest

from ingestor.insights import JobStatus, Progress, counts, notices
from ingestor.insights.progress import Meter
from ingestor.receipt import JobCounts
from ingestor.store import insight_rows
from ingestor.store.database import Database, DatabaseOptions
from ingestor.store.insight_rows import Presence, Tally
from ingestor.vocabulary import ChunkState, JobState

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs" / "reference" / "status.schema.json").read_text()
)
RECORDS = ("fetched", "stored", "quarantined", "already_stored", "flagged")


def made_status(state: JobState = JobState.RUNNING) -> JobStatus:
    chunks = dict.fromkeys(ChunkState, 0) | {ChunkState.COMPLETED: 2, ChunkState.QUEUED: 1}
    return JobStatus(UUID(int=1), "march", state, chunks, dict.fromkeys(RECORDS, 7), 1.23456)


def test_the_status_object_is_exactly_that_of_the_contract() -> None:
    """Scripts read it: names, order and units are promised."""
    assert made_status().as_json() == {
        "schema_version": 1,
        "job_id": "00000000-0000-0000-0000-000000000001",
        "name": "march",
        "state": "running",
        "chunks": {
            "total": 3, "pending": 0, "queued": 1, "in_progress": 0, "retrying": 0, "completed": 2,
            "completed_empty": 0, "failed": 0, "cancelled": 0,
        },
        "records": dict.fromkeys(RECORDS, 7),
        "cost_usd": {"quoted": 0.0, "spent": 0.0},
        "elapsed_s": 1.235,
    }  # fmt: skip


def test_the_published_schema_is_one_and_fits_status_and_progress() -> None:
    """docs/reference/status.schema.json is what users validate against."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(made_status().as_json(), SCHEMA)
    jsonschema.validate(Progress(made_status(), 3, 10, 1.5, None).as_json(), SCHEMA)


@pytest.mark.parametrize("path", [("chunks", "lost"), ("records", "dropped"), ("extra",)])
def test_the_published_schema_lets_no_other_field_pass(path: tuple[str, ...]) -> None:
    """A field that nobody documented would be a promise that nobody made."""
    status: dict[str, Any] = made_status().as_json()
    place = status
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = 1

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(status, SCHEMA)


def test_every_state_has_its_place_in_the_published_schema() -> None:
    """A new state that is not published would break those who validate."""
    assert set(SCHEMA["properties"]["state"]["enum"]) == set(JobState)
    assert set(SCHEMA["properties"]["chunks"]["required"]) == {"total", *ChunkState}


def test_a_rate_needs_two_looks() -> None:
    """One look says how many, not how fast."""
    meter = Meter()

    assert meter.rate(10.0, 500) is None
    assert meter.rate(12.0, 900) == 200.0


def test_a_rate_forgets_what_was_half_a_minute_ago() -> None:
    """A fast beginning must not flatter a slow end."""
    meter = Meter()
    looks = {0.0: 0, 10.0: 10_000, 20.0: 10_100, 45.0: 10_350}
    rates = [meter.rate(at, rows) for at, rows in looks.items()]

    assert rates[-1] == 10.0


def test_a_rate_is_never_negative() -> None:
    """Rows go back where an attempt is given up."""
    meter = Meter()
    meter.rate(0.0, 1_000)

    assert meter.rate(1.0, 10) == 0.0


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Presence(2, 1, 3.0), []),
        (Presence(0, 1, 3.0), ["0 workers online; start one with `hdi worker`"]),
        (Presence(1, 0, 40.2), ["no scheduler for 40 s; start one with `hdi scheduler`"]),
        (Presence(1, 0, None), ["no scheduler online; start one with `hdi scheduler`"]),
    ],
)
def test_where_nobody_works_it_is_said_with_the_command(found: Presence, told: list[str]) -> None:
    """The most frequent reason why nothing moves."""
    assert [str(notice) for notice in notices(found)] == told


async def test_many_who_ask_share_one_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting a million chunks takes a fifth of a second; a page may have many readers."""
    asked = 0

    async def slow_tally(database: Database, job_id: UUID) -> Tally:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)
        return Tally(JobCounts({}), 0, 0)

    monkeypatch.setattr(insight_rows, "tally", slow_tally)
    database = Database(DatabaseOptions("postgresql://x/y"), name="hdi:test")
    impatient = asyncio.create_task(counts.tally(database, UUID(int=1)))
    others = [asyncio.create_task(counts.tally(database, UUID(int=1))) for _ in range(5)]
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.gather(*others)
    await counts.tally(database, UUID(int=2))

    assert asked == 2


async def test_a_count_is_made_anew_when_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that moves must be seen to move."""
    asked: list[UUID] = []

    async def tally(database: Database, job_id: UUID) -> Tally:
        asked.append(job_id)
        return Tally(JobCounts({}), 0, 0)

    monkeypatch.setattr(insight_rows, "tally", tally)
    monkeypatch.setattr(counts, "CACHE_S", 0.02)
    database = cast("Database", Database(DatabaseOptions("postgresql://x/y"), name="hdi:test"))
    await counts.tally(database, UUID(int=1))
    await asyncio.sleep(0.03)
    await counts.tally(database, UUID(int=1))

    assert len(asked) == 2
