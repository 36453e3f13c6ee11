"""Real files through the rooms: what is stored, held against another decoder."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import databento
import pytest

from ingestor.vocabulary import Schema
from tests.loads import UNDEFINED, UNDEFINED_PRICE, Bench, nanoseconds

pytestmark = pytest.mark.corpus

_FOLDER = Path(os.environ.get("HDI_DBN_CORPUS") or ".")
FILES = [
    pytest.param(path, id=f"{path.parent.name}-{schema}")
    for schema in Schema
    for path in sorted(_FOLDER.glob(f"*/test_data.{schema}.dbn.zst"))
] or [pytest.param(_FOLDER, id="none")]


def decoded(path: Path, schema: Schema) -> list[tuple[Any, ...]]:
    """The file's records by the provider's own client, as tuples of Python values, sorted."""
    one = _trade if schema is Schema.TRADES else _bar
    return sorted((one(record) for record in databento.DBNStore.from_file(path)), key=repr)


def _price(value: int) -> Decimal | None:
    return None if value == UNDEFINED_PRICE else Decimal(value).scaleb(-9).normalize()


def _letter(value: Any) -> str | None:
    return str(value).strip("\0") or None


def _trade(r: Any) -> tuple[Any, ...]:
    size = None if r.size == UNDEFINED["size"] else r.size
    return (r.publisher_id, r.instrument_id, r.ts_event, r.ts_recv, _price(r.price), size,
            _letter(r.action), _letter(r.side), int(r.flags), r.depth, r.ts_in_delta,
            r.sequence)  # fmt: skip


def _bar(r: Any) -> tuple[Any, ...]:
    prices = (_price(r.open), _price(r.high), _price(r.low), _price(r.close))
    return (r.publisher_id, r.instrument_id, r.ts_event, *prices, r.volume)


async def stored(bench: Bench, schema: Schema, table: str) -> list[tuple[Any, ...]]:
    rows = await bench.database.fetch(f"SELECT * FROM {table}")
    one = _trade_row if schema is Schema.TRADES else _bar_row
    return sorted((one(row) for row in rows), key=repr)


def _normal(price: Decimal | None) -> Decimal | None:
    return None if price is None else price.normalize()


def _trade_row(r: Any) -> tuple[Any, ...]:
    return (r["publisher_id"], r["instrument_id"], nanoseconds(r["ts_event"], r["ts_event_ns"]),
            nanoseconds(r["ts_recv"], r["ts_recv_ns"]), _normal(r["price"]), r["size"],
            r["action"], r["side"], r["flags"], r["depth"], r["ts_in_delta"],
            r["sequence"])  # fmt: skip


def _bar_row(r: Any) -> tuple[Any, ...]:
    prices = [_normal(r[f"{name}_price"]) for name in ("open", "high", "low", "close")]
    return (r["publisher_id"], r["instrument_id"], nanoseconds(r["ts_event"]), *prices, r["volume"])


TABLES = {
    Schema.TRADES: "trades_data",
    Schema.OHLCV_1D: "daily_ohlcv_data",
    Schema.OHLCV_1H: "ohlcv_1h_data",
    Schema.OHLCV_1M: "ohlcv_1m_data",
    Schema.OHLCV_1S: "ohlcv_1s_data",
}


def schema_of(path: Path) -> Schema:
    return Schema(path.name.split(".")[1])


@pytest.mark.parametrize("path", FILES)
async def test_a_real_file_is_stored_value_by_value(
    corpus: Path, timescale_bench: Bench, path: Path
) -> None:
    """Rows = the records of the file as the provider's own client decodes them, every field."""
    schema = schema_of(path)
    await timescale_bench.load(path)
    assert await stored(timescale_bench, schema, TABLES[schema]) == decoded(path, schema)


async def test_all_real_files_load_on_plain_postgresql(corpus: Path, plain_bench: Bench) -> None:
    """Plain tables hold the same: of every file, stored = records in the file."""
    for param in FILES:
        (path,) = param.values
        receipts = await plain_bench.load(path)
        count = sum(1 for _ in databento.DBNStore.from_file(path))
        assert sum(each.stored for each in receipts) == count, path


async def test_opra_daily_bars_keep_four_publishers(corpus: Path, plain_bench: Bench) -> None:
    """Bars of one instrument and day that come from several publishers are several rows."""
    path = corpus / "OPRA.PILLAR" / "test_data.ohlcv-1d.dbn.zst"
    await plain_bench.load(path)
    found = await plain_bench.database.fetch("SELECT publisher_id FROM daily_ohlcv_data")
    assert len({row["publisher_id"] for row in found}) == 4


async def test_a_sample_with_a_limit_proves_no_coverage(corpus: Path, plain_bench: Bench) -> None:
    """A payload that was cut short by a limit says so in its receipt and covers no day."""
    path = corpus / "GLBX.MDP3" / "test_data.trades.dbn.zst"
    [receipt] = await plain_bench.load(path)
    covered = await plain_bench.database.fetchval("SELECT count(*) FROM ingest.coverage")
    assert (receipt.partial.startswith("limit"), covered) == (True, 0)
