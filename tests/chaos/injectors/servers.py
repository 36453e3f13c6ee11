"""Postgres and Redis crashed, cut off and emptied."""

from __future__ import annotations

import asyncio

from tests.chaos import pids
from tests.chaos.injectors.injector import Injector

_LOOKS = 200
# One statement looks and ends: what it saw is what it hit.
_END = """
WITH one AS MATERIALIZED (
    SELECT pid, backend_start FROM pg_stat_activity
    WHERE datname = current_database() AND application_name ~ '^hdi:[0-9]+:[0-9]+:' {0}
    ORDER BY random() LIMIT 1)
SELECT pid, backend_start, pg_terminate_backend(pid) AS ended FROM one
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

    kind, family, pause_s = "backend of a load terminated", "Postgres", 3.0
    doing = ""

    async def inject(self) -> int:
        for _ in range(_LOOKS):
            row = await self.target.ledger.fetchrow(_END.format(self.doing))
            if row is not None and row["ended"]:
                return await self._gone(row["pid"], row["backend_start"])
            await asyncio.sleep(0.005)
        return 0

    async def _gone(self, *session: object) -> int:
        for _ in range(_LOOKS):
            if not await self.target.ledger.fetchval(_THERE, *session):
                return 1
            await asyncio.sleep(0.005)
        return 0


class EndCopy(EndLoad):
    """One that is in its COPY when it is ended."""

    kind, family, pause_s = "backend terminated during COPY", "Postgres", 4.0
    doing = "AND state = 'active' AND query LIKE 'COPY%'"


class KillRedis(Injector):
    kind, family, pause_s = "Redis SIGKILL and restart", "Redis", 20.0

    async def inject(self) -> int:
        server = self.target.servers.valkey
        async with self.target.valkey_turn:
            self.target.moments.hit_messages()
            try:
                killed = await asyncio.to_thread(server.kill)
                await asyncio.sleep(self.chance.choice([0.0, 0.3, 1.0]))
            finally:
                await asyncio.to_thread(server.start)
                self.target.moments.hit_messages()
        return int(killed > 0)


class FlushRedis(Injector):
    """Counts where something was there to lose."""

    kind, family, pause_s = "FLUSHALL", "Redis", 7.0

    async def inject(self) -> int:
        async with self.target.redis.pipeline(transaction=True) as both:
            self.target.moments.hit_messages()
            before, _, left = await both.dbsize().flushall().dbsize().execute()
        return int(before > 0 and left == 0)


class FreezeRedis(Injector):
    """Its clients wait, and time out or not."""

    kind, family, pause_s = "Redis frozen for a while", "Redis", 90.0

    async def inject(self) -> int:
        server = self.target.servers.valkey
        async with self.target.valkey_turn:
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
