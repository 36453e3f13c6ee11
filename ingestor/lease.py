"""The lease of a chunk, renewed while its load goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

from ingestor.errors import DatabaseUnavailable, LeaseLost
from ingestor.job import Claim
from ingestor.logs import get_logger
from ingestor.receipt import Receipt
from ingestor.settings import Settings
from ingestor.store import ledger
from ingestor.store.database import Database, answered
from ingestor.store.feed import Progress

log = get_logger(__name__)

_SILENT_LEASES = 3
"""For so many leases a server may say nothing at all; then the way to it is taken for broken."""


async def leased(
    database: Database,
    claim: Claim,
    settings: Settings,
    progress: Progress,
    load_it: Coroutine[Any, Any, Receipt],
) -> Receipt:
    """Renews the lease of a claimed chunk while its load goes on.

    Raises:
        LeaseLost: Another worker owns the chunk now; nothing was written.
        DatabaseUnavailable: The server says nothing any more, neither yes nor no: a network that
            drops everything. Whether a commit under way went through, the ledger will tell.
    """
    work = asyncio.create_task(load_it)
    beat = asyncio.create_task(_keep(database, claim, settings, progress))
    try:
        await asyncio.wait({work, beat}, return_when=asyncio.FIRST_COMPLETED)
        silent = beat.exception() if beat.done() else None
        if progress.committing and silent is None:
            # The lease may be gone with the chunk: a commit that is not answered by now never is.
            await asyncio.wait({work}, timeout=settings.lease.duration_s)
        if not work.done():
            if progress.committing and silent is None:
                raise DatabaseUnavailable("the database has not answered to a commit")
            if isinstance(silent, DatabaseUnavailable):
                raise silent
            raise LeaseLost(f"chunk {claim.chunk_id} has another owner") from silent
        return work.result()
    finally:
        for task in (work, beat):
            task.cancel()
        await asyncio.gather(work, beat, return_exceptions=True)


async def _keep(database: Database, claim: Claim, settings: Settings, progress: Progress) -> None:
    """Renews the lease until it is lost. A database that refuses, or is down, is no such answer.

    Raises:
        DatabaseUnavailable: Nothing was heard of the server for `_SILENT_LEASES`.
    """
    lease = settings.lease
    heard = time.monotonic()
    while True:
        await asyncio.sleep(lease.heartbeat_s)
        try:
            kept = await answered(
                ledger.renew(
                    database, claim, lease_s=lease.duration_s, rows=progress.fetched,
                    bytes_=progress.bytes,
                ),
                within_s=lease.duration_s,
            )  # fmt: skip
        except Exception as error:
            log.warning("lease not renewed", error=str(error))
            # Not even a refusal, that is: a server that is down or restarts refuses.
            silent = isinstance(error.__cause__, TimeoutError)
            if silent and time.monotonic() - heard > _SILENT_LEASES * lease.duration_s:
                raise
            heard = heard if silent else time.monotonic()
            continue
        heard = time.monotonic()
        if not kept:
            return
