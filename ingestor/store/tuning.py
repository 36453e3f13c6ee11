"""Settings of the server for one load's transaction, and for that alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, Self

from ingestor.logs import get_logger
from ingestor.settings.sections import StoreSection
from ingestor.store.database import Connection
from ingestor.store.queries import queries

log = get_logger(__name__)

_LOAD = queries("load")
DIRECT_COMPRESS: Final = "timescaledb.enable_direct_compress_copy"
"""TimescaleDB 2.21 and later, under the Timescale License; others have no such setting."""


@cache
def _tell_once() -> None:
    """Ten thousand chunks of a process need not say it."""
    log.warning("no direct compress", reason=f"the server has no {DIRECT_COMPRESS}")


@dataclass(frozen=True, slots=True)
class Tuning:
    """What of the server a load sets otherwise than the session has it.

    Attributes:
        synchronous_commit: Whether the commit waits until it is on disk.
        merge_memory_mb: Least memory of each sort and hash of a merge, in MiB; None for what the
            session has.
        direct_compress: Whether COPY may write compressed rows, where the server can.
    """

    synchronous_commit: bool
    merge_memory_mb: int | None
    direct_compress: bool

    @classmethod
    def of(cls, section: StoreSection) -> Self:
        return cls(section.synchronous_commit, section.merge_memory_mb, section.direct_compress)

    async def begin(self, connection: Connection) -> None:
        """For the transaction that has begun. Says nothing where the session is as it should be."""
        if not self.synchronous_commit:
            await connection.execute(_LOAD["commit_at_once"])
        if self.direct_compress and not await connection.fetchval(
            _LOAD["compress_directly"], DIRECT_COMPRESS
        ):
            _tell_once()

    async def merge(self, connection: Connection) -> None:
        """Before the staged rows are joined with those that are there; the stage is analysed."""
        await connection.execute(_LOAD["analyze_stage"])
        if self.merge_memory_mb is not None:
            await connection.execute(_LOAD["more_memory"], self.merge_memory_mb)
