"""Keeps the service in work: submits jobs with the product's command until each is accepted."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ingestor.errors import IngestError
from ingestor.store.database import Database
from tests.chaos import pids
from tests.chaos.orders import Order, waves
from tests.chaos.pids import Pid

_BIN: Final = Path(sys.executable).parent
_LOOK_S: Final = 1.0
_PATIENCE_S: Final = 60.0
_AT_ONCE: Final = 2
_OPEN: Final = """
SELECT count(*) FROM ingest.chunks WHERE state IN ('pending', 'queued', 'in_progress', 'retrying')
"""


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: bytes
    err: str

    @property
    def error(self) -> str:
        """What it says went wrong; its last words where it does not say."""
        lines = self.err.strip().splitlines()
        told = [line for line in lines if line.startswith("error:")]
        return (told or lines or [""])[-1][:300]


@dataclass
class Clerk:
    """Attributes:
    least: Open chunks below which the next jobs are submitted.
    accepted: What the oracle may expect to find.
    codes: How often a submission ended with which code: faults hit it, too.
    running: Submissions under way.
    """

    env: Mapping[str, str]
    ledger: Database
    least: int
    chance: random.Random
    begun: list[Order] = field(default_factory=list)
    accepted: list[Order] = field(default_factory=list)
    codes: Counter[int] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    running: set[Pid] = field(default_factory=set)

    async def work(self, stop: asyncio.Event) -> None:
        """Submits wave after wave, whenever less than `least` chunks are open."""
        for wave in waves(self.chance):
            if not await self._wanted(stop):
                return
            turns = asyncio.Semaphore(_AT_ONCE)
            await asyncio.gather(*(self._submit(order, turns, stop) for order in wave))

    async def _wanted(self, stop: asyncio.Event) -> bool:
        """Waits until more work is wanted; False once none is any more."""
        while not stop.is_set():
            if await self._open() < self.least:
                return True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _LOOK_S)
        return False

    async def _open(self) -> int:
        """Open chunks; more than enough while the ledger does not answer."""
        try:
            return int(await self.ledger.fetchval(_OPEN))
        except IngestError:
            return self.least

    async def _submit(self, order: Order, turns: asyncio.Semaphore, stop: asyncio.Event) -> None:
        """Until it is accepted, as a person would: the same request again is the same job.

        One that was begun is brought to its end: it may have been recorded and not said so.
        """
        async with turns:
            while not stop.is_set() or order in self.begun:
                self.begun.append(order)
                said = await command(
                    self.env, "hdi-submit", *order.arguments(), running=self.running
                )
                self.codes[said.code] += 1
                if said.code == 0:
                    self.accepted.append(order)
                    return
                self.refused[f"{said.code}: {said.error}"] += 1
                await asyncio.sleep(self.chance.uniform(0.2, 1.0))


async def command(
    env: Mapping[str, str], name: str, *arguments: str, running: set[Pid] | None = None
) -> Said:
    """Runs an installed command of the product; while it runs, it is among `running`."""
    running = set() if running is None else running
    process = await asyncio.create_subprocess_exec(
        str(_BIN / name), *arguments, env=dict(env), stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    shown = {found} if (found := pids.find(process.pid)) else set()
    running |= shown
    try:
        out, err = await asyncio.wait_for(process.communicate(), _PATIENCE_S)
    except TimeoutError:
        process.kill()
        out, err = await process.communicate()
    finally:
        running -= shown
    return Said(process.returncode or 0, out, err.decode(errors="replace"))


async def failures(ledger: Database) -> list[str]:
    """Every dead letter there has been: nothing that is injected may make one."""
    rows = await ledger.fetch(
        "SELECT chunk_id, attempts, error_code, error_text FROM ingest.dead_letters ORDER BY 1"
    )
    return [
        f"dead letter of chunk {row['chunk_id']} after {row['attempts']} attempts: "
        f"{row['error_code']}: {row['error_text'][:300]}"
        for row in rows
    ]


async def retry_failed(env: Mapping[str, str], ledger: Database) -> int:
    """`hdi retry` of every job with failed chunks; how many chunks were failed."""
    rows = await ledger.fetch(
        "SELECT job_id, count(*) AS failed FROM ingest.chunks WHERE state = 'failed' GROUP BY 1"
    )
    for row in rows:
        await command(env, "hdi", "retry", str(row["job_id"]))
    return sum(row["failed"] for row in rows)
