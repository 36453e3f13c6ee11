"""A delivery in another version of DBN leaves alone what that version cannot say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from ingestor.dbn import layout
from ingestor.simulator.market import MONDAY
from ingestor.vocabulary import Schema
from tests.conftest import Place
from tests.loads import Bench, bench, blank, write
from tests.records import inverse_of

LEG = {"leg_count": 2, "leg_instrument_id": 77, "leg_side": b"B", "leg_raw_symbol": b"ESM4"}
DROPPED = {"trading_reference_price": 77, "trading_reference_date": 19_000}


@pytest.fixture
async def loads(any_place: Place, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(any_place, tmp_path) as made:
        yield made


def older() -> np.ndarray:
    """One definition of DBN 2, with two fields that 3 dropped."""
    made = np.zeros(1, layout(Schema.DEFINITION, 2))
    made["length"], made["rtype"] = made.dtype.itemsize // 4, blank(1, Schema.DEFINITION)["rtype"]
    made["publisher_id"], made["instrument_id"], made["ts_recv"] = 1, 5, MONDAY + 7
    for name, value in DROPPED.items():
        made[name] = value
    return made


async def stored(loads: Bench) -> tuple[object, ...]:
    row = await loads.database.fetchrow("SELECT * FROM definitions_data")
    assert row is not None
    names = (*DROPPED, *LEG, "currency")
    return tuple(row[name] for name in names)


async def test_fields_that_version_3_dropped_outlive_its_delivery(
    loads: Bench, tmp_path: Path
) -> None:
    """They exist nowhere else."""
    newer = inverse_of(Schema.DEFINITION).upgraded(older())
    await loads.load(write(tmp_path / "a" / "x.dbn", older(), Schema.DEFINITION, version=2))
    before = await stored(loads)
    [again] = await loads.load(write(tmp_path / "b" / "x.dbn", newer, Schema.DEFINITION))
    newer["currency"] = b"USD"
    [corrected] = await loads.load(write(tmp_path / "c" / "x.dbn", newer, Schema.DEFINITION))
    assert before[:2] != (None, None)
    assert (again.already_stored, corrected.corrected) == (1, 1)
    assert await stored(loads) == (*before[:-1], "USD")


async def test_fields_that_version_2_lacks_outlive_its_delivery(
    loads: Bench, tmp_path: Path
) -> None:
    """Legs are of version 3."""
    newer = inverse_of(Schema.DEFINITION).upgraded(older())
    for name, value in LEG.items():
        newer[name] = value
    await loads.load(write(tmp_path / "a" / "x.dbn", newer, Schema.DEFINITION))
    before = await stored(loads)
    await loads.load(write(tmp_path / "b" / "x.dbn", older(), Schema.DEFINITION, version=2))
    after = await stored(loads)
    assert (after[2:], after[1]) == (before[2:], DROPPED["trading_reference_date"])
