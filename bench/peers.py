"""Ways into the table that people take with packages of their own; seconds of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import rivals
from servers import Place

from ingestor.model.tables.trades import TRADES
from ingestor.store.binary_copy import columns_of
from ingestor.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import pyarrow as pa

NOTES: Sequence[str] = (
    "to_df has float prices but for copy_records_to_table, which gets exact Decimals",
    "each adds the columns that the key needs; adbc_ingest casts to the table's types in Arrow",
)
_ROWS_AT_ONCE = 10_000
_PRICE_DIGITS = 28


def customary(place: Place, payload: Path) -> float:
    return sum(rivals.customary(place, payload, payload.parent).values())


def records(place: Place, payload: Path) -> float:
    """Exact prices, row by row through asyncpg's own encoder."""
    started = time.perf_counter()
    frame = _framed(rivals.frame_of(payload, "decimal"))
    asyncio.run(_copy_records(place.url(Role.OWNER), frame))
    return time.perf_counter() - started


async def _copy_records(url: str, frame: pd.DataFrame) -> None:
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        await connection.copy_records_to_table(
            TRADES.name,
            columns=list(frame.columns),
            records=frame.itertuples(index=False, name=None),
        )
    finally:
        await connection.close()


def to_sql(place: Place, payload: Path) -> float:
    """The way that pandas offers, through SQLAlchemy and psycopg."""
    from sqlalchemy import create_engine

    engine = create_engine(place.url(Role.OWNER).replace("postgresql:", "postgresql+psycopg:", 1))
    try:
        started = time.perf_counter()
        frame = _framed(rivals.frame_of(payload))
        frame.to_sql(TRADES.name, engine, if_exists="append", index=False, chunksize=_ROWS_AT_ONCE)
        return time.perf_counter() - started
    finally:
        engine.dispose()


def adbc(place: Place, payload: Path) -> float:
    """Arrow through ADBC's binary COPY, every column cast to the type that the table has."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(place.url(Role.OWNER)) as connection, connection.cursor() as cursor:
        started = time.perf_counter()
        table = _arrow(_framed(rivals.frame_of(payload)))
        cursor.adbc_ingest(TRADES.name, table, mode="append")
        connection.commit()
        return time.perf_counter() - started


def _framed(frame: pd.DataFrame) -> pd.DataFrame:
    rivals.add_own_columns(frame)
    return frame[columns_of(TRADES)]


def _arrow(frame: pd.DataFrame) -> pa.Table:
    import pyarrow as pa

    types = {
        "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
        "BIGINT": pa.int64(),
        "INTEGER": pa.int32(),
        "SMALLINT": pa.int16(),
        "NUMERIC": pa.decimal128(_PRICE_DIGITS, 9),
        "TEXT": pa.string(),
    }
    fields = [(name, types[TRADES[name].kind.sql]) for name in frame.columns]
    return pa.Table.from_pandas(frame, preserve_index=False).cast(pa.schema(fields))


_NEEDED: Mapping[str, str] = {
    "to_df → to_sql": "psycopg",
    "to_df → adbc_ingest": "adbc_driver_postgresql",
}
_WAYS: Mapping[str, Callable[[Place, Path], float]] = {
    "to_df → CSV → COPY": customary,
    "to_df → copy_records_to_table": records,
    "to_df → to_sql": to_sql,
    "to_df → adbc_ingest": adbc,
}


def missing() -> dict[str, str]:
    """Ways whose package is not there → why they are not measured."""
    return {
        name: f"the package {package} is not installed (extra bench)"
        for name, package in _NEEDED.items()
        if find_spec(package) is None
    }


def ways() -> dict[str, Callable[[Place, Path], float]]:
    """The ways that can be measured here: name → seconds, from payload to commit."""
    return {name: way for name, way in _WAYS.items() if name not in missing()}
