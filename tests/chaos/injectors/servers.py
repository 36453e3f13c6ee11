"""Postgres and Redis crashed, cut off and emptied."""

from __future__ import annotations

import asyncio

from tests.chaos import pids
from tests.chaos.injectors.injector import Injector

_LOOKS = 200
_LOAD = """
SELECT pid, backend_start FROM pg_stat_activity
WHERE datname = current_database() AND application_name ~ '^hdi:[0-9]+:[0-9]+:' {0}
ORDER BY random() LIMIT 1
"""
_END = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2
"""
_THERE = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2)"


class CrashPostgres(Injector):
    """SIGKILL to all of its processes, or an immediate shutdown; then it starts again."""

    kind, family, pause_s = "Postgres crash and restart", "Postgres", 50.0

    async def inject(self) -> int:
        server = self.target.servers.postgres
        self.target.moments.hit()
        try:
            await asyncio.to_thread(self.chance.choice([server.kill, server.crash]))
            gone = server.running() is None
            await asyncio.sleep(self.chance.choice([0.0, 0.3, 1.0]))
        finally:
            await asyncio.to_thread(server.start)
            self.target.moments.hit()
        return int(gone)


class EndLoad(Injector):
    """pg_terminate_backend of a load's session, whatever it does."""

    kind, family, pause_s = "backend of a load terminated", "Postgres", 4.0
    doing = ""

    async def inject(self) -> int:
        for _ in range(_LOOKS):
            row = await self.target.ledger.fetchrow(_LOAD.format(self.doing))
            if row is not None:
                return await self._end(row["pid"], row["backend_start"])
            await asyncio.sleep(0.005)
        return 0

    async def _end(self, *session: object) -> int:
        ledger = self.target.ledger
        if not await ledger.fetchval(_END, *session):
            return 0
        for _ in range(_LOOKS):
            if not await ledger.fetchval(_THERE, *session):
                return 1
            await asyncio.sleep(0.005)
        return 0


class EndCopy(EndLoad):
    kind, family, pause_s = "backend terminated during COPY", "Postgres", 4.0
    doing = "AND state = 'active' AND query LIKE 'COPY%'"


class KillRedis(Injector):
    kind, family, pause_s = "Redis SIGKILL and restart", "Redis", 30.0

    async def inject(self) -> int:
        server = self.target.servers.valkey
        self.target.moments.hit()
        try:
            killed = await asyncio.to_thread(server.kill)
            await asyncio.sleep(self.chance.choice([0.0, 0.3, 1.0]))
        finally:
            await asyncio.to_thread(server.start)
            self.target.moments.hit()
        return int(killed > 0)


class FlushRedis(Injector):
    kind, family, pause_s = "FLUSHALL", "Redis", 10.0

    async def inject(self) -> int:
        async with self.target.redis.pipeline(transaction=True) as both:
            self.target.moments.hit()
            _, left = await both.flushall().dbsize().execute()
        return int(left == 0)


class FreezeRedis(Injector):
    """Its clients wait, and time out or not."""

    kind, family, pause_s = "Redis frozen for a while", "Redis", 120.0

    async def inject(self) -> int:
        server = self.target.servers.valkey
        process = pids.find(server.running() or 0)
        self.target.moments.hit()
        try:
            await asyncio.to_thread(server.freeze)
            stopped = process is not None and await pids.soon(lambda: process.stopped, 1.0)
            await asyncio.sleep(self.chance.uniform(0.5, 2.5))
        finally:
            await asyncio.to_thread(server.thaw)
            self.target.moments.hit()
        return int(stopped)
