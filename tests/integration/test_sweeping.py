"""Downloads that killed workers left: those of chunks that are over go, all others stay."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingestor.download import Download
from ingestor.store import ledger, steering
from ingestor.store.database import Database
from ingestor.vault import Vault
from tests.conftest import Place
from tests.plans import claimed, complete, submitted
from tests.vaults import vault_at
from workers.sweeping import UNCHANGED_S, sweep

_KEY = "ab" * 32
_DAY_S = 86_400
_WEEK_S = 7 * _DAY_S


@pytest.fixture
async def db(plain_place: Place) -> AsyncIterator[Database]:
    async with plain_place.open() as opened:
        yield opened


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return vault_at(tmp_path)


def left(vault: Vault, chunk_id: int, *, ago_s: float = UNCHANGED_S + 60, fence: int = 1) -> Path:
    """A download of the chunk that was last written to so long ago."""
    part = vault.part(Download(_KEY, chunk_id, fence).name)
    return aged(part, ago_s)


def aged(path: Path, ago_s: float) -> Path:
    path.write_bytes(b"half of a payload")
    then = time.time() - ago_s
    os.utime(path, (then, then))
    return path


async def test_a_cancelled_chunks_download_stays_for_a_day(db: Database, vault: Vault) -> None:
    """Somebody may retry the chunk after all, and find it whole."""
    job_id, [chunk_id] = await submitted(db)
    await claimed(db, chunk_id)
    part = left(vault, chunk_id)
    await steering.cancel(db, job_id)
    assert await sweep(db, vault) == 0
    aged(part, _DAY_S + 60)
    assert await sweep(db, vault) == 1
    assert not part.exists()


async def test_what_another_attempt_left_of_a_completed_chunk_is_removed(
    db: Database, vault: Vault
) -> None:
    _, [chunk_id] = await submitted(db)
    assert await complete(db, await claimed(db, chunk_id))
    parts = [left(vault, chunk_id, fence=fence) for fence in (1, 2)]
    assert await sweep(db, vault) == 2
    assert not any(part.exists() for part in parts)


async def test_downloads_of_open_and_of_failed_chunks_stay(db: Database, vault: Vault) -> None:
    """A retry takes them up: they may be whole, and were paid for. After a week they go."""
    _, ids = await submitted(db, 3)
    await claimed(db, ids[1])
    await ledger.fail(db, await claimed(db, ids[2]), code="LocalFault", text="no room")
    parts = [left(vault, chunk_id) for chunk_id in ids]
    assert await sweep(db, vault) == 0
    assert all(part.exists() for part in parts)
    left(vault, ids[2], ago_s=_WEEK_S + 60)
    assert await sweep(db, vault) == 1
    assert [part.exists() for part in parts] == [True, True, False]


async def test_a_download_that_goes_on_stays_though_its_chunk_is_over(
    db: Database, vault: Vault
) -> None:
    """It was abandoned a moment ago: its thread still writes, and keeps what it has bought."""
    job_id, [chunk_id] = await submitted(db)
    await steering.cancel(db, job_id)
    part = left(vault, chunk_id, ago_s=1)
    assert await sweep(db, vault) == 0
    assert part.exists()


async def test_what_is_named_otherwise_is_nobodys_to_remove(db: Database, vault: Vault) -> None:
    names = ("notes", f"{_KEY}.7", f"{_KEY}.x.1", f"{_KEY}.1.2.3")
    parts = [aged(vault.part(name), _WEEK_S + 60) for name in names]
    assert await sweep(db, vault) == 0
    assert all(part.exists() for part in parts)
