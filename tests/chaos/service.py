"""The service under fire: workers and schedulers, started again whenever one ends."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos import pids
from tests.chaos.pids import Pid

_HDI: Final = (sys.executable, "-m", "ingestor.cli")
_LOOK_S: Final = 0.1
_STOP_S: Final = 20.0


@dataclass
class Member:
    """A process that is to run all the time, under one name, with one log.

    Attributes:
        sessions: Of every process that it ever was: what of them still lives is an orphan.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    log: Path
    popen: subprocess.Popen[bytes] | None = None
    starts: int = 0
    sessions: list[int] = field(default_factory=list)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                self.command, env=dict(self.env), stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self.starts += 1
        self.sessions.append(self.popen.pid)

    @property
    def ended(self) -> bool:
        return self.popen is None or self.popen.poll() is not None

    @property
    def main(self) -> Pid | None:
        """Its main process, if it lives."""
        return None if self.popen is None else pids.find(self.popen.pid)

    def children(self) -> list[Pid]:
        """The processes that load chunks."""
        return [] if self.ended or self.popen is None else pids.children(self.popen.pid)

    def all(self) -> list[Pid]:
        """Every process of it, orphans of earlier lives too."""
        return [each for session in self.sessions for each in pids.of_session(session)]


class Service:
    """Workers and schedulers with the same settings."""

    def __init__(
        self, env: Mapping[str, str], logs: Path, *, workers: int, concurrency: int
    ) -> None:
        self._env = env
        self._logs = logs
        self._concurrency = concurrency
        self.workers = [self._worker(f"w{number}") for number in range(1, workers + 1)]
        self.schedulers = [self._scheduler(f"s{number}") for number in (1, 2)]

    @property
    def slots(self) -> int:
        """Chunks that may be in progress at a time."""
        return self._concurrency * len(self.workers)

    @property
    def members(self) -> list[Member]:
        return [*self.workers, *self.schedulers]

    def _worker(self, name: str) -> Member:
        told = ("worker", "--name", name, "--concurrency", str(self._concurrency))
        return Member(name, (*_HDI, *told), self._env, self._logs / f"{name}.log")

    def _scheduler(self, name: str) -> Member:
        return Member(name, (*_HDI, "scheduler"), self._env, self._logs / f"{name}.log")

    def children(self) -> list[Pid]:
        """Every process that loads chunks."""
        return [child for worker in self.workers for child in worker.children()]

    async def supervise(self) -> None:
        """Starts what has ended, for ever, as systemd or Docker do."""
        while True:
            for member in self.members:
                if member.ended:
                    member.start()
            await asyncio.sleep(_LOOK_S)

    async def stop(self) -> list[str]:
        """SIGTERM to all; what did not end by itself, and what was still there of earlier lives."""
        mains = [each.main for each in self.members]
        for main in mains:
            if main is not None:
                main.send(signal.SIGTERM)
        await pids.soon(lambda: not any(each.all() for each in self.members), _STOP_S)
        left = []
        for member in self.members:
            for each in member.all():
                left.append(f"{member.name}: {each.told()}")
                each.send(signal.SIGKILL)
        return left
