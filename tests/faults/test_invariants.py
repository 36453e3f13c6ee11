"""The checks that the other fault tests rely on find what they are for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingestor.store import ledger
from ingestor.store.database import Database
from ingestor.vocabulary import Role
from tests import invariants
from tests.conftest import Place
from tests.day_files import write_days
from tests.invariants import check_invariants
from tests.loads import bench

pytestmark = [pytest.mark.timescaledb, pytest.mark.faults]
SECRET = "xyzzy-plugh"
FIRST = "(SELECT min(ts_recv) FROM trades_data)"
LETTER = (
    "INSERT INTO ingest.dead_letters (chunk_id, job_id, fence, attempts, error_code, error_text)"
    f" SELECT chunk_id, job_id, 1, 1, 'Terminal', 'password {SECRET}' FROM ingest.chunks"
)
DAMAGE = {
    f"DELETE FROM trades_data WHERE ts_recv = {FIRST}": "rows: ",
    f"UPDATE trades_data SET price = price + 1 WHERE ts_recv = {FIRST}": "rows lost",
    f"UPDATE trades_data SET chunk_id = 99 WHERE ts_recv = {FIRST}": "rows: ",
    "INSERT INTO ingest.leases (chunk_id, fence, worker, lease_until)"
    " SELECT chunk_id, fence, 'w/1', now() FROM ingest.chunks": "leases",
    "INSERT INTO ingest.attempts (chunk_id, fence, attempt, worker, started_at, outcome)"
    " SELECT chunk_id, 2, 2, 'w/1', now(), 'completed' FROM ingest.chunks": "completed 2×",
    LETTER: "secret",
}


@pytest.fixture
async def owner(place: Place, tmp_path: Path) -> AsyncIterator[Database]:
    """A day of trades, loaded without a fault, and its database."""
    write_days(tmp_path / "dbn", 1)
    async with bench(place, tmp_path / "home") as made:
        await made.load(tmp_path / "dbn")
        await ledger.end_jobs(made.database)
    async with place.open(Role.OWNER) as database:
        yield database


async def check(database: Database, tmp_path: Path) -> None:
    expected = write_days(tmp_path / "same", 1)
    home = tmp_path / "home"
    await check_invariants(database, expected=expected, home=home, secrets=[SECRET])


@pytest.mark.parametrize("statement", DAMAGE)
async def test_what_a_fault_may_not_leave_in_the_database_is_found(
    owner: Database, tmp_path: Path, statement: str
) -> None:
    """Rows lost, changed or of others; leases, second completions, secrets."""
    await check(owner, tmp_path)
    async with owner.connection() as connection:
        await connection.execute(statement)
    with pytest.raises(AssertionError, match=DAMAGE[statement]):
        await check(owner, tmp_path)


async def test_files_and_sessions_that_a_fault_may_not_leave_are_found(
    owner: Database, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken-off download, a letter that tells a secret, a load's session that stays."""
    monkeypatch.setattr(invariants, "QUIET_S", 0.2)
    for name, found in {"vault/a.part": "temporary files", "dlq/chunk-1-1.json": "secret"}.items():
        file = tmp_path / "home" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(SECRET)
        with pytest.raises(AssertionError, match=found):
            await check(owner, tmp_path)
        file.unlink()
    async with Database(place.options(Role.OWNER), name="hdi:1:1:w/1"):
        with pytest.raises(AssertionError, match="sessions left"):
            await check(owner, tmp_path)
    await check(owner, tmp_path)
