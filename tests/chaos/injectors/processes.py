"""Processes killed, frozen and told to go."""

from __future__ import annotations

import asyncio
import signal
from typing import ClassVar

from tests.chaos import pids
from tests.chaos.injectors.injector import Injector
from tests.chaos.pids import Pid
from tests.chaos.service import Member

_GONE_S = 10.0
_TRIES = 40


class Processes(Injector):
    """What these share: victims that are at work, if there are any."""

    async def busy(self) -> list[Pid]:
        """Processes that hold a lease and are not frozen; all such where none holds one."""
        every = [each for each in self.target.service.children() if not each.stopped]
        holders = await self.holders()
        return [each for each in every if each.number in holders] or every

    async def holders(self) -> set[int]:
        """Numbers of the processes that hold a lease: their names in the ledger end in it."""
        rows = await self.target.ledger.fetch("SELECT worker FROM ingest.leases")
        names = (row["worker"].rpartition("/")[2] for row in rows)
        return {int(name) for name in names if name.isdigit()}

    async def kill(self, victims: list[Pid]) -> int:
        """SIGKILL; how many of the victims are gone."""
        alive = [each for each in victims if each.lives]
        for each in alive:
            each.send(signal.SIGKILL)
        gone = await pids.soon(lambda: not any(each.lives for each in alive), _GONE_S)
        return len(alive) if gone else 0

    def member(self, among: list[Member]) -> Member | None:
        """One that has been up for a moment: it has children, or it is a scheduler."""
        found = [each for each in among if not each.ended]
        return self.chance.choice(found) if found else None


class KillChild(Processes):
    kind, family, pause_s = "SIGKILL of a worker child", "SIGKILL", 2.2

    async def inject(self) -> int:
        victims = await self.busy()
        return await self.kill([self.chance.choice(victims)]) if victims else 0


class KillWorker(Processes):
    kind, family, pause_s = "SIGKILL of a whole worker", "SIGKILL", 40.0

    async def inject(self) -> int:
        worker = self.member([each for each in self.target.service.workers if each.children()])
        if worker is None or worker.main is None:
            return 0
        return min(1, await self.kill([worker.main, *worker.children()]))


class KillMain(Processes):
    """Its children are orphans: what they do after that must count for nothing, or be right."""

    kind, family, pause_s = "SIGKILL of a worker's main process", "SIGKILL", 60.0

    async def inject(self) -> int:
        worker = self.member([each for each in self.target.service.workers if each.children()])
        return await self.kill([worker.main]) if worker is not None and worker.main else 0


class KillScheduler(Processes):
    kind, family, pause_s = "SIGKILL of a scheduler", "SIGKILL", 30.0

    async def inject(self) -> int:
        scheduler = self.member(self.target.service.schedulers)
        if scheduler is None or scheduler.main is None:
            return 0
        self.target.moments.hit()
        return await self.kill([scheduler.main])


class KillSubmit(Processes):
    """Before, during or after the job is recorded; the same request again finds or makes it."""

    kind, family, pause_s = "SIGKILL of hdi-submit", "SIGKILL", 15.0

    async def inject(self) -> int:
        await asyncio.sleep(self.chance.uniform(0.0, 1.0))
        return await self.kill(list(self.target.submissions)[:1])


class Freeze(Processes):
    """SIGSTOP for longer than the lease, then SIGCONT: it wakes up as somebody without a chunk.

    Counts where it held one when it was seen stopped.
    """

    kind, family, pause_s = "SIGSTOP past the lease", "SIGSTOP", 1.0
    longest: ClassVar[float] = 1.4

    async def inject(self) -> int:
        for _ in range(_TRIES):
            victims = await self.victims()
            if victims and await self.stop(victims):
                return await self.hold(victims)
            await asyncio.sleep(0.05)
        return 0

    async def victims(self) -> list[Pid]:
        """One process that holds a chunk, if any does."""
        holders = await self.holders()
        found = [each for each in self.target.service.children() if each.number in holders]
        return self.chance.sample(found, min(1, len(found)))

    async def stop(self, victims: list[Pid]) -> bool:
        """Whether all are stopped, one of them with a chunk in hand; else they go on."""
        if any(each.stopped for each in victims):
            return False
        held = False
        try:
            for each in victims:
                each.send(signal.SIGSTOP)
            if await pids.soon(lambda: all(each.stopped for each in victims), 1.0):
                held = bool({each.number for each in victims} & await self.holders())
        finally:
            if not held:
                _go_on(victims)
        return held

    async def hold(self, victims: list[Pid]) -> int:
        """1 where all were stopped until the lease had run out."""
        try:
            await asyncio.sleep(self.target.lease_s * self.chance.uniform(1.05, self.longest))
            return int(all(each.stopped for each in victims))
        finally:
            _go_on(victims)


def _go_on(victims: list[Pid]) -> None:
    for each in victims:
        each.send(signal.SIGCONT)


class FreezeWorker(Freeze):
    kind, family, pause_s = "SIGSTOP of a whole worker past the lease", "SIGSTOP", 30.0

    async def victims(self) -> list[Pid]:
        """All of a worker of which one process holds a chunk."""
        holders = await self.holders()
        worker = self.member([
            each
            for each in self.target.service.workers
            if holders & {child.number for child in each.children()}
        ])  # fmt: skip
        main = None if worker is None else worker.main
        return [] if worker is None or main is None else [main, *worker.children()]


class Terminate(Processes):
    """SIGTERM to a worker: it ends its chunks or hands them back, and exits."""

    kind, family, pause_s = "SIGTERM of a worker", "SIGTERM", 60.0

    async def inject(self) -> int:
        worker = self.member([each for each in self.target.service.workers if each.children()])
        main = None if worker is None else worker.main
        if main is None:
            return 0
        main.send(signal.SIGTERM)
        return int(await pids.soon(lambda: not main.lives, 30.0))
