"""What was loaded is read back by symbol and day: every record, none of another's, all digits."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingestor.errors import Usage
from ingestor.query import records as reading
from ingestor.query.frames import frame
from ingestor.query.misses import require_dataset
from ingestor.query.records import count, read, records
from ingestor.query.selection import By, Selection
from ingestor.query.symbols import resolve
from ingestor.simulator.market import DAY, MONDAY, SECOND
from ingestor.vocabulary import Dataset, Schema
from tests.conftest import Place
from tests.loads import UNDEFINED, UNDEFINED_PRICE, Bench, bench, blank, write

TUESDAY = MONDAY + DAY
MON, TUE, WED = (dt.date(2024, 3, day) for day in (11, 12, 13))
GLBX, XNAS = Dataset("GLBX.MDP3"), Dataset("XNAS.ITCH")


@pytest.fixture
async def loads(place: Place, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(place, tmp_path) as made:
        yield made


@pytest.fixture
async def plain_loads(plain_place: Place, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(plain_place, tmp_path) as made:
        yield made


def trades(*rows: dict[str, Any], **each: Any) -> np.ndarray:
    """Trades with these fields; ts_event is ts_recv unless given."""
    made = blank(len(rows))
    for at, row in enumerate(rows):
        fields = {"price": 10**9, "size": 1, "sequence": at, "action": b"T", **each, **row}
        fields.setdefault("ts_event", fields["ts_recv"])
        for name, value in fields.items():
            made[name][at] = value
    return made


def mapped(**symbols: Sequence[tuple[dt.date, dt.date, int]]) -> dict[str, Any]:
    return {
        "symbols": list(symbols),
        "mappings": {
            symbol: [(first, past, str(number)) for first, past, number in spans]
            for symbol, spans in symbols.items()
        },
    }


async def asked(
    loads: Bench, symbols: Sequence[str], *, start: int = MONDAY, end: int = TUESDAY,
    dataset: Dataset | None = None, by: By = "event", schema: Schema = Schema.TRADES,
) -> list[dict[str, Any]]:  # fmt: skip
    """Records of these symbols, as `hdi query` reads them."""
    days = (dt.date(1970, 1, 1) + dt.timedelta(days=each // DAY) for each in (start, end))
    first, past = days
    found = await resolve(loads.database, symbols, dataset=dataset, start=first, end=past)
    return await read(loads.database, Selection(schema, start, end, found.intervals, by=by))


async def test_records_come_back_with_every_digit(loads: Bench, tmp_path: Path) -> None:
    """Nanoseconds and prices at 1e-9, negative and undefined ones."""
    rows = trades(
        {"ts_recv": MONDAY + 1, "price": 1, "size": UNDEFINED["size"]},
        {"ts_recv": MONDAY + 2, "price": -5_200_250_000_001, "size": 2**32 - 2},
        {"ts_recv": MONDAY + 1001, "price": UNDEFINED_PRICE, "action": b""},
        instrument_id=7,
    )
    await loads.load(write(tmp_path / "x.dbn", rows, **mapped(ESH4=[(MON, TUE, 7)])))
    found = await asked(loads, ["ESH4"])

    assert [row["ts_recv"] for row in found] == [
        "2024-03-11T00:00:00.000000001Z",
        "2024-03-11T00:00:00.000000002Z",
        "2024-03-11T00:00:00.000001001Z",
    ]
    assert [row["price"] for row in found] == [
        Decimal("0.000000001"), Decimal("-5200.250000001"), None,
    ]  # fmt: skip
    assert [row["size"] for row in found] == [None, 2**32 - 2, 1]
    assert [row["action"] for row in found] == ["T", "T", None]
    assert {row["symbol"] for row in found} == {"ESH4"}


async def test_an_id_counts_only_on_the_days_it_was_the_symbols(
    loads: Bench, tmp_path: Path
) -> None:
    """Ids are used again: on Tuesday, Monday's id of A is B."""
    rows = trades(
        {"ts_recv": MONDAY + 5, "instrument_id": 1},
        {"ts_recv": TUESDAY + 5, "instrument_id": 1},
        {"ts_recv": TUESDAY + 6, "instrument_id": 2},
    )
    names = mapped(A=[(MON, TUE, 1), (TUE, WED, 2)], B=[(TUE, WED, 1)])
    await loads.load(write(tmp_path / "x.dbn", rows, days=2, **names))
    found = await asked(loads, ["A", "B"], end=TUESDAY + DAY)

    assert [(row["symbol"], row["instrument_id"], row["ts_recv"][:10]) for row in found] == [
        ("A", 1, "2024-03-11"),
        ("B", 1, "2024-03-12"),
        ("A", 2, "2024-03-12"),
    ]


async def test_days_filter_the_time_that_was_named(loads: Bench, tmp_path: Path) -> None:
    """A trade made on Monday and received on Tuesday belongs to Monday by its event."""
    rows = trades(
        {"ts_event": TUESDAY - 1, "ts_recv": TUESDAY + 100, "instrument_id": 1},
        {"ts_event": TUESDAY, "ts_recv": TUESDAY + 200, "instrument_id": 1},
    )
    names = mapped(A=[(TUE, WED, 1)])
    await loads.load(write(tmp_path / "x.dbn", rows, days=2, **names))

    monday = {by: await asked(loads, ["A"], by=by) for by in ("event", "index")}
    tuesday = {
        by: await asked(loads, ["A"], by=by, start=TUESDAY, end=TUESDAY + DAY)
        for by in ("event", "index")
    }

    assert [len(monday["event"]), len(monday["index"])] == [1, 0]
    assert [len(tuesday["event"]), len(tuesday["index"])] == [1, 2]
    assert monday["event"][0]["ts_event"] == "2024-03-11T23:59:59.999999999Z"


async def test_start_is_inclusive_and_end_exclusive(loads: Bench, tmp_path: Path) -> None:
    """To the nanosecond."""
    edges = [MONDAY - 1, MONDAY, TUESDAY - 1, TUESDAY]
    rows = trades(*({"ts_recv": at, "instrument_id": 1} for at in edges))
    names = mapped(A=[(dt.date(2024, 3, 10), WED, 1)])
    told = {"start": MONDAY - DAY, "end": TUESDAY + DAY}
    await loads.load(write(tmp_path / "x.dbn", rows, **told, **names))

    for by in ("event", "index"):
        found = await asked(loads, ["A"], by=by)
        assert [row["ts_recv"] for row in found] == [
            "2024-03-11T00:00:00.000000000Z",
            "2024-03-11T23:59:59.999999999Z",
        ]


async def test_plain_tables_answer_the_same(plain_loads: Bench, tmp_path: Path) -> None:
    """Without TimescaleDB."""
    rows = trades({"ts_recv": MONDAY + 1}, {"ts_recv": TUESDAY}, instrument_id=1)
    await plain_loads.load(write(tmp_path / "x.dbn", rows, days=2, **mapped(A=[(MON, WED, 1)])))

    for by in ("event", "index"):
        [row] = await asked(plain_loads, ["A"], by=by)
        assert row["ts_event"] == "2024-03-11T00:00:00.000000001Z"


async def two_datasets(loads: Bench, folder: Path) -> None:
    """AAPL under the same id in both, and one more of XNAS alone."""
    rows = trades({"ts_recv": MONDAY + 5}, instrument_id=1)
    await loads.load(write(folder / "g" / "x.dbn", rows, **mapped(AAPL=[(MON, TUE, 1)])))
    rows = trades({"ts_recv": MONDAY + 6}, instrument_id=1, publisher_id=2)
    names = mapped(AAPL=[(MON, TUE, 1)], MSFT=[(MON, TUE, 1)])
    await loads.load(write(folder / "x" / "x.dbn", rows, dataset=XNAS, **names))


async def test_a_symbol_of_several_datasets_needs_one_named(loads: Bench, tmp_path: Path) -> None:
    """Which are listed; named, only its own rows come although both use the id."""
    await two_datasets(loads, tmp_path)
    with pytest.raises(Usage, match=r"AAPL is held in several datasets: GLBX.MDP3, XNAS.ITCH"):
        await asked(loads, ["AAPL"])
    found = await asked(loads, ["AAPL"], dataset=XNAS)

    assert [row["publisher_id"] for row in found] == [2]
    assert [row["publisher_id"] for row in await asked(loads, ["MSFT"])] == [2]


async def test_an_unknown_symbol_is_told_with_near_ones(loads: Bench, tmp_path: Path) -> None:
    """An empty answer would look like a day without trades."""
    await two_datasets(loads, tmp_path)
    with pytest.raises(Usage, match="'APPL' is not held") as error:
        await asked(loads, ["APPL"])
    with pytest.raises(Usage, match=r"2 symbols 'X', 'Y' are not held in GLBX\.MDP3"):
        await asked(loads, ["AAPL", "X", "Y"], dataset=GLBX)
    with pytest.raises(Usage, match=r"'MSFT' is not held in GLBX\.MDP3"):
        await asked(loads, ["MSFT"], dataset=GLBX)

    assert error.value.hint == "did you mean AAPL?"


async def test_an_unknown_dataset_is_told_with_near_ones(loads: Bench) -> None:
    """Also where nothing is held yet."""
    with pytest.raises(Usage, match=r"GLBX\.MDP4 is unknown") as error:
        await require_dataset(loads.database, Dataset("GLBX.MDP4"))

    assert error.value.hint == "did you mean GLBX.MDP3?"


async def test_a_symbol_of_other_days_is_noted(loads: Bench, tmp_path: Path) -> None:
    """No rows, and the days on which there are some."""
    await two_datasets(loads, tmp_path)
    found = await resolve(loads.database, ["MSFT"], dataset=None, start=TUE, end=WED)

    [note] = found.notes
    assert "2024-03-11 to 2024-03-12" in note


async def test_all_symbols_are_named_where_a_name_is_known(loads: Bench, tmp_path: Path) -> None:
    """A payload of all symbols brings no names; such rows come with none."""
    rows = trades(
        {"ts_recv": MONDAY + 5, "instrument_id": 1}, {"ts_recv": MONDAY + 6, "instrument_id": 9}
    )
    await loads.load(write(tmp_path / "x.dbn", rows, **mapped(A=[(MON, TUE, 1)])))
    found = await read(loads.database, Selection(Schema.TRADES, MONDAY, TUESDAY, dataset=GLBX))

    assert [(row["symbol"], row["instrument_id"]) for row in found] == [("A", 1), (None, 9)]


async def test_records_that_share_everything_are_all_there(loads: Bench, tmp_path: Path) -> None:
    """Their ordinals tell them apart and keep the order of delivery."""
    rows = trades(*({"ts_recv": MONDAY + 5, "sequence": 1, "instrument_id": 1},) * 3)
    await loads.load(write(tmp_path / "x.dbn", rows, **mapped(A=[(MON, TUE, 1)])))

    assert [row["ordinal"] for row in await asked(loads, ["A"])] == [0, 1, 2]


async def test_a_limit_takes_the_first_and_a_count_tells_of_all(
    loads: Bench, tmp_path: Path
) -> None:
    """`50 rows, and how many more`."""
    rows = trades(*({"ts_recv": MONDAY + at} for at in range(10)), instrument_id=1)
    await loads.load(write(tmp_path / "x.dbn", rows, **mapped(A=[(MON, TUE, 1)])))
    wanted = Selection(Schema.TRADES, MONDAY, TUESDAY, dataset=GLBX, limit=3)
    found = await read(loads.database, wanted)

    assert [row["sequence"] for row in found] == [0, 1, 2]
    assert await count(loads.database, wanted) == 10


async def test_a_long_answer_comes_in_batches_of_one_snapshot(
    loads: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that arrive while it is read are not in it; memory holds a batch."""
    monkeypatch.setattr(reading, "BATCH", 7)
    rows = trades(*({"ts_recv": MONDAY + at * SECOND} for at in range(50)), instrument_id=1)
    first, more = rows[:40], rows[40:]
    await loads.load(write(tmp_path / "a" / "x.dbn", first, **mapped(A=[(MON, TUE, 1)])))
    wanted = Selection(Schema.TRADES, MONDAY, TUESDAY, dataset=GLBX)
    seen = 0
    async with aclosing(records(loads.database, wanted)) as every:
        async for _ in every:
            seen += 1
            if seen == 1:
                await loads.load(write(tmp_path / "b" / "x.dbn", more, **mapped(A=[(MON, TUE, 1)])))

    assert seen == 40
    assert await count(loads.database, wanted) == 50


async def test_an_answer_that_nobody_reads_on_leaves_no_session_behind(
    loads: Bench, tmp_path: Path
) -> None:
    """`hdi query … | head` ends in the midst of it."""
    rows = trades(*({"ts_recv": MONDAY + at} for at in range(9)), instrument_id=1)
    await loads.load(write(tmp_path / "x.dbn", rows))
    wanted = Selection(Schema.TRADES, MONDAY, TUESDAY, dataset=GLBX)
    async with aclosing(records(loads.database, wanted)) as every:
        await anext(every)

    busy = await loads.database.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND state LIKE 'idle in transaction%'"
    )
    assert busy == 0


async def test_a_frame_keeps_nanoseconds_widths_and_exact_prices(
    loads: Bench, tmp_path: Path
) -> None:
    """float64 prices unless decimal ones are asked for."""
    rows = trades(
        {"ts_recv": MONDAY + 1, "price": 1_000_000_001, "size": UNDEFINED["size"]},
        {"ts_recv": MONDAY + 1002, "price": UNDEFINED_PRICE, "size": 3},
        instrument_id=2**32 - 1,
    )
    await loads.load(write(tmp_path / "x.dbn", rows))
    wanted = Selection(Schema.TRADES, MONDAY, TUESDAY, dataset=GLBX)
    floats = await frame(loads.database, wanted)
    exact = await frame(loads.database, wanted, prices="decimal")

    assert floats.index.name == "ts_recv"
    assert floats.index.astype("int64").tolist() == [MONDAY + 1, MONDAY + 1002]
    assert floats["ts_event"].astype("int64").tolist() == [MONDAY + 1, MONDAY + 1002]
    assert floats["instrument_id"].tolist() == [2**32 - 1] * 2
    assert floats["price"].iloc[0] == 1.000000001
    assert np.isnan(floats["price"].iloc[1])
    assert exact["price"].tolist() == [Decimal("1.000000001"), None]
    assert floats["size"].isna().tolist() == [True, False]
    assert str(floats["size"].dtype) == "UInt32"


async def test_an_empty_frame_has_the_same_columns_and_types(loads: Bench, tmp_path: Path) -> None:
    """Code that joins days must not trip over a holiday."""
    await loads.load(write(tmp_path / "x.dbn", trades({"ts_recv": MONDAY}, instrument_id=1)))
    wanted = Selection(Schema.TRADES, MONDAY, TUESDAY, dataset=GLBX)
    full = await frame(loads.database, wanted)
    empty = await frame(loads.database, replace(wanted, start=TUESDAY, end=TUESDAY + DAY))

    assert len(full) == 1
    assert len(empty) == 0
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()
    assert empty.index.dtype == full.index.dtype


async def test_bars_are_read_by_their_only_time(loads: Bench, tmp_path: Path) -> None:
    """Event and index timestamp are one."""
    bars = blank(2, Schema.OHLCV_1H)
    bars["instrument_id"], bars["ts_event"] = 1, [MONDAY, MONDAY + 3_600 * SECOND]
    bars["open"], bars["volume"] = 5 * 10**9, 7
    names = mapped(A=[(MON, TUE, 1)])
    await loads.load(write(tmp_path / "x.dbn", bars, Schema.OHLCV_1H, **names))

    for by in ("event", "index"):
        found = await asked(loads, ["A"], by=by, schema=Schema.OHLCV_1H)
        assert [(row["ts_event"], row["volume"], row["granularity"]) for row in found] == [
            ("2024-03-11T00:00:00.000000000Z", 7, "1h"),
            ("2024-03-11T01:00:00.000000000Z", 7, "1h"),
        ]
