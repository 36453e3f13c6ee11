"""What `docs/how-to/load-csv-files.md` promises: vendors' files load by a mapping file alone."""

from __future__ import annotations

import asyncio
import csv
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
import redis
from pyarrow import parquet

from ingestor.settings import Settings
from ingestor.settings.forms import shipped_config_dir
from ingestor.store.database import Database
from tests.acceptance.commands import Said, hdi, submit
from tests.conftest import Place, Servers, _place, environment, make_settings
from tests.csvs import write_csv
from tests.processes import fleet

DAILY = """\
Date,Ticker,Open,High,Low,Close,Volume,VWAP
2024-03-11,ACME,101.25,102.5,99.125,100.75,10432,100.81
2024-03-11,ZETA,20,21,19.5,20.25,77,NA
2024-03-12,ACME,100.75,103,100.5,102.875,9871,
2024-03-12,ZETA,twenty,21,19.5,20.25,78,20.1
2024-03-13,ACME,1,2
2024-03-13,ZETA,20.25,20.5,20,20.125,80,20.3
"""
MINUTES = """\
Date,Time,Ticker,Open,High,Low,Close,Volume,Trades
2024-03-08,15:59,ACME,101,102,101,101.5,300,7
2024-03-11,09:30,ACME,101.5,101.75,101,101.25,500,12
"""
THIRD = """\
schema: ohlcv-1h
table: ohlcv_1h_data
columns:
  ts_event: {op: time, field: when, format: "%d/%m/%y %I%p", zone: Asia/Tokyo}
  instrument_id: {op: symbol_id, field: code, ids: {"7203": 7203}}
  publisher_id: {op: constant, value: 60009}
  open_price: {op: decimal_price, field: o, scale: 0.1}
  high_price: {op: decimal_price, field: h, scale: 0.1}
  low_price: {op: decimal_price, field: l, scale: 0.1}
  close_price: {op: decimal_price, field: c, scale: 0.1}
  volume: {op: number, field: v}
  trade_count: {op: undefined}
  vwap: {op: undefined}
  granularity: {op: constant, value: 1h}
  data_source: {op: constant, value: "csv:Tokyo"}
"""


@dataclass
class Desk:
    """A running service with two workers, and a configuration folder of its own."""

    env: dict[str, str]
    place: Place
    config: Path
    files: Path

    def load(self, path: Path, dataset: str, schema: str, *more: object) -> Said:
        return submit(
            self.env, "--source", "csv-files", "--path", path, "--dataset", dataset,
            "--schema", schema, "--wait", *more,
        )  # fmt: skip

    def rows(self, schema: str, *arguments: object) -> list[dict[str, str]]:
        said = hdi(self.env, "query", schema, "--csv", *arguments)
        assert said.code == 0, said
        return list(csv.DictReader(said.out.splitlines()))

    def fetch(self, sql: str) -> list[tuple[object, ...]]:
        async def ask() -> list[tuple[object, ...]]:
            async with Database(self.place.options(), name="test") as database:
                return [tuple(row) for row in await database.fetch(sql)]

        return asyncio.run(ask())


@pytest.fixture(scope="module")
def desk(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("csv")
    config = home / "config"
    shutil.copytree(shipped_config_dir(), config)
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushall()
    for place in _place(servers):
        made = make_settings(place, servers.redis_url, home)
        settings: Settings = made.model_copy(update={"config_dir": config})
        with fleet(settings, home) as processes:
            for name in ("one", "two"):
                processes.worker(name, HDI_CONFIG_DIR=str(config))
            processes.scheduler()
            env = environment(settings) | {"HDI_CONFIG_DIR": str(config)}
            yield Desk(env, place, config, home / "files")
            said = hdi(env, "verify")
            assert said.code == 0, said


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_bars_of_a_shipped_layout_are_stored_and_bad_rows_are_quarantined_with_their_line(
    desk: Desk,
) -> None:
    said = desk.load(write(desk.files / "daily.csv", DAILY), "ACME.BARS", "ohlcv-1d", "--json")

    assert said.code == 0, said
    assert said.json["records"]["stored"] == 4
    assert said.json["records"]["quarantined"] == 2
    found = desk.rows("ohlcv-1d", "--dataset", "ACME.BARS", "--symbols", "ACME",
                      "--start", "2024-03-11", "--end", "2024-03-14")  # fmt: skip
    assert [row["close_price"] for row in found] == ["100.750000000", "102.875000000"]
    refused = desk.fetch(
        "SELECT rule, position, convert_from(raw, 'UTF8') FROM ingest.quarantine ORDER BY position"
    )
    header, *lines = DAILY.splitlines()
    assert refused == [
        ("open_price.unread", 3, f"{header}\n{lines[3]}\n"),
        ("ts_event.unread", 4, f"{header}\n{lines[4]}\n"),
    ]


def test_what_is_submitted_twice_is_stored_once(desk: Desk) -> None:
    path = write(desk.files / "twice.csv", MINUTES)

    first = desk.load(path, "ACME.BARS", "ohlcv-1m", "--json")
    again = desk.load(path, "ACME.BARS", "ohlcv-1m", "--json", "--force", "--copy-to-vault")

    assert (first.code, again.code) == (0, 0), (first, again)
    assert first.json["records"]["stored"] == 2
    assert again.json["records"]["already_stored"] == 2
    times = desk.fetch("SELECT ts_event::text FROM ohlcv_1m_data ORDER BY 1")
    # New York set its clocks forward between the two.
    assert [str(time) for (time,) in times] == ["2024-03-08 20:59:00+00", "2024-03-11 13:30:00+00"]


def trades(symbol: str) -> list[list[str]]:
    """Trades of which many share a millisecond, some every field."""
    chance = random.Random(4)
    time, rows = 1_710_162_600_000, []
    for _ in range(300):
        time += chance.choice([0, 0, 0, 1, 40])
        seq, price = str(time % 3), str(10_000 + chance.randrange(3))
        rows.append([str(time), symbol, price, "1", chance.choice("BS"), seq])
    return [["time_ms", "contract", "px", "qty", "aggressor", "seq"], *rows]


def stored(desk: Desk, symbol: str) -> Counter[tuple[object, ...]]:
    sql = (
        "SELECT ts_event, ts_recv, sequence, ordinal, price, size, side, action FROM trades_data t"
        " JOIN ingest.symbol_intervals s USING (instrument_id)"
        f" WHERE s.dataset = 'KRONOS.TRADES' AND s.symbol = '{symbol}'"
    )
    return Counter(desk.fetch(sql))


def test_files_cut_anywhere_store_what_the_whole_would(desk: Desk) -> None:
    header, *body = trades("CUT")
    for at, (low, past) in enumerate([(0, 7), (7, 8), (8, 150), (150, 290), (290, 300)]):
        write_csv(
            desk.files / "cut" / f"part-{at}.csv.gz", [header, *body[low:past]], delimiter=";"
        )
    whole = write_csv(desk.files / "whole.csv", trades("WHOLE"), delimiter=";")

    parts = desk.load(desk.files / "cut", "KRONOS.TRADES", "trades", "--json")
    one = desk.load(whole, "KRONOS.TRADES", "trades")

    assert (parts.code, one.code) == (0, 0), (parts, one)
    assert parts.json["records"]["stored"] == 300
    assert stored(desk, "CUT") == stored(desk, "WHOLE")
    assert max(ordinal for _, _, _, ordinal, *_ in stored(desk, "CUT")) > 0
    prices = {str(price) for *_, price, _, _, _ in stored(desk, "CUT")}
    assert prices == {"100.000000000", "100.010000000", "100.020000000"}


def test_parquet_of_the_same_layout_stores_the_same(desk: Desk) -> None:
    header, *body = trades("PARQUET")
    columns = dict(zip(header, zip(*body, strict=True), strict=True))
    typed = {
        "time_ms": pa.array([int(each) for each in columns["time_ms"]], pa.int64()),
        "contract": pa.array(columns["contract"]).dictionary_encode(),
        "px": pa.array([float(each) for each in columns["px"]], pa.float64()),
        "qty": pa.array([int(each) for each in columns["qty"]], pa.uint8()),
        "aggressor": pa.array(columns["aggressor"]),
        "seq": pa.array([Decimal(each) for each in columns["seq"]], pa.decimal128(9, 0)),
    }
    path = desk.files / "trades.parquet"
    parquet.write_table(pa.table(typed), path, row_group_size=70)
    whole = write_csv(desk.files / "csv.csv", trades("CSV"), delimiter=";")

    said = desk.load(path, "KRONOS.TRADES", "trades")
    other = desk.load(whole, "KRONOS.TRADES", "trades")

    assert (said.code, other.code) == (0, 0), (said, other)
    assert stored(desk, "PARQUET") == stored(desk, "CSV")
    assert stored(desk, "PARQUET").total() == 300


def test_a_layout_of_ones_own_is_a_mapping_file(desk: Desk) -> None:
    mapping = write(desk.config / "mappings" / "csv-files" / "TOKYO.MADE" / "ohlcv-1h.yaml", THIRD)
    text = (
        "code|when|o|h|l|c|v\n"
        "7203|11/03/24 09AM|28010|28100|28000|28050|9\n"
        "6758|11/03/24 09AM|?|130|120|125|9\n"
    )
    path = write(desk.files / "tokyo.csv", text)

    checked = hdi(desk.env, "rules", "check")
    said = desk.load(path, "TOKYO.MADE", "ohlcv-1h")

    assert (checked.code, said.code) == (0, 0), (checked, said)
    sql = "SELECT instrument_id, ts_event::text, close_price::text FROM ohlcv_1h_data"
    assert desk.fetch(sql) == [(7203, "2024-03-11 00:00:00+00", "2805.000000000")]

    mapping.write_text(THIRD.replace("field: o, scale: 0.1", 'field: o, scale: 0.1, nulls: ["?"]'))
    again = hdi(desk.env, "quarantine", "replay", "--dataset", "TOKYO.MADE")

    assert again.code == 0, again
    days = ("--start", "2024-03-11", "--end", "2024-03-12")
    [row] = desk.rows("ohlcv-1h", "--symbols", "6758", *days)
    assert (row["open_price"], row["close_price"]) == ("", "12.500000000")


def test_what_the_ask_must_say_is_asked_for(desk: Desk) -> None:
    path = write(desk.files / "asked.csv", DAILY)

    without = submit(desk.env, "--source", "csv-files", "--path", path, "--schema", "ohlcv-1d")
    both = desk.load(path, "ACME.BARS", "ohlcv-1d,ohlcv-1m")
    unknown = desk.load(path, "NOBODY.BARS", "ohlcv-1d")

    assert (without.code, both.code, unknown.code) == (2, 2, 1)
    assert "--dataset" in without.err
    assert "--schema" in both.err
    assert "csv-files/NOBODY.BARS/ohlcv-1d.yaml" in unknown.err
