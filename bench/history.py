"""A table that holds many rows already: one day's, again and again, on earlier days."""

from __future__ import annotations

from pathlib import Path

import rivals
from servers import Place, Servers

from ingestor.model.tables.trades import TRADES
from ingestor.store.binary_copy import columns_of

_TIMES = ("ts_event", "ts_recv")


def fill(servers: Servers, place: Place, day_file: Path, day_rows: int, rows: int) -> int:
    """Fills the table with at least `rows` rows over as many days as that takes; how many.

    The first day is copied, the others are made of it inside the server, each a day earlier: the
    rows differ in their times, so the key holds.

    Args:
        day_file: Ready bytes of one day of `day_rows`.
    """
    days = max(1, -(-rows // day_rows))
    rivals.psql_copy(servers, place, day_file)
    # A table that grew over months has been vacuumed and analysed on the way.
    vacuumed = f"VACUUM (ANALYZE) public.{TRADES.name}"
    servers.psql(place, *(_copied(back) for back in range(1, days)), vacuumed)
    counted = int(servers.psql(place, f"SELECT count(*) FROM public.{TRADES.name}").strip())
    if counted != days * day_rows:
        raise RuntimeError(f"{counted} rows of history were made, {days * day_rows} were wanted")
    return counted


def _copied(back: int) -> str:
    """Copies the newest day to the `back`-th before it."""
    names = columns_of(TRADES)
    values = [f"{name} - INTERVAL '{back} days'" if name in _TIMES else name for name in names]
    newest = f"(SELECT date_trunc('day', max(ts_event)) FROM public.{TRADES.name})"
    return (
        f"INSERT INTO public.{TRADES.name} ({', '.join(names)}) SELECT {', '.join(values)} "
        f"FROM public.{TRADES.name} WHERE ts_event >= {newest}"
    )
