"""Which symbol was which instrument, kept as payloads and providers tell it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from ingestor.job import SymbolInterval
from ingestor.store.database import Connection
from ingestor.store.queries import queries

_LOAD = queries("load")


async def keep_intervals(
    connection: Connection, dataset: str, intervals: Sequence[SymbolInterval], *, source: str
) -> None:
    """Adds intervals to those that are held; only ones that name an instrument id."""
    named = [each for each in intervals if each.target.isdecimal()]
    kinds = sorted({(each.stype_in, each.stype_out) for each in named})
    for stype_in, stype_out in kinds:
        some = [e for e in named if (e.stype_in, e.stype_out) == (stype_in, stype_out)]
        await connection.execute(
            _LOAD["keep_intervals"], dataset, stype_in, stype_out, source,
            [e.symbol for e in some], [int(e.target) for e in some],
            [dt.date.fromisoformat(e.start) for e in some],
            [dt.date.fromisoformat(e.end) for e in some],
        )  # fmt: skip
