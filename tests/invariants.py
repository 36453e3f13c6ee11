"""What must hold after any fault: of rows, receipts, sessions, files and of what was said.

Each check raises an AssertionError that names what it found; `check_invariants` makes them all.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import redis

from ingestor.model import TABLES, table_of
from ingestor.settings import Settings
from ingestor.store.database import Database
from ingestor.vocabulary import Role, Schema
from tests.processes import Fleet
from tests.values import Row, stored_rows

QUIET_S: Final = 30.0
"""Sessions and locks of a dead worker may be there for so long."""

_FINAL: Final = ("completed", "completed_empty", "failed", "cancelled")
_ADDS_UP: Final = """
SELECT k.chunk_id, k.state, k.receipt,
       (SELECT count(*) FROM ingest.attempts a
        WHERE a.chunk_id = k.chunk_id AND a.outcome LIKE 'completed%') AS completions,
       (SELECT count(*) FROM ingest.quarantine q
        WHERE q.chunk_id = k.chunk_id) AS quarantined,
       (SELECT coalesce(sum(s.rows), 0) FROM ingest.supersessions s
        WHERE s.old_chunk = k.chunk_id) AS superseded
FROM ingest.chunks k ORDER BY 1
"""
# A living worker's pool rests under its own name; only loads are called after a chunk and a fence.
_SESSIONS: Final = """
SELECT application_name AS name, pid, state, left(query, 80) AS query FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND application_name ~ $1 AND application_name NOT LIKE 'hdi:test%'
"""
_LOCKS: Final = """
SELECT a.application_name AS name, l.locktype, l.mode, l.relation::regclass::TEXT AS relation
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
  AND a.application_name LIKE 'hdi:%' AND a.application_name NOT LIKE 'hdi:test%'
"""
_TEXTS: Final = (
    "SELECT error_text AS said FROM ingest.chunks WHERE error_text IS NOT NULL",
    "SELECT error_text AS said FROM ingest.attempts WHERE error_text IS NOT NULL",
    "SELECT error_text AS said FROM ingest.dead_letters",
    "SELECT spec::TEXT AS said FROM ingest.jobs",
)


async def check_invariants(
    database: Database,
    *,
    expected: Mapping[str, Counter[Row]] | None = None,
    home: Path | None = None,
    fleet: Fleet | None = None,
    secrets: Sequence[str] = (),
) -> None:
    """All of them, once every job has ended.

    Args:
        expected: Rows of each schema (``trades``, a schema of bars) as `tests.values` spells them;
            every other record table must then be empty. None: rows are not compared by value.
        home: The service's folder, for files that must be gone and letters; else the fleet's.
        fleet: Its logs and its Redis are searched for secrets. Once all of its processes have
            ended, not one session of theirs may be left; before, none of a load.
        secrets: Further ones than the passwords and keys of the fleet's settings.
    """
    await check_ended(database)
    await check_receipts(database)
    if expected is not None:
        await check_rows(database, expected)
    await check_quiet(database, ended=fleet is None or all_ended(fleet))
    home = home if home is not None or fleet is None else fleet.settings.home
    if home is not None:
        check_files(home)
    told = [*secrets, *(() if fleet is None else secrets_of(fleet.settings))]
    await check_secrets(database, told, home=home, fleet=fleet)


async def check_ended(database: Database) -> None:
    """I3: every chunk and job in a final state, no lease left, each failure with a letter."""
    open_chunks = await database.fetch(
        "SELECT chunk_id, state, error_text FROM ingest.chunks WHERE state <> ALL($1)", _FINAL
    )
    assert not open_chunks, f"open chunks: {open_chunks}"
    jobs = await database.fetch("SELECT job_id, state FROM ingest.jobs WHERE finished_at IS NULL")
    assert not jobs, f"open jobs: {jobs}"
    leases = await database.fetch("SELECT chunk_id, worker FROM ingest.leases")
    assert not leases, f"leases of ended chunks: {leases}"
    unexplained = await database.fetch(
        "SELECT chunk_id FROM ingest.chunks k WHERE state = 'failed' AND NOT EXISTS"
        " (SELECT 1 FROM ingest.dead_letters d WHERE d.chunk_id = k.chunk_id)"
    )
    assert not unexplained, f"failed without a dead letter: {unexplained}"


async def check_receipts(database: Database) -> None:
    """I4: receipts add up and agree with rows and quarantine; nobody else has rows (I2)."""
    live = await rows_by_chunk(database)
    for chunk in await database.fetch(_ADDS_UP):
        number, state, receipt = chunk["chunk_id"], chunk["state"], chunk["receipt"]
        done = state in ("completed", "completed_empty")
        assert done == (receipt is not None), f"chunk {number} is {state} with receipt {receipt}"
        assert chunk["completions"] == done, f"chunk {number} completed {chunk['completions']}×"
        found = live.pop(number, 0)
        if receipt is None:
            assert not found, f"chunk {number} is {state} and has {found} rows"
            assert not chunk["quarantined"], f"chunk {number} is {state} and has quarantined"
            continue
        kept = receipt["stored"] + receipt["quarantined"] + receipt["already_stored"]
        assert receipt["fetched"] == kept, f"receipt of chunk {number}: {receipt}"
        assert found == receipt["stored"] - chunk["superseded"], f"{found} rows: {receipt}"
        assert chunk["quarantined"] == receipt["quarantined"], f"quarantine: {receipt}"
    assert not live, f"rows of chunks that are not in the ledger: {live}"


async def rows_by_chunk(database: Database) -> Counter[int]:
    """Rows of every chunk that has any, over all record tables."""
    found: Counter[int] = Counter()
    for table in TABLES:
        for row in await database.fetch(
            f"SELECT chunk_id, count(*) AS rows FROM public.{table.name} GROUP BY 1"
        ):
            found[row["chunk_id"]] += row["rows"]
    return found


async def check_rows(database: Database, expected: Mapping[str, Counter[Row]]) -> None:
    """I1, I2: the tables hold exactly these rows, by value, each as often as it was delivered."""
    named = {table_of(Schema(name)).name for name in expected}
    for name, wanted in expected.items():
        found = await stored_rows(database, Schema(name))
        lost, more = wanted - found, found - wanted
        assert not lost, f"{name}: {lost.total()} rows lost, as {next(iter(lost))}"
        assert not more, f"{name}: {more.total()} rows too many, as {next(iter(more))}"
    for table in TABLES:
        if table.name not in named:
            rows = await database.fetchval(f"SELECT count(*) FROM public.{table.name}")
            assert not rows, f"{rows} rows in {table.name}, which nobody asked for"


async def check_quiet(database: Database, *, ended: bool) -> None:
    """Soon nothing of `hdi:%` is left: no load's session, no lock; no session at all if ended."""
    pattern = "^hdi:" if ended else "^hdi:[0-9]+:[0-9]+:"
    await _soon_none("sessions", lambda: database.fetch(_SESSIONS, pattern))
    await _soon_none("locks", lambda: database.fetch(_LOCKS))


async def _soon_none(what: str, left: Callable[[], Awaitable[Sequence[object]]]) -> None:
    deadline = time.monotonic() + QUIET_S
    while found := await left():
        assert time.monotonic() < deadline, f"{what} left after {QUIET_S:g} s: {found}"
        await asyncio.sleep(0.1)


def check_files(home: Path) -> None:
    """I5: no download that was broken off, no half-written letter, no temporary file."""
    left = [path for suffix in (".part", ".tmp") for path in home.rglob(f"*{suffix}")]
    assert not left, f"temporary files left: {left}"


async def check_secrets(
    database: Database,
    secrets: Sequence[str],
    *,
    home: Path | None = None,
    fleet: Fleet | None = None,
) -> None:
    """I5: no secret in what logs, ledger, dead letters and messages say. The message names none."""
    said = {"the ledger": "\n".join([await _told(database, query) for query in _TEXTS])}
    if home is not None:
        said |= letters(home)
    if fleet is not None:
        said |= {str(each.log): each.text() for each in fleet.started}
        said["Redis"] = messages(fleet.settings)
    for place, text in said.items():
        # Passwords of test servers may be short; none is a word that a log says by chance.
        leaked = [at for at, secret in enumerate(secrets) if secret and secret in text]
        assert not leaked, f"{place} holds secret number {leaked[0]} of {len(secrets)}"


def letters(home: Path) -> dict[str, str]:
    """Every dead letter's file: what it says by its path."""
    return {str(path): path.read_text(errors="replace") for path in home.glob("dlq/*")}


async def _told(database: Database, query: str) -> str:
    return "\n".join(row["said"] for row in await database.fetch(query))


def secrets_of(settings: Settings) -> list[str]:
    """Passwords of every URL and the provider's key."""
    urls = [settings.redis_dsn(), *(settings.dsn(role) for role in Role)]
    passwords = [found for url in urls if (found := urlsplit(url).password)]
    key = settings.databento_api_key
    spelled = {*passwords, *map(unquote, passwords)}
    return [*sorted(spelled), *([] if key is None else [key.get_secret_value()])]


def messages(settings: Settings) -> str:
    """All that waits on the queues or is not acknowledged, as it stands on Redis."""
    with redis.Redis.from_url(settings.redis_dsn()) as client:
        found: list[bytes] = []
        for key in client.scan_iter():
            kind = client.type(key)
            if kind == b"list":
                found += client.lrange(key, 0, -1)
            elif kind == b"hash":
                found += client.hvals(key)
    return b"\n".join(found).decode(errors="replace")


def all_ended(fleet: Fleet) -> bool:
    """Whether not one of its main processes runs any more."""
    return all(each.popen.poll() is not None for each in fleet.started)
