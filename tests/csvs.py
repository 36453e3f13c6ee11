"""A vendor's files for tests: made-up records spelled as CSV or Parquet, and how they are read."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import zstandard

from ingestor.model import table_of
from ingestor.simulator.market import INSTRUMENTS
from ingestor.sources.source import Spelling, Spellings
from ingestor.transform import load_mapping
from ingestor.transform.symbols import id_of
from ingestor.vocabulary import Schema

MAPPINGS = Path(__file__).parents[1] / "configs" / "mappings"
DATASET = "BERLIN.MADE"
PUBLISHER = 60_777
UNDEFINED = 2**64 - 1
BERLIN = ZoneInfo("Europe/Berlin")
SYMBOLS = {each.instrument_id: each.symbol for each in INSTRUMENTS}

_TIME = '{{op: time, field: {field}, format: "%d.%m.%Y %H:%M:%S.%f", zone: Europe/Berlin}}'
TRADES = f"""\
schema: trades
table: trades_data
columns:
  ts_event: {_TIME.format(field="Zeit")}
  ts_recv: {_TIME.format(field="Empfang")}
  instrument_id: {{op: symbol_id, field: Papier}}
  publisher_id: {{op: constant, value: {PUBLISHER}}}
  sequence: {{op: number, field: Nr}}
  price: {{op: decimal_price, field: Kurs}}
  size: {{op: number, field: Menge}}
  action: {{op: constant, value: T}}
  side: {{op: enum, field: Seite, values: {{Kauf: B, Verkauf: A, ohne: N}}}}
  flags: {{op: constant, value: 0}}
  depth: {{op: constant, value: 0}}
  ts_in_delta: {{op: constant, value: 0}}
"""
BARS = f"""\
schema: ohlcv-1h
table: ohlcv_1h_data
columns:
  ts_event: {_TIME.format(field="Zeit")}
  instrument_id: {{op: symbol_id, field: Papier}}
  publisher_id: {{op: constant, value: {PUBLISHER}}}
  open_price: {{op: decimal_price, field: Auf}}
  high_price: {{op: decimal_price, field: Hoch}}
  low_price: {{op: decimal_price, field: Tief}}
  close_price: {{op: decimal_price, field: Zu}}
  volume: {{op: number, field: Menge}}
  trade_count: {{op: undefined}}
  vwap: {{op: undefined}}
  granularity: {{op: constant, value: 1h}}
  data_source: {{op: constant, value: "csv:Berlin"}}
"""
_SIDES = {b"B": "Kauf", b"A": "Verkauf", b"N": "ohne"}


def write_mappings(folder: Path) -> Path:
    """Both mapping files, as a `configs/mappings` would have them."""
    made = folder / "csv-files" / DATASET
    made.mkdir(parents=True, exist_ok=True)
    (made / "trades.yaml").write_text(TRADES)
    (made / "ohlcv-1h.yaml").write_text(BARS)
    return folder


def spellings_in(mappings: Path = MAPPINGS) -> Spellings:
    """What sources are given to find mapping files."""

    def spelling(folder: str, schema: Schema) -> Spelling:
        return load_mapping(mappings / folder, schema)

    return spelling


def table_rows(schema: Schema, records: np.ndarray) -> list[list[str]]:
    """Made-up records as a vendor would write them, under their header."""
    if schema is Schema.TRADES:
        header = ["Nr", "Papier", "Zeit", "Empfang", "Kurs", "Menge", "Seite", "Bemerkung"]
        return [header, *[_trade(record) for record in records]]
    header = ["Papier", "Zeit", "Auf", "Hoch", "Tief", "Zu", "Menge"]
    return [header, *[_bar(record) for record in records]]


def _trade(record: np.void) -> list[str]:
    times = [_time(int(record["ts_event"])), _time(int(record["ts_recv"]))]
    symbol = SYMBOLS[int(record["instrument_id"])]
    values = [_price(record["price"]), str(record["size"]), _SIDES[bytes(record["side"])]]
    return [str(record["sequence"]), symbol, *times, *values, ""]


def _bar(record: np.void) -> list[str]:
    symbol = SYMBOLS[int(record["instrument_id"])]
    prices = [_price(record[name]) for name in ("open", "high", "low", "close")]
    return [symbol, _time(int(record["ts_event"])), *prices, str(record["volume"])]


def _time(ns: int) -> str:
    if ns == UNDEFINED:
        return "bald"
    seconds, below = divmod(ns, 10**9)
    local = np.datetime64(seconds, "s").astype(object).replace(tzinfo=ZoneInfo("UTC"))
    return f"{local.astimezone(BERLIN):%d.%m.%Y %H:%M:%S}.{below:09d}"


def _price(value: int) -> str:
    return f"{Decimal(int(value)).scaleb(-9).normalize():f}"


def frame_of(schema: Schema, records: np.ndarray) -> np.ndarray:
    """What the mapping must make of `table_rows`, computed without it: one record per row."""
    table = table_of(schema)
    columns = load_mapping(MAPPINGS / "databento", schema).columns(records)
    made = np.zeros(len(records), [(c.name, c.kind.frame) for c in table.frame_columns])
    for name, values in columns.items():
        made[name] = values
    ids = {id_: id_of(symbol.encode()) for id_, symbol in SYMBOLS.items()}
    made["instrument_id"] = [ids[int(each)] for each in records["instrument_id"]]
    made["publisher_id"] = PUBLISHER
    constants = {"flags": 0, "depth": 0, "ts_in_delta": 0, "data_source": b"csv:Berlin"}
    for name in constants.keys() & columns.keys():
        made[name] = constants[name]
    return made


def write_csv(
    path: Path, rows: Sequence[Sequence[str]], *, delimiter: str = ",", **style: object
) -> Path:
    """Rows as CSV, compressed as the name says; or as Parquet, every column text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name.endswith(".parquet"):
        return _write_parquet(path, rows)
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, **{"lineterminator": "\n"} | style).writerows(rows)
    content = text.getvalue().encode()
    if path.name.endswith(".gz"):
        content = gzip.compress(content)
    elif path.name.endswith(".zst"):
        content = zstandard.ZstdCompressor(write_checksum=True).compress(content)
    path.write_bytes(content)
    return path


def _write_parquet(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    header, *body = rows
    columns = {name: [row[at] for row in body] for at, name in enumerate(header)}
    parquet.write_table(
        pa.table(columns, pa.schema([(name, pa.string()) for name in header])), path
    )
    return path
