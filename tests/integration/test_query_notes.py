"""An answer that holds less than it seems says so: not held, not stored, not proven complete."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ingestor.query import Question, read_frame, read_records, select
from ingestor.simulator.market import MONDAY
from ingestor.store.database import Database
from ingestor.store.queries import queries
from ingestor.vocabulary import Dataset, Schema, SType
from tests.conftest import Place
from tests.loads import Bench, bench, blank, write
from tests.stored import Told, keep

GLBX, IFEU = Dataset("GLBX.MDP3"), Dataset("IFEU.IMPACT")
MON, TUE, WED, THU = (dt.date(2024, 3, day) for day in (11, 12, 13, 14))
UNPROVEN = "not proven complete on"
RAW, PARENT, CONTINUOUS, ID = (
    SType.RAW_SYMBOL, SType.PARENT, SType.CONTINUOUS, SType.INSTRUMENT_ID,
)  # fmt: skip


@pytest.fixture
async def loads(place: Place, tmp_path: Path) -> AsyncIterator[Bench]:
    """One trade of instrument 1, ESM4, on Monday, from a file that proves no days."""
    async with bench(place, tmp_path) as made:
        rows = blank(1)
        rows["instrument_id"], rows["ts_recv"], rows["ts_event"] = 1, MONDAY + 5, MONDAY + 5
        names = {"symbols": ["ESM4"], "mappings": {"ESM4": [(MON, TUE, "1")]}}
        await made.load(write(tmp_path / "x.dbn", rows, **names))
        await keep(made.database, [Told(GLBX, RAW, "ESM4", 1, TUE, THU)])
        yield made


async def cover(
    database: Database, symbol: str, first: dt.date, past: dt.date, *,
    stype_in: SType = RAW, schema: str = "trades",
) -> None:  # fmt: skip
    async with database.connection() as connection:
        await connection.execute(
            queries("coverage")["cover"], GLBX, schema, stype_in, [symbol], [first], [past]
        )


async def notes(loads: Bench, symbols: tuple[str, ...] | None, **how: Any) -> list[str]:
    asked = {"schema": Schema.TRADES, "start": MON, "end": THU, "dataset": GLBX, **how}
    _, said = await select(loads.database, Question(symbols=symbols, **asked))
    return list(said)


async def test_a_dataset_that_holds_nothing_is_noted(loads: Bench) -> None:
    """Nothing at all, or nothing of the schema."""
    assert await notes(loads, None, dataset=IFEU) == ["no trades of IFEU.IMPACT are held"]
    assert await notes(loads, ("7",), dataset=IFEU, stype_in=ID) == [
        "no trades of IFEU.IMPACT are held"
    ]
    assert await notes(loads, ("ESM4",), schema=Schema.OHLCV_1D) == [
        "no ohlcv-1d of GLBX.MDP3 are held"
    ]
    assert await notes(loads, None) == []


async def test_an_instrument_id_without_records_is_noted(loads: Bench) -> None:
    """Also one that has some on other days; not one that has some, however it is written."""
    assert await notes(loads, ("99999",), stype_in=ID) == [
        "no trades of instrument id 99999 of GLBX.MDP3 are held on these days"
    ]
    assert await notes(loads, ("01",), stype_in=ID) == []
    assert await notes(loads, ("1", "2", "3"), stype_in=ID, start=TUE) == [
        "no trades of instrument ids 1, 2, 3 of GLBX.MDP3 are held on these days"
    ]


async def test_days_that_nothing_proves_are_noted_in_one_line(loads: Bench) -> None:
    """Once days of this dataset and schema are proven at all: else all of them would be named."""
    await cover(loads.database, "ESM4", MON, THU, schema="ohlcv-1d")
    assert await notes(loads, ("ESM4",)) == []
    await cover(loads.database, "ESM4", TUE, WED)
    both = f"{UNPROVEN} 2024-03-11 to 2024-03-12, 2024-03-13 to 2024-03-14 (end exclusive)"

    assert await notes(loads, ("ESM4",)) == [f"trades of ESM4: {both}"]
    assert await notes(loads, None) == [f"trades of GLBX.MDP3: {both}"]
    assert await notes(loads, ("ESM4",), start=TUE, end=WED) == []
    assert await notes(loads, None, start=TUE, end=WED) == []


async def test_a_request_for_all_symbols_proves_each(loads: Bench) -> None:
    """Whatever type it is asked for as."""
    await keep(loads.database, [Told(GLBX, PARENT, "ES.FUT", 1, MON, THU)])
    await cover(loads.database, "*", MON, THU)

    assert await notes(loads, ("ESM4",)) == []
    assert await notes(loads, ("ES.FUT",), stype_in=PARENT) == []
    assert await notes(loads, ("1",), stype_in=ID) == []


@pytest.mark.parametrize(
    ("symbol", "stype_in"), [("ES.FUT", PARENT), ("ES.c.0", CONTINUOUS), ("1", ID)]
)
async def test_another_type_proves_its_instruments_on_its_days(
    loads: Bench, symbol: str, stype_in: SType
) -> None:
    """ESM4 was bought as a member of ES.FUT until Wednesday: its Wednesday is not proven."""
    if stype_in is not ID:
        await keep(loads.database, [Told(GLBX, stype_in, symbol, 1, MON, WED)])
    await cover(loads.database, symbol, MON, WED if stype_in is ID else THU, stype_in=stype_in)

    assert await notes(loads, ("ESM4",)) == [
        f"trades of ESM4: {UNPROVEN} 2024-03-13 to 2024-03-14 (end exclusive)"
    ]
    assert await notes(loads, ("01",), stype_in=ID) == [
        f"trades of 01: {UNPROVEN} 2024-03-13 to 2024-03-14 (end exclusive)"
    ]


async def test_members_do_not_prove_their_parent(loads: Bench) -> None:
    """There may be others."""
    await keep(loads.database, [Told(GLBX, PARENT, "ES.FUT", 1, MON, THU)])
    await cover(loads.database, "ESM4", MON, THU)

    assert await notes(loads, ("ES.FUT",), stype_in=PARENT) == [
        f"trades of ES.FUT: {UNPROVEN} 2024-03-11 to 2024-03-14 (end exclusive)"
    ]


async def test_the_library_warns_of_the_same(loads: Bench) -> None:
    """And is silent where everything asked for is held."""
    await cover(loads.database, "ESM4", MON, TUE)
    days: Any = {"start": MON, "end": TUE}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(await read_records(loads.database, "trades", "ESM4", **days)) == 1
    with pytest.warns(UserWarning, match="no trades of IFEU.IMPACT are held"):
        assert await read_records(loads.database, "trades", None, dataset=IFEU, **days) == []
    with pytest.warns(UserWarning, match="trades of ESM4: not proven complete on 2024-03-12"):
        await read_frame(loads.database, "trades", "ESM4", start=MON, end=WED)
