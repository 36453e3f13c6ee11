"""Loads whose commit does not wait for the disk: a crash undoes them whole, and they are redone."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from ingestor.store.database import Database
from tests.attempts import frozen, publish, thaw
from tests.conftest import Place
from tests.halfway import Halfway, attempts, chunk
from tests.private import PrivateStack, private_stack
from tests.processes import Fleet, fleet, until

pytestmark = [
    pytest.mark.faults, pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.timeout(240),
]  # fmt: skip

WRITERS: Final = ("walwriter", "background writer", "checkpointer")
_IDLE: Final = """
SELECT pid FROM pg_stat_activity
WHERE backend_type = $1 AND wait_event_type = 'Activity'
"""


@pytest.fixture
def stack() -> Iterator[PrivateStack]:
    with private_stack() as made:
        yield made


@pytest.fixture
def place(stack: PrivateStack) -> Place:
    return stack.place()


async def freeze_writers(stack: PrivateStack, started: Fleet) -> None:
    """From now on nobody writes a commit out, but whoever commits and waits for it.

    Each is stopped while it waits for work: it holds no lock then. An immediate shutdown kills
    what does not end by itself after 5 s.
    """
    await stack.administer("ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()")
    async with Database(stack.admin(), name="tests") as admin:
        for writer in WRITERS:

            async def idle(writer: str = writer) -> bool:
                return await frozen_idle(admin, writer, started)

            await until(f"the {writer} is stopped", idle, timeout_s=20, fleet=started)


async def frozen_idle(admin: Database, writer: str, started: Fleet) -> bool:
    """Stops the process; lets it go on where it had work in that moment."""
    for row in await admin.fetch(_IDLE, writer):
        os.kill(row["pid"], signal.SIGSTOP)
        await frozen(row["pid"], started)
        if await admin.fetch(_IDLE, writer):
            return True
        thaw(row["pid"])
    return False


async def test_a_commit_that_a_crash_has_undone_is_done_again_from_the_vault(
    stack: PrivateStack, place: Place, tmp_path: Path
) -> None:
    """Rows, receipt and state go together: there is nothing that half of it could spoil."""
    settings = stack.settings(place, tmp_path)
    with fleet(settings, tmp_path) as started:
        service = Halfway(settings, started, tmp_path)
        worker = service.worker("hasty", HDI_STORE__SYNCHRONOUS_COMMIT="false")
        service.arm.write_text("after_commit:stop")
        async with place.open() as database:
            chunk_id = await service.submit(database)
            await freeze_writers(stack, started)
            publish(settings, chunk_id, 1)

            async def committed() -> bool:
                return bool((await chunk(database, chunk_id))["state"] == "completed")

            await until("the load is committed", committed, timeout_s=60, fleet=started)
        await asyncio.to_thread(stack.postgres.crash)
        await asyncio.to_thread(stack.postgres.start)

        async with place.open() as database:
            assert (await chunk(database, chunk_id))["state"] == "in_progress"
            assert await database.fetchval("SELECT count(*) FROM trades_data") == 0
            service.arm.write_text("")
            worker.stop()
            started.scheduler()
            service.worker("heir")
            await service.ended(database)
            assert await attempts(database, chunk_id) == [
                ("lost", "LeaseLost"),
                ("completed", None),
            ]
