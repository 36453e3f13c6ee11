"""Other ways to bring the same rows into the same table."""

from __future__ import annotations

import asyncio
import re
import time
import warnings
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rooms import Clock, encoded
from servers import Place, Servers

from ingestor.job import JobPlan
from ingestor.model.tables.trades import TRADES
from ingestor.settings import Settings
from ingestor.store.binary_copy import HEADER, TRAILER, columns_of
from ingestor.store.feed import PIECE
from ingestor.vocabulary import Role

if TYPE_CHECKING:
    import pandas as pd

_TIMING = re.compile(r"^Time: ([\d.]+) ms", re.MULTILINE)


def write_encoded(servers: Servers, job: JobPlan, settings: Settings, name: str = "trades") -> Path:
    """The rows of `job` as a file of a binary COPY, where psql can read it."""
    path = servers.exchange / f"{name}.copy"
    with path.open("wb") as file:
        file.write(HEADER)
        for rows in encoded(job, settings, Clock()):
            file.write(rows)
        file.write(TRAILER)
    servers.programs.jail.own(path)
    return path


def psql_copy(servers: Servers, place: Place, path: Path) -> float:
    r"""`\copy` of ready bytes: the limit. Seconds by psql's own clock, without its start."""
    inside = servers.programs.jail.inside(path)
    columns = ", ".join(columns_of(TRADES))
    said = servers.psql(
        place,
        r"\timing on",
        rf"\copy public.{TRADES.name} ({columns}) from '{inside}' with (format binary)",
    )
    timing = _TIMING.search(said)
    if timing is None:
        raise RuntimeError(f"psql told no time: {said!r}")
    return float(timing[1]) / 1000


def asyncpg_copy(place: Place, path: Path) -> float:
    """The same bytes through asyncpg, as the loader sends them, without making them."""
    return asyncio.run(_asyncpg_copy(place, path))


async def _asyncpg_copy(place: Place, path: Path) -> float:
    async with place.open() as database, database.connection() as connection:
        started = time.perf_counter()
        await connection.copy_to_table(
            TRADES.name, columns=columns_of(TRADES), source=_blocks(path), format="binary"
        )
        return time.perf_counter() - started


async def _blocks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(PIECE):
            yield block


def frame_of(payload: Path, prices: Literal["float", "decimal"] = "float") -> pd.DataFrame:
    """The client's own DataFrame of a payload."""
    from databento import DBNStore

    with warnings.catch_warnings(action="ignore"):  # the client's own, about pandas to come
        return DBNStore.from_file(payload).to_df(price_type=prices).reset_index()


def add_own_columns(frame: pd.DataFrame) -> None:
    """What a user must add so that the key holds: times in microseconds, repeats numbered."""
    for name in ("ts_event", "ts_recv"):
        frame[f"{name}_ns"] = frame[name].dt.nanosecond
        frame[name] = frame[name].dt.floor("us")
    frame["ordinal"] = frame.groupby(list(TRADES.key[:-1])).cumcount()
    frame["chunk_id"] = 1


def customary(place: Place, payload: Path, folder: Path) -> dict[str, float]:
    """`to_df()` → CSV → COPY, and what a user must add so that the key holds; seconds per step."""
    table = folder / "customary.csv"
    marks = [time.perf_counter()]
    frame = frame_of(payload)
    marks.append(time.perf_counter())
    add_own_columns(frame)
    marks.append(time.perf_counter())
    frame.to_csv(table, columns=columns_of(TRADES), index=False)
    del frame
    marks.append(time.perf_counter())
    asyncio.run(_copy_csv(place, table))
    marks.append(time.perf_counter())
    table.unlink()
    steps = ("to_df", "own columns", "to_csv", "COPY")
    return dict(zip(steps, (b - a for a, b in pairwise(marks)), strict=True))


async def _copy_csv(place: Place, table: Path) -> None:
    async with place.open(Role.OWNER) as database, database.connection() as connection:
        await connection.copy_to_table(
            TRADES.name, columns=columns_of(TRADES), source=table, format="csv", header=True
        )
