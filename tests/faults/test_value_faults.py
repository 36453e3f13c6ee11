"""Values at and beyond every edge, from the wire through a real worker: into a row or quarantine.

Nothing between: what a column can hold is stored as it was delivered, and all else keeps its bytes.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingestor.errors import RejectionLimit
from ingestor.settings import Settings
from ingestor.simulator.market import DAY, MONDAY, SECOND
from ingestor.simulator.server import SimulatorOptions, running
from ingestor.store.database import Database
from ingestor.vocabulary import Schema
from tests.acceptance.commands import Here, Said, ask, here, submit
from tests.conftest import Place
from tests.gateways import Desk, facing
from tests.invariants import check_invariants
from tests.loads import write
from tests.made import made
from tests.processes import fleet
from tests.values import wire_rows

__all__ = ["here"]
pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]
I64, U64, U32, I32 = 2**63 - 1, 2**64 - 1, 2**32 - 1, 2**31 - 1
SEED = 20_240_311
SOUND = 100
"""Sound records around those with a case."""
INSTRUMENT = 5
MINUTE = 60 * SECOND


@dataclass(frozen=True)
class Case:
    """One record with one odd field; `rule` keeps it out, none where it is stored."""

    field: str
    value: Any
    rule: str = ""


TRADES = (
    Case("price", I64, "price-defined"),
    Case("price", I64 - 1),
    Case("price", -I64),
    Case("price", -I64 - 1, "price.range"),
    Case("price", 0),
    Case("price", -37_630_000_000),
    Case("size", U32),
    Case("size", U32 - 1),
    Case("size", 0, "size-above-zero"),
    Case("action", b"\0", "action-known"),
    Case("action", b"X", "action-known"),
    Case("action", b"\xff", "action.range"),
    Case("side", b"\0", "side-known"),
    Case("side", b"\x80", "side.range"),
    Case("ts_event", U64, "ts_event.required"),
    Case("ts_event", I64 - 1),
    Case("ts_event", 0),
    Case("ts_in_delta", -I32 - 1),
    Case("ts_in_delta", I32),
    Case("sequence", U32),
    Case("flags", 255),
    Case("depth", 255),
)
BARS = (
    Case("open", I64),
    Case("low", -I64),
    Case("low", -I64 - 1, "low_price.range"),
    Case("high", 0, "high-not-below-low"),
    Case("open", I64 - 1, "open-within-bar"),
    Case("close", -5, "close-within-bar"),
    Case("volume", 0),
    Case("volume", I64),
    Case("volume", I64 + 1, "volume.range"),
    Case("volume", U64, "volume.range"),
    Case("ts_event", U64, "ts_event.required"),
)
DEFINITIONS = (
    Case("raw_symbol", "ESM4 é€".encode()),
    Case("raw_symbol", b"\xff\xfe", "raw_symbol.text"),
    Case("raw_symbol", b"ES\0M4", "raw_symbol.text"),
    Case("raw_symbol", b"E\xc3", "raw_symbol.text"),
    Case("currency", b"\xc3(", "currency.text"),
    Case("expiration", U64),
    Case("min_price_increment", I64),
)


@dataclass(frozen=True)
class Delivery:
    """Records on their way, and what becomes of each of them.

    Attributes:
        kept: Records that are stored.
        refused: (rule, bytes) of those that are not.
    """

    records: np.ndarray
    kept: np.ndarray
    refused: Counter[tuple[str, bytes]]

    def at(self, order: np.ndarray) -> Delivery:
        """The same in another order."""
        return Delivery(self.records[order], self.kept, self.refused)


def delivery(
    schema: Schema, cases: Sequence[Case], *, step: int = SECOND, day: int = 0
) -> Delivery:
    """Sound records, one for each case, and every third sound one three times."""
    records = base(schema, SOUND + len(cases), step, MONDAY + day * DAY)
    odd = range(0, 2 * len(cases), 2)
    for at, case in zip(odd, cases, strict=True):
        records[case.field][at] = case.value
    rules = {at: case.rule for at, case in zip(odd, cases, strict=True) if case.rule}
    kept = np.array([at not in rules for at in range(len(records))])
    refused = Counter((rule, records[at].tobytes()) for at, rule in rules.items())
    twice = records[2 * len(cases) :][::3]
    whole = np.concatenate([records, twice, twice])
    if schema is not Schema.OHLCV_1M:
        return Delivery(whole, np.concatenate([records[kept], twice, twice]), refused)
    repeats = Counter(("ordinal.repeat", each.tobytes()) for each in (*twice, *twice))
    return Delivery(whole, records[kept], refused + repeats)


def base(schema: Schema, count: int, step: int, start: int) -> np.ndarray:
    records = made(schema, count, start=start, step=step, instrument_id=INSTRUMENT)
    if schema is Schema.TRADES:
        records["ts_recv"] += np.arange(count, dtype=np.uint64) % np.uint64(7)
    elif schema is Schema.OHLCV_1M:
        records["open"], records["close"], records["low"], records["high"] = 5, 6, 1, 9
    return records


async def quarantined(database: Database) -> Counter[tuple[str, bytes]]:
    rows = await database.fetch("SELECT rule, raw FROM ingest.quarantine")
    return Counter((row["rule"], bytes(row["raw"])) for row in rows)


def shuffled(found: Delivery) -> Delivery:
    print(f"seed {SEED}")
    return found.at(np.random.default_rng(SEED).permutation(len(found.records)))


def by_records(said: Said) -> tuple[int, int, int]:
    assert said.code == 0, said.err
    told = said.json["records"]
    return told["stored"], told["quarantined"], told["already_stored"]


def sums(found: Delivery) -> tuple[int, int, int]:
    return len(found.kept), found.refused.total(), 0


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_every_odd_value_becomes_its_row_or_keeps_its_bytes_in_quarantine(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    """Undefined, out of range, no text, out of order, three times the same: from files and from the
    provider; and the same file again stores nothing more.
    """
    nowhere = (*TRADES, Case("ts_recv", U64, "ts_recv.required"))
    trades, bars = delivery(Schema.TRADES, nowhere), delivery(Schema.OHLCV_1M, BARS, step=MINUTE)
    bought = delivery(Schema.TRADES, TRADES, day=1)
    archive = SimulatorOptions(folder=archived(bought, tmp_path / "archive"), limits=False)
    with running(archive) as gateway, fleet(facing(settings, gateway), tmp_path) as made_:
        made_.worker(HDI_STORE__BATCH_RECORDS="7")
        made_.scheduler()
        wait = ("--wait", "--timeout", "60", "--json")
        paths = {
            "trades": write(tmp_path / "trades.dbn.zst", shuffled(trades).records),
            "bars": write(tmp_path / "bars.dbn", shuffled(bars).records, Schema.OHLCV_1M),
        }
        for name, wanted in (("trades", trades), ("bars", bars)):
            said = submit(made_.settings, "--path", paths[name], *wait)
            assert by_records(said) == sums(wanted), made_.logs_text()
        days = ("--start", "2024-03-12", "--end", "2024-03-13")
        ask = ("--dataset", "GLBX.MDP3", "--schema", "trades", "--symbols", "ESM4")
        assert by_records(submit(made_.settings, *ask, *days, *wait)) == sums(bought)
        rows = wire_rows(Schema.TRADES, trades.kept) + wire_rows(Schema.TRADES, bought.kept)
        expected = {Schema.TRADES: rows, Schema.OHLCV_1M: wire_rows(Schema.OHLCV_1M, bars.kept)}
        await check_invariants(database, expected=expected, fleet=made_)
        assert await quarantined(database) == trades.refused + bars.refused + bought.refused
        again = submit(made_.settings, "--path", paths["trades"], "--force", *wait)
        assert by_records(again) == (0, trades.refused.total(), len(trades.kept))
        await check_invariants(database, expected=expected, fleet=made_)


def archived(found: Delivery, folder: Path) -> Path:
    """A folder that the simulator serves: what it holds is what is delivered."""
    start = MONDAY + DAY
    write(
        folder / "tuesday.dbn.zst", shuffled(found).records, start=start, end=start + DAY,
        mappings={"ESM4": [(dt.date(2024, 3, 12), dt.date(2024, 3, 13), str(INSTRUMENT))]},
    )  # fmt: skip
    return folder


def test_texts_that_are_none_are_kept_out_and_those_that_are_stay_as_they_are(
    here: Here, settings: Settings, place: Place, tmp_path: Path
) -> None:
    """Of definitions: bytes that are no UTF-8, a NUL before the end, letters of several bytes."""
    found = delivery(Schema.DEFINITION, DEFINITIONS)
    path = write(tmp_path / "definitions.dbn.zst", found.records, Schema.DEFINITION)
    desk = Desk(here, settings, place)
    assert by_records(desk.done("--path", path)) == sums(found)
    assert ask(place, quarantined) == found.refused
    stored = ask(place, lambda db: db.fetch("SELECT raw_symbol, currency FROM definitions_data"))
    texts = ((each["raw_symbol"].decode(), each["currency"].decode()) for each in found.kept)
    assert Counter(tuple(row) for row in stored) == Counter(texts)


def test_a_chunk_of_too_many_odd_values_fails_and_says_which(
    here: Here, settings: Settings, place: Place, tmp_path: Path
) -> None:
    """Beyond the table's limit nothing of it is stored, not even what is sound."""
    records = base(Schema.TRADES, 1_000, SECOND, MONDAY)
    records["price"][:150] = I64
    path = write(tmp_path / "trades.dbn.zst", records)
    desk = Desk(here, settings, place)
    assert desk.submit("--path", path).code == 0
    with pytest.raises(RejectionLimit, match="price-defined 150"):
        desk.work()
    assert ask(place, lambda db: db.fetchval("SELECT count(*) FROM trades_data")) == 0
    assert ask(place, lambda db: db.fetchval("SELECT count(*) FROM ingest.quarantine")) == 0
