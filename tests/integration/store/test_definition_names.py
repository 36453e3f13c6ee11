"""Names that definitions give: learned with their rows, and counted where there are none."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np

from ingestor.simulator.market import DAY, MONDAY
from ingestor.vocabulary import Schema
from tests.loads import Bench, write
from tests.made import made

ALL = {"symbols": ["ALL_SYMBOLS"]}


def definitions(*named: tuple[int, int, bytes, bytes]) -> np.ndarray:
    """A record per (instrument, day since MONDAY, raw symbol, action)."""
    records = made(Schema.DEFINITION, len(named))
    for record, (number, day, symbol, action) in zip(records, named, strict=True):
        record["instrument_id"], record["raw_symbol"] = number, symbol
        record["security_update_action"] = action
        record["ts_recv"] = MONDAY + day * DAY + number
    return records


async def names(bench: Bench) -> list[tuple[str, int, str, list[tuple[date, date]]]]:
    rows = await bench.database.fetch(
        "SELECT symbol, instrument_id, source, days FROM ingest.symbol_intervals"
        " WHERE stype_in = 'raw_symbol' AND stype_out = 'instrument_id' ORDER BY 1, 2"
    )
    return [(r["symbol"], r["instrument_id"], r["source"],
             [(each.lower, each.upper) for each in r["days"]]) for r in rows]  # fmt: skip


async def test_definitions_name_their_instruments_on_their_days(
    any_bench: Bench, tmp_path: Path
) -> None:
    """Each for the UTC day of its index timestamp; adjacent days merge; a deletion names none."""
    told = definitions(
        (5, 0, b"ESM4", b"A"), (5, 1, b"ESM4", b"M"), (6, 0, b"UD:1V: SG 28", b"A"),
        (7, 0, b"GONE", b"D"), (8, 1, b"", b"A"),
    )  # fmt: skip
    [receipt] = await any_bench.load(
        write(tmp_path / "x.dbn", told, Schema.DEFINITION, days=2, **ALL)
    )
    assert await names(any_bench) == [
        ("ESM4", 5, "definition", [(date(2024, 3, 11), date(2024, 3, 13))]),
        ("UD:1V: SG 28", 6, "definition", [(date(2024, 3, 11), date(2024, 3, 12))]),
    ]
    assert receipt.nameless == 2


async def test_a_name_that_is_known_is_not_named_again(any_bench: Bench, tmp_path: Path) -> None:
    """The provider's symbology goes before a definition, on the days that it speaks of."""
    week = [(date(2024, 3, 11), date(2024, 3, 12), "5")]
    told = definitions((5, 0, b"OTHER", b"A"), (5, 1, b"LATER", b"A"))
    path = write(
        tmp_path / "x.dbn", told, Schema.DEFINITION, days=2, symbols=["ESM4"],
        mappings={"ESM4": week},
    )  # fmt: skip
    await any_bench.load(path)
    assert [(symbol, source) for symbol, _, source, _ in await names(any_bench)] == [
        ("ESM4", "databento"), ("LATER", "definition"),
    ]  # fmt: skip


async def test_definitions_name_what_other_schemas_bring(any_bench: Bench, tmp_path: Path) -> None:
    """An id that only a stored definition names is not nameless, unless it names another day."""
    trades = made(Schema.TRADES, 3)
    trades["instrument_id"] = [5, 6, 7]
    path = write(tmp_path / "t.dbn", trades, **ALL)
    [before] = await any_bench.load(path)
    told = definitions((5, 0, b"ESM4", b"A"), (6, 0, b"NQM4", b"A"), (7, 1, b"LATER", b"A"))
    await any_bench.load(write(tmp_path / "d" / "x.dbn", told, Schema.DEFINITION, days=2, **ALL))
    [after] = await any_bench.load(path)
    assert (before.nameless, after.nameless) == (3, 1)


async def test_names_are_those_of_their_dataset(any_bench: Bench, tmp_path: Path) -> None:
    """An id means nothing outside its own dataset."""
    told = definitions((5, 0, b"ESM4", b"A"))
    await any_bench.load(write(tmp_path / "d.dbn", told, Schema.DEFINITION, **ALL))
    trades = made(Schema.TRADES, 1, publisher_id=2)
    [receipt] = await any_bench.load(
        write(tmp_path / "t" / "x.dbn", trades, dataset="XNAS.ITCH", **ALL)
    )
    assert receipt.nameless == 1
