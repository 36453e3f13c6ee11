"""Worker and scheduler processes of the product, as an operator starts them, for the tests."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ingestor.settings import Settings
from ingestor.store.database import Database
from tests.conftest import environment

HDI = (sys.executable, "-m", "ingestor.cli")


class Process:
    """A process in a session of its own, so that killing it takes its children along."""

    def __init__(self, command: list[str], env: Mapping[str, str], log: Path) -> None:
        self.log = log
        self._file = log.open("ab")
        self.popen = subprocess.Popen(
            command, env=dict(env), stdin=subprocess.DEVNULL, stdout=self._file,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def signal_all(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, number)

    def terminate(self) -> None:
        """SIGTERM to the main process, as a container's stop sends it."""
        self.popen.terminate()

    def wait(self, timeout: float = 30) -> int:
        return self.popen.wait(timeout)

    def stop(self) -> None:
        self.signal_all(signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self.popen.wait(10)
        self._file.close()

    def text(self) -> str:
        return self.log.read_text(errors="replace")


class Fleet:
    """Processes that share settings; all are gone at the end, whatever happened."""

    def __init__(self, settings: Settings, logs: Path) -> None:
        self.settings = settings
        self.logs = logs
        self.started: list[Process] = []

    def worker(self, name: str = "w", *, concurrency: int = 1, **env: str) -> Process:
        return self._start(
            [*HDI, "worker", "--name", name, "--concurrency", str(concurrency)], name, env
        )

    def scheduler(self, name: str = "s", **env: str) -> Process:
        return self._start([*HDI, "scheduler"], name, env)

    def _start(self, command: list[str], name: str, env: Mapping[str, str]) -> Process:
        log = self.logs / f"{name}-{len(self.started)}.log"
        made = Process(command, {**environment(self.settings), **env}, log)
        self.started.append(made)
        return made

    def stop(self) -> None:
        for process in self.started:
            process.stop()

    def logs_text(self) -> str:
        return "\n".join(f"--- {p.log.name}\n{p.text()[-4000:]}" for p in self.started)


@contextmanager
def fleet(settings: Settings, logs: Path) -> Iterator[Fleet]:
    made = Fleet(settings, logs)
    try:
        yield made
    finally:
        made.stop()


async def until(
    what: str, condition: Callable[[], Awaitable[bool]], *, timeout_s: float, fleet: Fleet
) -> None:
    """Waits for a condition; fails with the processes' logs."""
    deadline = time.monotonic() + timeout_s
    while not await condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:g} s: {what}\n{fleet.logs_text()}")
        await asyncio.sleep(0.1)


async def job_ended(database: Database, fleet: Fleet, *, timeout_s: float) -> None:
    """Waits until no job is open."""

    async def ended() -> bool:
        return not await database.fetchval(
            "SELECT EXISTS (SELECT 1 FROM ingest.jobs WHERE finished_at IS NULL)"
        )

    await until("every job has ended", ended, timeout_s=timeout_s, fleet=fleet)
