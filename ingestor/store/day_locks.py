"""Days of a table as advisory locks: loads that only append share them, a merge has them alone."""

from __future__ import annotations

from collections.abc import Collection

from ingestor.model import Table
from ingestor.store.database import Connection
from ingestor.store.queries import queries

_LOAD = queries("load")


async def share_days(
    connection: Connection, table: Table, days: Collection[int], *, timeout_s: float
) -> None:
    """Waits until no merge has any of the days (since 1970), and keeps merges off until the end."""
    await _wait(connection, "share_days", table, days, timeout_s)


async def own_days(
    connection: Connection, table: Table, days: Collection[int], *, timeout_s: float
) -> None:
    """Waits until nobody else has any of the days, and has them alone until the end."""
    await _wait(connection, "own_days", table, days, timeout_s)


async def _wait(
    connection: Connection, how: str, table: Table, days: Collection[int], timeout_s: float
) -> None:
    """Ascending, the same for all: waiting for each other in a ring is not possible."""
    script = _LOAD[how].format(
        table=table.name,
        days=",".join(str(int(day)) for day in sorted(days)),
        timeout_ms=round(timeout_s * 1000),
    )
    await connection.execute(script)
