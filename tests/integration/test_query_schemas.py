"""Every schema is read back in its own values: wide numbers, text, times that may be undefined."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ingestor.dbn import layout
from ingestor.errors import Usage
from ingestor.model import STORED, table_of
from ingestor.model.records import record_model
from ingestor.query import read_frame, read_records
from ingestor.simulator.market import MONDAY
from ingestor.vocabulary import Schema
from tests.conftest import Place
from tests.loads import UNDEFINED_PRICE, Bench, bench, blank, write

UNDEFINED_TIME = 2**64 - 1
MON, TUE = dt.date(2024, 3, 11), dt.date(2024, 3, 12)
ASKED: dict[str, Any] = {"start": MON, "end": TUE, "dataset": "GLBX.MDP3", "by": "index"}


@pytest.fixture
async def loads(plain_place: Place, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(plain_place, tmp_path) as made:
        yield made


async def loaded(loads: Bench, folder: Path, schema: Schema, *rows: dict[str, Any]) -> None:
    """Loads records of instrument 7, A on Monday, with these fields and zeros."""
    made = blank(len(rows), schema)
    for at, row in enumerate(rows):
        times = dict.fromkeys(("ts_event", "ts_recv"), MONDAY + at)
        for name, value in {"instrument_id": 7, **times, **row}.items():
            if name in (made.dtype.names or ()):
                made[name][at] = value
    names = {"symbols": ["A"], "mappings": {"A": [(MON, TUE, "7")]}}
    await loads.load(write(folder / f"{schema}.dbn", made, schema, **names))


DEFINITIONS: tuple[dict[str, Any], ...] = (
    {
        "raw_instrument_id": 2**64 - 1, "raw_symbol": b"A", "group": b" ES ", "asset": b"",
        "expiration": MONDAY + 999, "activation": UNDEFINED_TIME, "match_algorithm": b" ",
        "contract_multiplier_unit": -128, "flow_schedule_type": 127, "maturity_year": 65_535,
        "strike_price": UNDEFINED_PRICE, "min_price_increment": 250_000_000,
    },
    {"raw_symbol": "é".encode(), "expiration": UNDEFINED_TIME, "ts_event": UNDEFINED_TIME},
)  # fmt: skip


async def test_definitions_come_back_as_what_they_are(loads: Bench, tmp_path: Path) -> None:
    """A number of 64 bits, text with its blanks, nulls, a time with nanoseconds and one without."""
    await loaded(loads, tmp_path, Schema.DEFINITION, *DEFINITIONS)
    first, second = await read_records(loads.database, "definition", "A", **ASKED)

    assert (first["raw_instrument_id"], type(first["raw_instrument_id"])) == (2**64 - 1, int)
    assert (first["security_group"], first["asset"], first["match_algorithm"]) == (
        " ES ",
        None,
        " ",
    )
    assert first["expiration"] == "2024-03-11T00:00:00.000000999Z"
    assert first["activation"] is None
    assert (first["contract_multiplier_unit"], first["flow_schedule_type"]) == (-128, None)
    assert (first["strike_price"], first["min_price_increment"]) == (None, Decimal("0.25"))
    assert first["maturity_year"] is None
    assert (second["raw_symbol"], second["ts_event"], second["expiration"]) == ("é", None, None)


async def test_a_frame_of_definitions_keeps_widths_and_nulls(loads: Bench, tmp_path: Path) -> None:
    """uint64 is exact past 2^63; nullable integers are pandas' own; no time is no time."""
    await loaded(loads, tmp_path, Schema.DEFINITION, *DEFINITIONS)
    frame = await read_frame(loads.database, "definition", None, **ASKED)

    assert frame.index.name == "ts_recv"
    assert frame["raw_instrument_id"].tolist() == [2**64 - 1, 0]
    dtypes = {name: str(frame[name].dtype) for name in frame}
    assert (dtypes["raw_instrument_id"], dtypes["contract_multiplier_unit"]) == ("uint64", "Int8")
    assert (dtypes["appl_id"], dtypes["leg_count"], dtypes["rtype"]) == ("Int16", "uint16", "uint8")
    assert (dtypes["expiration"], dtypes["asset"]) == ("datetime64[ns, UTC]", "str")
    assert frame["expiration"].iloc[0] == pd.Timestamp(MONDAY + 999, tz="UTC")
    assert frame["expiration"].isna().tolist() == [False, True]
    assert frame["activation"].isna().tolist() == [True, False]
    assert frame["contract_multiplier_unit"].tolist() == [-128, 0]
    assert frame["asset"].isna().all()


async def test_a_time_past_the_end_of_pandas_nanoseconds_is_told(
    loads: Bench, tmp_path: Path
) -> None:
    """Records hold it; a frame would have to change it."""
    late = {"expiration": 2**63 + 10**18, "raw_symbol": b"A"}
    await loaded(loads, tmp_path, Schema.DEFINITION, late)
    [record] = await read_records(loads.database, "definition", "A", **ASKED)
    with pytest.raises(Usage, match=r"expiration 2293-12-19 .* is past 2262-04-11"):
        await read_frame(loads.database, "definition", "A", **ASKED)

    assert record["expiration"] == "2293-12-19T01:33:56.854775808Z"


async def test_statistics_come_back_as_price_or_quantity(loads: Bench, tmp_path: Path) -> None:
    """Whole 64 bits with their sign; the reference time may be undefined."""
    rows = (
        {"quantity": 1 - 2**63, "price": UNDEFINED_PRICE, "stat_type": 9,
         "ts_ref": UNDEFINED_TIME, "channel_id": 65_535},
        {"quantity": 2**63 - 1, "price": -1, "stat_type": 65_535, "ts_ref": MONDAY + 1_001},
    )  # fmt: skip
    await loaded(loads, tmp_path, Schema.STATISTICS, *rows)
    first, second = await read_records(loads.database, "statistics", "A", **ASKED)
    frame = await read_frame(loads.database, "statistics", "A", **ASKED)

    assert (first["quantity"], first["price"], first["ts_ref"]) == (1 - 2**63, None, None)
    assert (second["quantity"], second["price"]) == (None, Decimal("-0.000000001"))
    assert (second["stat_type"], first["channel_id"]) == (65_535, None)
    assert second["ts_ref"] == "2024-03-11T00:00:00.000001001Z"
    assert frame["quantity"].iloc[0] == 1 - 2**63
    assert str(frame["quantity"].dtype) == "Int64"
    assert frame["ts_ref"].isna().tolist() == [True, False]


@pytest.mark.parametrize("schema", STORED)
async def test_what_is_read_is_what_the_record_model_takes(
    loads: Bench, tmp_path: Path, schema: Schema
) -> None:
    """As it is: every field of the model, times as text; and the wire's values come out of it."""
    wire = layout(schema)
    ones = {name: 1 for name in wire.names or () if wire[name].kind in "iu"}
    fixed = {name: blank(1, schema)[name][0] for name in ("length", "rtype", "publisher_id")}
    times = {"instrument_id": 7, "ts_event": MONDAY + 10**9, "ts_recv": MONDAY + 1}
    await loaded(loads, tmp_path, schema, {}, ones | fixed | times)
    records = await read_records(loads.database, schema, "A", **ASKED)
    model = record_model(table_of(schema))
    made = [model.model_validate(record).model_dump() for record in records]

    assert len(made) == 2
    assert [set(record) for record in records] == [set(model.model_fields)] * 2
    assert made[0]["ts_event"] == MONDAY
    assert {record["symbol"] for record in made} == {"A"}


async def test_a_frame_of_an_answer_without_records_has_its_columns(loads: Bench) -> None:
    """Of every schema, with the types that records would have."""
    for schema in STORED:
        with pytest.warns(UserWarning, match=f"no {schema} of GLBX.MDP3 are held"):
            frame = await read_frame(loads.database, schema, None, **ASKED)
        assert len(frame) == 0
        assert np.dtype("object") not in set(frame.dtypes)
