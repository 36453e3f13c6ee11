"""A frame holds what `read_records` gives: of every schema, whatever is selected of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from ingestor.model import STORED, Column, table_of
from ingestor.model.kind import PRICE
from ingestor.query.frames import frame
from ingestor.query.records import read
from ingestor.query.selection import Selection
from ingestor.query.series import Prices
from ingestor.query.symbols import Interval
from ingestor.simulator.market import DAY, MONDAY
from ingestor.vocabulary import Dataset, Schema
from tests.conftest import Place
from tests.loads import Bench, bench, blank, write
from tests.records import OPRA, PUBLISHERS, arbitrary, inverse_of

GLBX = Dataset("GLBX.MDP3")
DAYS = [dt.date(2024, 3, day) for day in range(10, 16)]
IDS = (0, 1, 2**32 - 1)
SYMBOLS = (None, None, "A", "a", "Ä b", "Z'")
_LATEST = 2**63 - 2**40


@pytest.fixture
async def loads(place: Place, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(place, tmp_path) as made:
        yield made


def expected(records: Sequence[dict[str, Any]], schema: Schema, prices: Prices) -> pd.DataFrame:
    """Those records as a DataFrame, value by value."""
    table = table_of(schema)
    names = list(records[0])
    made = {
        name: pd.Series(
            [record[name] for record in records], dtype="str"
        ) if name == "symbol" else _series(table[name], [r[name] for r in records], prices)
        for name in names
    }  # fmt: skip
    return pd.DataFrame(made).set_index(table.index_column)


def _series(column: Column, values: Sequence[Any], prices: Prices) -> pd.Series:
    if column.kind is PRICE and prices == "decimal":
        return pd.Series(values, dtype="object")
    if column.kind is PRICE:
        floats = [np.nan if value is None else float(value) for value in values]
        return pd.Series(floats, dtype="float64")
    if column.kind.sql == "TIMESTAMPTZ":
        return pd.Series([pd.Timestamp(value) for value in values], dtype="datetime64[ns, UTC]")
    if column.kind.sql == "TEXT":
        return pd.Series(values, dtype="str")
    width = np.dtype(column.kind.frame).name
    nullable = width.replace("uint", "UInt").replace("int", "Int")
    return pd.Series(values, dtype=nullable if column.nullable else width)


def made_up(schema: Schema, rng: np.random.Generator, **how: Any) -> np.ndarray:
    """Anything that a wire can carry, but for times that no frame can hold."""
    records = arbitrary(schema, 300, rng, **how)
    fields = inverse_of(schema).fields
    for column in table_of(schema).frame_columns:
        if column.kind.sql == "TIMESTAMPTZ":
            times = records[fields[column.name]]
            late = (times > _LATEST) & (times != 2**64 - 1)
            times[late] = _LATEST - _LATEST % 10**9
    return records


async def loaded(loads: Bench, folder: Path, schema: Schema, rng: np.random.Generator) -> None:
    """Records of two datasets with the same ids; some have names, one has two on one day."""
    mon, tue, wed, thu = DAYS[1:5]
    names = {
        "A": [(mon, tue, "0"), (wed, thu, "0")],
        "B B": [(tue, thu, "0")],
        "C": [(mon, thu, str(2**32 - 1))],
    }
    told = {"symbols": list(names), "mappings": names, "days": 3}
    for dataset, publishers in ((OPRA, PUBLISHERS), (GLBX, (1,))):
        records = made_up(schema, rng, publishers=publishers)
        path = folder / dataset / f"{schema}.dbn"
        await loads.load(write(path, records, schema, dataset=dataset, **told))


def selections(schema: Schema, rng: np.random.Generator) -> list[Selection]:
    """All of a dataset, and some intervals of two: with symbol and without, on common days too."""
    whole = Selection(schema, MONDAY, MONDAY + 3 * DAY, dataset=Dataset(OPRA), by="index")
    made = [whole, replace(whole, limit=7)]
    for _ in range(8):
        limit = [None, 0, 5, 10**6][rng.integers(4)]
        by: Any = ["event", "index"][rng.integers(2)]
        intervals = tuple(_interval(rng) for _ in range(rng.integers(1, 6)))
        some = replace(whole, intervals=intervals, dataset=None, limit=limit, by=by)
        made.append(replace(some, start=MONDAY + int(rng.integers(DAY))))
    return made


def _interval(rng: np.random.Generator) -> Interval:
    first, past = np.sort(rng.choice(len(DAYS), 2, replace=False))
    dataset = [GLBX, Dataset(OPRA)][rng.integers(2)]
    symbol = SYMBOLS[rng.integers(len(SYMBOLS))]
    return Interval(dataset, symbol, IDS[rng.integers(3)], DAYS[first], DAYS[past])


@pytest.mark.parametrize("schema", STORED)
async def test_a_frame_holds_what_records_are(loads: Bench, tmp_path: Path, schema: Schema) -> None:
    """Columns, types, order, symbols, nulls, every digit: ids that were used again, days that
    cut them, limits, symbols that share rows.
    """
    rng = np.random.default_rng(20_240_311)
    await loaded(loads, tmp_path, schema, rng)
    seen = 0
    for wanted in selections(schema, rng):
        records = await read(loads.database, wanted)
        for prices in ("float", "decimal"):
            found = await frame(loads.database, wanted, prices=prices)
            assert len(found) == len(records)
            if records:
                assert_frame_equal(found, expected(records, schema, prices), check_exact=True)
        seen += len(records)

    everything = Selection(schema, MONDAY, MONDAY + 3 * DAY, dataset=Dataset(OPRA), by="index")
    full = await frame(loads.database, everything)
    nothing = await frame(loads.database, replace(everything, intervals=(), dataset=None))
    assert nothing.dtypes.to_dict() == full.dtypes.to_dict()
    assert len(nothing) == 0
    assert seen > 50


async def test_exact_prices_are_spelled_as_records_spell_them(loads: Bench, tmp_path: Path) -> None:
    """Nine decimals, whatever precision the caller computes with."""
    rows = blank(2)
    rows["instrument_id"], rows["ts_recv"], rows["ts_event"] = 1, MONDAY, MONDAY
    rows["price"], rows["sequence"] = [2**63 - 2, 5 * 10**9], [1, 2]
    await loads.load(write(tmp_path / "x.dbn", rows))
    wanted = Selection(Schema.TRADES, MONDAY, MONDAY + DAY, dataset=GLBX)
    with localcontext(prec=3):
        found = await frame(loads.database, wanted, prices="decimal")
    records = await read(loads.database, wanted)

    assert [str(price) for price in found["price"]] == ["9223372036.854775806", "5.000000000"]
    assert [str(row["price"]) for row in records] == [str(price) for price in found["price"]]
    assert found["price"].iloc[0] == Decimal(2**63 - 2).scaleb(-9)


async def test_a_frame_is_of_one_snapshot(loads: Bench, tmp_path: Path) -> None:
    """Text is measured before it is read; what comes in between may be longer, and is not there."""
    bars = blank(1, Schema.DEFINITION)
    bars["instrument_id"], bars["ts_recv"], bars["ts_event"] = 1, MONDAY, MONDAY
    bars["raw_symbol"] = b"A"
    await loads.load(write(tmp_path / "a" / "x.dbn", bars, Schema.DEFINITION))
    wanted = Selection(Schema.DEFINITION, MONDAY, MONDAY + DAY, dataset=GLBX, by="index")
    more = bars.copy()
    more["instrument_id"], more["raw_symbol"] = 2, b"A LONGER ONE"

    class Late:
        """A reader whose connections are slow to copy."""

        fetch = staticmethod(loads.database.fetch)

        def connection(self) -> Any:
            return _Late(loads, write(tmp_path / "b" / "x.dbn", more, Schema.DEFINITION))

    found = await frame(Late(), wanted)

    assert found["raw_symbol"].tolist() == ["A"]
    assert (await frame(loads.database, wanted))["raw_symbol"].tolist() == ["A", "A LONGER ONE"]


class _Late:
    """Loads a file between the first query of a connection and its COPY."""

    def __init__(self, loads: Bench, path: Path) -> None:
        self._loads, self._path = loads, path
        self._context = loads.database.connection()

    async def __aenter__(self) -> Self:
        self._connection = await self._context.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> Any:
        return await self._context.__aexit__(*error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def copy_from_query(self, *values: Any, **how: Any) -> Any:
        await self._loads.load(self._path)
        return await self._connection.copy_from_query(*values, **how)
