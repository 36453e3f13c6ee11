"""What fails every chunk alike stops the line: nobody claims, status says why, no chunk fails.

Once the server is mended work goes on by itself.
"""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from ingestor.errors import DatabaseHalted
from ingestor.stack.jail import ACCOUNT
from ingestor.store.database import Database
from ingestor.vocabulary import Role
from tests.acceptance.commands import hdi
from tests.conftest import Place
from tests.halfway import Halfway, attempts, chunk, lines
from tests.private import PrivateStack, private_stack
from tests.processes import fleet, until

pytestmark = [
    pytest.mark.faults, pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.timeout(240),
]  # fmt: skip

PROBE_S = 1.0
HALTED = ("deferred", "DatabaseHalted")
_SINCE = """
SELECT h.probes, h.lifted_at,
       (SELECT count(*) FROM ingest.attempts a WHERE a.started_at > h.raised_at + INTERVAL '0.5 s'
        AND (h.lifted_at IS NULL OR a.started_at < h.lifted_at)) AS attempts,
       (SELECT count(*) FROM ingest.leases l
        WHERE l.started_at > h.raised_at + INTERVAL '0.5 s') AS leases
FROM ingest.halts h WHERE sqlstate = $1 ORDER BY halt_id DESC LIMIT 1
"""
"""A claim between a halt's INSERT and its COMMIT does not see it, but starts after `raised_at`.

The first probe comes a second after that.
"""
_PAUSES = """
SELECT extract(epoch FROM a.started_at - lag(a.started_at) OVER (ORDER BY a.started_at))::FLOAT8
FROM ingest.attempts a, ingest.halts h
WHERE h.sqlstate = $1 AND a.started_at > h.raised_at + INTERVAL '0.5 s'
  AND a.started_at < h.lifted_at
"""


@pytest.fixture(scope="module")
def stack() -> Iterator[PrivateStack]:
    with private_stack() as made:
        yield made


@pytest.fixture(scope="module")
def place(stack: PrivateStack) -> Place:
    return stack.place()


@pytest.fixture(scope="module")
def service(
    stack: PrivateStack, place: Place, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Halfway]:
    """A scheduler and a worker of two processes."""
    folder = tmp_path_factory.mktemp("halts")
    settings = stack.settings(place, folder)
    # However long a load is held while the server changes its mind, its lease does not run out.
    lease = settings.lease.model_copy(update={"duration_s": 30})
    settings = settings.model_copy(update={"lease": lease})
    with fleet(settings, folder) as started:
        made = Halfway(settings, started, folder)
        started.scheduler()
        made.worker("w", concurrency=2, HDI_RETRY__HALT_PROBE_S=str(PROBE_S))
        yield made


@pytest.fixture
async def database(place: Place) -> AsyncIterator[Database]:
    async with place.open(Role.OWNER) as opened:
        yield opened


async def stopped(service: Halfway, database: Database, sqlstate: str, *, probes: int) -> None:
    """Waits until the line is stopped and so many chunks have been tried one at a time."""

    async def probed() -> bool:
        row = await database.fetchrow(_SINCE, sqlstate)
        return row is not None and row["lifted_at"] is None and row["probes"] >= probes

    await until(f"{sqlstate} stops the line", probed, timeout_s=60, fleet=service.fleet)


async def nobody_but_probes(database: Database, sqlstate: str) -> None:
    """Since the halt was raised not one chunk was claimed but those that probed."""
    row = await database.fetchrow(_SINCE, sqlstate)
    assert row is not None
    assert row["attempts"] + row["leases"] <= row["probes"]
    assert not await database.fetchval("SELECT count(*) FROM ingest.chunks WHERE state = 'failed'")


async def went_on(service: Halfway, database: Database, sqlstate: str, chunks: list[int]) -> None:
    """All chunks completed, none was blamed, the halt is lifted, probes kept their distance."""
    await service.ended(database)
    row = await database.fetchrow(_SINCE, sqlstate)
    assert row is not None
    assert row["lifted_at"] is not None
    assert row["attempts"] <= row["probes"]
    pauses = [each[0] for each in await database.fetch(_PAUSES, sqlstate) if each[0] is not None]
    assert min(pauses, default=PROBE_S) > 0.9 * PROBE_S
    for chunk_id in chunks:
        *before, last = await attempts(database, chunk_id)
        assert (set(before) <= {HALTED}, last) == (True, ("completed", None))
        found = await chunk(database, chunk_id)
        assert (found["attempt"], found["lost_count"]) == (1, 0)
        # only of a limit that a chunk may meet by its own size has it so many
        assert found["deferrals"] == (len(before) if sqlstate == "53400" else 0)


async def told(service: Halfway, *words: str) -> None:
    """`hdi status` and `hdi workers` say what is the matter."""
    for command in (("status", "@last"), ("workers",)):
        said = await asyncio.to_thread(hdi, service.settings, *command)
        assert said.code == 0, said
        assert all(word in said.out + said.err for word in words), said


@contextmanager
def small_volume(stack: PrivateStack, megabytes: int) -> Iterator[Path]:
    """A file system of so many megabytes, which the server sees as `/small`."""
    folder = stack.postgres.folder / "small"
    folder.mkdir()
    options = f"size={megabytes}m,uid={ACCOUNT},gid={ACCOUNT},mode=0700"
    mount = ["mount", "-t", "tmpfs", "-o", options, "small", str(folder)]
    if subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("no file system may be mounted here")
    try:
        yield folder
    finally:
        stack.postgres.kill()
        unmount(folder)


def unmount(folder: Path) -> None:
    """The killed server's children hold it until they have noticed."""
    deadline = time.monotonic() + 20
    while subprocess.run(["umount", str(folder)], check=False).returncode != 0:
        assert time.monotonic() < deadline, f"{folder} stays in use"
        time.sleep(0.2)


async def test_a_missing_privilege_stops_the_line_until_it_is_granted(
    service: Halfway, database: Database
) -> None:
    async with database.connection() as connection:
        await connection.execute("REVOKE INSERT ON trades_data FROM hdi_worker")
        chunks = [await service.submit(database) for _ in range(4)]
        await stopped(service, database, "42501", probes=2)
        await nobody_but_probes(database, "42501")
        await told(service, "lacks a privilege", "hdi db grant")
        await connection.execute("GRANT INSERT ON trades_data TO hdi_worker")
    await went_on(service, database, "42501", chunks)


async def reloaded(stack: PrivateStack, setting: str, value: str) -> None:
    """Has the server read its settings again, and waits until they hold for every session.

    A session that is new has them from the main process, which by then has told all others;
    those obey before their next statement.
    """
    await stack.administer("SELECT pg_reload_conf()")
    deadline = time.monotonic() + 20
    while (found := await shown(stack, setting)) != value:
        assert time.monotonic() < deadline, f"{setting} stays {found}"
        await asyncio.sleep(0.05)


async def shown(stack: PrivateStack, setting: str) -> str:
    """What a new session says of a setting."""
    async with Database(stack.admin(), name="tests") as fresh:
        return str(await fresh.fetchval(f"SHOW {setting}"))


async def test_a_limit_of_the_server_stops_the_line_until_it_is_raised(
    stack: PrivateStack, service: Halfway, database: Database
) -> None:
    """A merge needs temporary files, and the server allows none (53400)."""
    await service.submit(database)
    await service.ended(database)
    await stack.administer(
        "ALTER ROLE hdi_reader_login SET temp_file_limit = -1",
        "ALTER SYSTEM SET temp_file_limit = 0", "ALTER SYSTEM SET work_mem = '64kB'",
    )  # fmt: skip
    try:
        await reloaded(stack, "temp_file_limit", "0")
        chunks = [await service.submit_again(database) for _ in range(2)]
        await stopped(service, database, "53400", probes=2)
        await nobody_but_probes(database, "53400")
        await told(service, "temp_file_limit")
    finally:
        await stack.administer("ALTER SYSTEM RESET ALL")
        await reloaded(stack, "temp_file_limit", "-1")
    await went_on(service, database, "53400", chunks)


@asynccontextmanager
async def read_only(stack: PrivateStack) -> AsyncIterator[None]:
    """The server takes no writes meanwhile, from sessions that it has already neither."""
    await stack.administer("ALTER SYSTEM SET default_transaction_read_only = on")
    try:
        await reloaded(stack, "default_transaction_read_only", "on")
        yield
    finally:
        await stack.administer(
            "SET default_transaction_read_only = off",
            "ALTER SYSTEM RESET default_transaction_read_only",
        )
        await reloaded(stack, "default_transaction_read_only", "off")


async def test_a_read_only_database_takes_no_chunk_and_goes_on_when_it_is_writable_again(
    stack: PrivateStack, service: Halfway, database: Database
) -> None:
    """A failover: not even the halt can be recorded, and nothing can be claimed either."""
    held = await service.hold(database, "claimed")
    async with read_only(stack):
        held.go_on()

        async def refused() -> bool:
            worker = service.fleet.started[1]
            return any(
                line.get("event") == "chunk failed" and line.get("chunk") == held.chunk_id
                for line in lines(worker)
            )

        await until("the load is refused", refused, timeout_s=20, fleet=service.fleet)
    await service.ended(database)
    assert await attempts(database, held.chunk_id) == [HALTED, ("completed", None)]
    assert (await chunk(database, held.chunk_id))["lost_count"] == 0


async def test_a_read_only_database_is_told_though_no_halt_can_be_recorded(
    stack: PrivateStack, service: Halfway, database: Database
) -> None:
    held = await service.hold(database, "claimed")
    async with read_only(stack):
        with pytest.raises(DatabaseHalted):
            await service.submit_again(database)
        await told(service, "read-only", "HDI_DATABASE_URL")
    held.go_on()
    await service.ended(database)


async def test_a_full_disk_of_the_server_stops_the_line_until_there_is_room(
    stack: PrivateStack, service: Halfway, place: Place, database: Database
) -> None:
    with small_volume(stack, 3) as folder:
        await stack.administer(
            "CREATE TABLESPACE small LOCATION '/small'",
            "GRANT CREATE ON TABLESPACE small TO hdi_owner",
        )
        async with database.connection() as connection:
            await connection.execute("SELECT attach_tablespace('small', 'trades_data')")
        chunks = [await service.submit(database) for _ in range(8)]
        await stopped(service, database, "53100", probes=2)
        await nobody_but_probes(database, "53100")
        await told(service, "disk is full", "make room")
        command = ["mount", "-o", "remount,size=64m", str(folder)]
        await asyncio.to_thread(subprocess.run, command, check=True)
        await went_on(service, database, "53100", chunks)
