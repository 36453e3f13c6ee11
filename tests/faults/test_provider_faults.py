"""A provider that misbehaves: what passes is waited out, what does not is told at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingestor.settings import Settings
from ingestor.simulator.server import Gateway
from ingestor.store.database import Database
from ingestor.vocabulary import Schema
from tests.acceptance.commands import Said, submit
from tests.gateways import IMPATIENT, facing, gateway, streams
from tests.invariants import check_invariants
from tests.processes import Fleet, fleet
from tests.values import served

__all__ = ["gateway"]
pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]
REQUEST = ("--dataset", "GLBX.MDP3", "--schema", "trades", "--symbols", "ESM4")
FORTNIGHT = ("--start", "2024-03-11", "--end", "2024-03-23")
DAY = ("--start", "2024-03-11", "--end", "2024-03-12")
ROWS = {Schema.TRADES: served(Schema.TRADES, "2024-03-11", "2024-03-23", "ESM4")}
"""What the fortnight holds."""
FIRST_DAY = {Schema.TRADES: served(Schema.TRADES, "2024-03-11", "2024-03-12", "ESM4")}


@pytest.fixture
def facts(settings: Settings, gateway: Gateway) -> Settings:
    """A failing call is given up soon; a silent one is not, however busy the machine is."""
    return facing(settings, gateway, patience_s=IMPATIENT["patience_s"])


@contextmanager
def working(facts: Settings, folder: Path) -> Iterator[Fleet]:
    with fleet(facts, folder) as made:
        made.worker()
        made.scheduler()
        yield made


@pytest.fixture
def service(facts: Settings, tmp_path: Path) -> Iterator[Fleet]:
    with working(facts, tmp_path) as made:
        yield made


def wait(settings: Settings, *arguments: object) -> Said:
    return submit(settings, *REQUEST, *arguments, "--wait", "--timeout", "90", "--json")


PASSING = [
    {"kind": "status", "status": 429, "retry_after": 1},
    {"kind": "status", "status": 429, "retry_after": 2, "retry_as": "date"},
    {"kind": "status", "status": 503, "retry_after": 1},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 504, "body": "empty"},
    {"kind": "status", "status": 500, "body": "html"},
    {"kind": "status", "status": 502, "body": "list"},
    {"kind": "status", "status": 408},
    {"kind": "reset"},
    {"kind": "slow", "delay_s": 1},
    {"kind": "slow", "bytes_per_s": 2_000},
    {"kind": "slow", "delay_s": 4},
]
METHODS = ("timeseries.get_range", "metadata.get_record_count")


@pytest.mark.parametrize("method", METHODS)
async def test_what_passes_does_not_keep_a_job_from_completing(
    settings: Settings, gateway: Gateway, database: Database, tmp_path: Path, method: str
) -> None:
    """429 with seconds and with a date, 503, 504, resets, slow bodies, pages, lists as errors."""
    facts = facing(settings, gateway, **IMPATIENT)
    for fault in PASSING:
        gateway.fault(method=method, **fault)
    with working(facts, tmp_path) as service:
        said = wait(facts, *FORTNIGHT)
        assert said.code == 0, said.err + service.logs_text()
        await check_invariants(database, expected=ROWS, fleet=service)
    assert gateway.waiting_faults() == []
    hit = {fault for each in gateway.requests() for fault in each.faults}
    assert hit == {str(fault["kind"]) for fault in PASSING}


TRUNCATIONS = [
    {"kind": "cut", "how": "clean", "at": 600},
    {"kind": "cut", "how": "chunked", "at": 600},
    {"kind": "cut", "how": "length", "at": 600},
    {"kind": "cut", "how": "eof", "at": 600},
    {"kind": "cut_records", "records": 20},
    {"kind": "missing_records"},
    {"kind": "corrupt"},
    {"kind": "empty"},
    {"kind": "wrong_count", "method": "metadata.get_record_count"},
]


def day_of(number: int) -> dict[str, str]:
    """The session of that number; the fortnight's weekend lies behind the fifth."""
    return {"start": f"2024-03-{11 + number + 2 * (number > 4)}"}


async def test_no_truncation_ends_as_completed_and_all_are_mended(
    facts: Settings, service: Fleet, gateway: Gateway, database: Database
) -> None:
    """Each costs an attempt; what is stored in the end is every record, and no part is left."""
    for number, fault in enumerate(TRUNCATIONS):
        gateway.fault(match=day_of(number), **fault)
    said = wait(facts, *FORTNIGHT)
    assert said.code == 0, said.err + service.logs_text()
    assert gateway.waiting_faults() == []
    await check_invariants(database, expected=ROWS, fleet=service)
    retried = await database.fetch(
        "SELECT error_code FROM ingest.attempts WHERE outcome = 'retrying'"
    )
    # A body shorter than its Content-Length that brings no byte at all is asked for again at once.
    assert len(retried) == len(TRUNCATIONS) - 1


async def test_a_provider_that_never_delivers_whole_ends_in_dead_letters(
    facts: Settings, service: Fleet, gateway: Gateway, database: Database
) -> None:
    """Each kind of damage for a day of its own, for ever: nothing of those days is stored."""
    for number, fault in enumerate(TRUNCATIONS):
        gateway.fault(match=day_of(number), count=None, **fault)
    said = wait(facts, *FORTNIGHT)
    assert said.code == 3, said.err
    assert (said.json["chunks"]["failed"], said.json["records"]["stored"]) == (9, 50)
    last = served(Schema.TRADES, "2024-03-22", "2024-03-23", "ESM4")
    await check_invariants(database, expected={Schema.TRADES: last}, fleet=service)
    letters = await database.fetch("SELECT attempts, error_code FROM ingest.dead_letters")
    told = Counter(tuple(row) for row in letters)
    assert told == {(5, "TruncatedPayload"): 8, (5, "SourceUnavailable"): 1}


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, 4, "AuthenticationFailed"),
        (403, 4, "AuthenticationFailed"),
        (402, 5, "PaymentRequired"),
        (422, 3, "SourceRefused"),
    ],
)
async def test_a_refusal_is_taken_at_its_word(
    facts: Settings, service: Fleet, gateway: Gateway, database: Database,
    status: int, code: int, error: str,
) -> None:  # fmt: skip
    """One attempt a chunk; where the key or the account is refused, one for the whole job."""
    gateway.fault("status", status=status, count=None)
    said = wait(facts, *FORTNIGHT)
    assert said.code == code, said.err
    chunks = await database.fetch("SELECT state, error_code, attempt FROM ingest.chunks")
    failed = [row for row in chunks if row["state"] == "failed"]
    assert {row["error_code"] for row in failed} == {error}
    assert max(row["attempt"] for row in chunks) == 1
    asked = len(streams(gateway))
    assert asked == (1 if code != 3 else len(failed))
    assert await database.fetchval("SELECT count(*) FROM ingest.dead_letters") == len(failed)
    await check_invariants(database, expected={Schema.TRADES: Counter()}, fleet=service)


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_a_wait_beyond_patience_is_kept_to_by_all_and_costs_no_attempt(
    facts: Settings, service: Fleet, gateway: Gateway, database: Database, form: str
) -> None:
    """429 for three seconds, where a call waits for one and a half: the ledger waits."""
    gateway.fault("status", status=429, retry_after=3, retry_as=form)
    said = wait(facts, *DAY)
    assert said.code == 0, said.err + service.logs_text()
    waited = await database.fetchval(
        "SELECT extract(epoch FROM max(started_at) - min(ended_at)) FROM ingest.attempts"
    )
    assert waited >= (3 if form == "seconds" else 2), "a date is told by the second"
    row = await database.fetchrow("SELECT attempt, deferrals FROM ingest.chunks")
    assert row is not None
    assert tuple(row) == (1, 1)
    asked = [each.status for each in gateway.requests("timeseries.get_range")]
    assert asked == [429, 200]
    await check_invariants(database, expected=FIRST_DAY, fleet=service)


async def test_days_that_are_not_available_yet_are_no_failure(
    facts: Settings, service: Fleet, gateway: Gateway, database: Database
) -> None:
    """The chunk waits, loses no attempt, and completes once they are there."""
    gateway.fault("not_yet", count=3)
    said = wait(facts, *DAY)
    assert said.code == 0, said.err
    row = await database.fetchrow("SELECT attempt, deferrals FROM ingest.chunks")
    assert row is not None
    assert tuple(row) == (1, 3)
    assert await database.fetchval("SELECT count(*) FROM ingest.dead_letters") == 0
    await check_invariants(database, expected=FIRST_DAY, fleet=service)


async def test_a_payload_unlike_its_request_is_refused(
    facts: Settings, service: Fleet, gateway: Gateway, database: Database
) -> None:
    """Another dataset in the metadata, or another schema there and in the records: final, nothing
    is stored. (More of what metadata may say stands in test_payload_faults.py.)
    """
    gateway.fault("mislabelled", dataset="XNAS.ITCH", match={"start": "2024-03-11"})
    gateway.fault("mislabelled", schema="tbbo", match={"start": "2024-03-12"})
    said = wait(facts, "--start", "2024-03-11", "--end", "2024-03-13")
    assert said.code == 3
    ends = await database.fetch("SELECT error_code, attempt FROM ingest.chunks")
    assert [tuple(row) for row in ends] == [("UnlikeRequest", 1)] * 2
    await check_invariants(database, expected={Schema.TRADES: Counter()}, fleet=service)
