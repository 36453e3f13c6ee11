"""From Celery's processes to the async library: one event loop and one pool per worker process.

The loop runs in a thread of its own, made after the fork. Celery's main thread stays free for its
time limits (signals that raise there), and the heartbeat goes on while a load waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
import threading
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import ingestor
from ingestor.errors import WrongVault
from ingestor.logs import get_logger
from ingestor.origins import open_sources
from ingestor.settings import Settings
from ingestor.sources.installed import Sources
from ingestor.store import ledger, meta, presence
from ingestor.store.database import Database, DatabaseOptions, answered
from ingestor.store.migrate import require_current
from ingestor.vault import Vault
from ingestor.vocabulary import Role
from workers.sweeping import EACH_S, sweep

log = get_logger(__name__)
T = TypeVar("T")

_REPORT_S = 5.0
_RETRY_S = 1.0
_LOCKED_S = 4.0
_UNWIND_S = 10.0


@dataclass(slots=True)
class Lifecycle:
    """One worker process: its loop, its database, its name in the ledger.

    Attributes:
        spent: Why the process must not take another chunk; empty while it may.
    """

    settings: Settings
    name: str
    host: str
    database: Database
    vault: Vault
    sources: Sources
    loop: asyncio.AbstractEventLoop
    thread: threading.Thread
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    spent: str = ""

    @classmethod
    def start(cls, settings: Settings, *, host: str) -> Lifecycle:
        """Called in the child, after the fork. Does not wait for the database."""
        name = process_name(host, os.getpid())
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="hdi-loop", daemon=True)
        database = Database(DatabaseOptions.of(settings, Role.WORKER), name=f"hdi:{name}")
        vault = Vault.of(settings)
        sources = open_sources(settings, vault)
        made = cls(settings, name, host, database, vault, sources, loop, thread)
        thread.start()
        asyncio.run_coroutine_threadsafe(made._report(), loop)
        asyncio.run_coroutine_threadsafe(made._sweep(), loop)
        return made

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs `work` on the loop and waits. An exception here (a time limit) cancels it there.

        Work that does not end even so leaves the process spent.
        """
        ended = threading.Event()
        future = asyncio.run_coroutine_threadsafe(_telling_end(work, ended), self.loop)
        try:
            return future.result()
        except BaseException as error:
            # The future counts as cancelled at once; what ran for it ends later.
            future.cancel()
            if isinstance(error, Exception) and not ended.wait(_UNWIND_S):
                self.spent = "an attempt that does not end"
            raise

    def stop(self) -> None:
        """Closes the pool and ends the loop, waiting a few seconds at most."""
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._leave(), self.loop).result(timeout=6)
        self.loop.call_soon_threadsafe(self.loop.stop)

    async def ready(self) -> None:
        """Opens the pool at the first use, and again after it could not be opened."""
        # Report and first task come together: one pool, not two.
        async with self.opening:
            if self.database.is_open:
                return
            await self.database.open()
            try:
                await require_current(self.database)
                await same_vault(self.database, self.vault, self.settings)
                # On the list before its first chunk: a shutdown gives back what those on it hold.
                await presence.seen(self.database, await self._process())
            except BaseException:  # a time limit, too: what is open was looked at
                await self.database.close()
                raise

    async def _report(self) -> None:
        """Tells the ledger every few seconds that this process lives."""
        while True:
            delay = _REPORT_S
            try:
                await self.ready()
                process = await self._process()
                await answered(presence.seen(self.database, process), within_s=presence.ONLINE_S)
            except Exception as error:  # noqa: BLE001 - it is told, and tried again
                log.warning("worker not reported", error=str(error))
                delay = _RETRY_S
            await asyncio.sleep(delay)

    async def _sweep(self) -> None:
        """Removes what killed workers left in the vault, now and every minute."""
        while True:
            try:
                await self.ready()
                await sweep(self.database, self.vault)
            except Exception as error:  # noqa: BLE001 - it is told, and tried again
                log.warning("vault not swept", error=str(error))
            await asyncio.sleep(EACH_S)

    async def _process(self) -> presence.Process:
        vault_id = await asyncio.to_thread(self.vault.identify)
        return presence.Process(
            self.name, "worker", self.host, os.getpid(), ingestor.__version__, vault_id
        )

    async def _leave(self) -> None:
        with contextlib.suppress(Exception):
            # On the list for the parent to find, where a chunk could not be given back yet.
            if await hand_back(self.database, [self.name]):
                await presence.gone(self.database, [self.name])
        await self.database.close()


async def _telling_end(work: Coroutine[Any, Any, T], ended: threading.Event) -> T:
    try:
        return await work
    finally:
        ended.set()


async def same_vault(database: Database, vault: Vault, settings: Settings) -> None:
    """Return if this vault is the database's; the first worker's becomes it.

    Raises:
        WrongVault: It is another one, and `vault.scope` is not ``host``.
    """
    if settings.vault.scope == "host":
        return
    mine = await asyncio.to_thread(vault.identify)
    async with database.connection() as connection:
        held = await meta.settle(connection, meta.Fact.VAULT_ID, mine)
    if held != mine:
        raise WrongVault(
            f"the vault at {vault.place} is {mine}; the other workers of this database use {held}",
            hint="give every worker the same HDI_VAULT_URL, or set HDI_VAULT__SCOPE=host where "
            "each host is to keep its own",
        )


async def hand_back(database: Database, names: Sequence[str]) -> bool:
    """Gives back the chunks those workers hold, so that nobody waits for their leases to run out.

    A load that was cut off just now keeps its row locked until the server has noticed. False where
    one still did after some seconds.
    """
    deadline = time.monotonic() + _LOCKED_S
    while True:
        if freed := await ledger.hand_back(database, names):
            log.info("chunks handed back", chunks=freed)
        if not await ledger.held(database, names):
            return True
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_LOCKED_S / 20)


def limit_memory(limit_mb: int | None) -> None:
    """Has this process refused more memory of its own than that: a MemoryError, not a dead host.

    What is asked for counts, not what is used, and threads count with their stacks of 8 MiB.
    """
    if limit_mb is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (limit_mb * 2**20, limit_mb * 2**20))


def process_name(host: str, pid: int) -> str:
    """The name of a worker process in the ledger: ``<celery host>/<pid>``."""
    return f"{host}/{pid}"


def default_host() -> str:
    """How this host is called where nobody named the process."""
    return f"hdi@{socket.gethostname()}"
