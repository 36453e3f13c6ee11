"""Whether the service can be used: its database answers and is migrated, its queue answers.

Whoever asks is not known: a check names what failed and what to do, and leaves hosts and logins to
the log.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ingestor.broker import Broker
from ingestor.errors import BrokerUnavailable, DatabaseUnavailable, IngestError
from ingestor.logs import get_logger
from ingestor.store.database import Database
from ingestor.store.migrate import require_current

log = get_logger(__name__)

KEPT_S = 1.0
PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True)
class Check:
    """What one look found.

    Attributes:
        code: Name of the error; empty where all is well.
        hint: What to do next; empty where all is well.
    """

    name: str
    code: str = ""
    hint: str = ""

    @property
    def ok(self) -> bool:
        return not self.code


class Look:
    """Looks at one service: once per `KEPT_S` however many ask, and nobody waits for long."""

    def __init__(
        self, name: str, look: Callable[[], Awaitable[object]], silent: IngestError
    ) -> None:
        """`silent` is what is said of a service that does not answer within `PATIENCE_S`."""
        self._name = name
        self._look = look
        self._silent = silent
        self._until = 0.0
        self._task: asyncio.Task[Check] | None = None

    async def check(self) -> Check:
        task = self._task
        # A look that hangs is not given company: each one may hold a thread.
        if task is None or (task.done() and time.monotonic() >= self._until):
            self._task = task = asyncio.create_task(self._asked())
            self._until = time.monotonic() + KEPT_S
        await asyncio.wait({task}, timeout=PATIENCE_S)
        return task.result() if task.done() else self._failed(self._silent)

    async def _asked(self) -> Check:
        try:
            await self._look()
        except IngestError as error:
            return self._failed(error)
        return Check(self._name)

    def _failed(self, error: IngestError) -> Check:
        log.warning("not ready", check=self._name, code=error.code, reason=error.message)
        return Check(self._name, error.code, error.hint)


class Readiness:
    """Database and queue, looked at together."""

    def __init__(self, opened: Callable[[], Awaitable[Database]], broker: Broker) -> None:
        """`opened` gives the open database, or raises what keeps it closed."""

        async def database() -> None:
            await require_current(await opened())

        async def queue() -> None:
            await asyncio.to_thread(broker.ping)

        silent = f"silent for {PATIENCE_S:g} s"
        self._looks = (
            Look("database", database, DatabaseUnavailable(
                silent, hint="start it (`hdi stack up`), or check HDI_DATABASE_URL")),
            Look("queue", queue, BrokerUnavailable(
                silent, hint="start it (`hdi stack up`), or check HDI_REDIS_URL")),
        )  # fmt: skip

    async def checks(self) -> list[Check]:
        """One check per service; ready is who fails none."""
        return list(await asyncio.gather(*(look.check() for look in self._looks)))
