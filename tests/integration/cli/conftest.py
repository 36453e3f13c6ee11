"""Commands run in this process, against the test's own database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
import pytest
from click.testing import CliRunner, Result

from ingestor.cli.main import cli
from ingestor.settings import Settings
from ingestor.simulator.market import DAY, INSTRUMENTS, MONDAY, make_trades, mappings
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Ask
from ingestor.store import ledger
from ingestor.vocabulary import Priority
from tests.conftest import Place, environment
from tests.loads import Bench, write

T = TypeVar("T")


@dataclass(frozen=True)
class Desk:
    """Where somebody types commands.

    Attributes:
        folder: For files.
    """

    place: Place
    settings: Settings
    folder: Path

    def hdi(self, *words: str) -> Result:
        """Runs a command; its exit code is the result's `return_value` where it ended well."""
        return CliRunner().invoke(cli, words, standalone_mode=False)

    def do(self, work: Callable[[Bench], Awaitable[T]]) -> T:
        """Does something with the database as a worker would."""

        async def opened() -> T:
            async with self.place.open() as database:
                return await work(Bench(self.place, self.settings, database))

        return asyncio.run(opened())

    def submit(self, name: str, *, days: int = 2) -> UUID:
        """Records a job of one chunk of 100 trades per day."""
        parts = [make_trades(100, start=MONDAY + day * DAY, seed=day) for day in range(days)]
        told: dict[str, Any] = {"mappings": mappings(INSTRUMENTS, MONDAY, MONDAY + days * DAY)}
        path = write(self.folder / name / "x.dbn", np.concatenate(parts), days=days, **told)
        ask = Ask(name, Priority.NORMAL, path=path, force=True, chunk_days=1)

        async def work(bench: Bench) -> UUID:
            plan = DbnFiles().plan(ask)
            return (await ledger.submit(bench.database, plan, max_attempts=5)).job_id

        return self.do(work)

    def load(self, job_id: UUID, *, fail: int = 0) -> None:
        """Does the job's open chunks, the first `fail` of them in vain, and ends it."""

        async def work(bench: Bench) -> None:
            for at, chunk_id in enumerate(await open_chunks(bench, job_id)):
                claim = await bench.claim(chunk_id)
                if at < fail:
                    text = "the file is damaged"
                    await ledger.fail(bench.database, claim, code="CorruptPayload", text=text)
                else:
                    await bench.run(claim)
            await ledger.end_job(bench.database, job_id)

        self.do(work)


async def open_chunks(bench: Bench, job_id: UUID) -> list[int]:
    rows = await bench.database.fetch(
        "SELECT chunk_id FROM ingest.chunks WHERE job_id = $1 AND state = 'pending'"
        " ORDER BY chunk_id",
        job_id,
    )
    return [row["chunk_id"] for row in rows]


@pytest.fixture
def desk(place: Place, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    for name, value in environment(settings).items():
        if name.startswith("HDI_"):
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return Desk(place, settings, tmp_path)
