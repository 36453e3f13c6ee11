"""Reference values out of stored definitions and symbols, by instrument and day."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from ingestor.days import day_of
from ingestor.job import Contents, SymbolInterval
from ingestor.model.references import NAMES, Known, References
from ingestor.simulator.market import DAY, MONDAY, SECOND
from ingestor.store.references import read_references
from ingestor.vocabulary import Schema
from tests.loads import Bench, write
from tests.made import made
from tests.stored import Told, keep

DATASET = "GLBX.MDP3"
FIRST = day_of(dt.date(2024, 3, 11))
MON, TUE, WED, THU = (dt.date(2024, 3, day) for day in (11, 12, 13, 14))
EVERYTHING = frozenset(NAMES)


def definition(
    instrument_class: str, *, day: int, hour: int = 0, action: str = "A", number: int = 5
) -> np.ndarray:
    start = MONDAY + day * DAY + hour * 3600 * SECOND
    record = made(Schema.DEFINITION, 1, start=start, instrument_id=number)
    record["instrument_class"] = instrument_class.encode()
    record["security_update_action"] = action.encode()
    return record


async def defined(bench: Bench, folder: Path, *records: np.ndarray, **told: object) -> None:
    """Stores definitions of some days from a week before Monday on."""
    ordered = np.concatenate(sorted(records, key=lambda record: record["ts_recv"][0]))
    path = write(
        folder / "x.dbn", ordered, Schema.DEFINITION, start=MONDAY - 7 * DAY,
        end=MONDAY + 7 * DAY, **told,
    )  # fmt: skip
    await bench.load(path)


def contents(*ids: int, days: tuple[int, int] = (0, 3)) -> Contents:
    first, past = days
    return Contents(
        1, instruments=tuple(sorted(ids)), index_days={FIRST + n: 1 for n in range(first, past)}
    )


def told(known: Known, number: int = 5, *, days: int = 3) -> list[str | None]:
    """What is known of an instrument from Monday on."""
    every = np.arange(FIRST, FIRST + days, dtype=np.uint64)
    values, there = known.at(np.full(days, number, np.uint32), every)
    return [
        value.decode() if yes else None
        for value, yes in zip(values.tolist(), there.tolist(), strict=True)
    ]


async def classes(bench: Bench, *ids: int, **how: object) -> Known:
    found = await read_references(
        bench.database, DATASET, contents(*ids, **how), (), EVERYTHING  # type: ignore[arg-type]
    )  # fmt: skip
    return found.instrument_class


async def test_a_class_holds_from_its_definition_until_the_next(
    any_bench: Bench, tmp_path: Path
) -> None:
    """The latest at or before the day; that of the day counts for all of it."""
    await defined(
        any_bench, tmp_path, definition("F", day=-5), definition("F", day=0),
        definition("S", day=1, hour=9), definition("K", day=1, hour=20),
    )  # fmt: skip
    assert told(await classes(any_bench, 5)) == ["F", "K", "K"]


async def test_a_class_of_before_holds_on(any_bench: Bench, tmp_path: Path) -> None:
    """Nothing was defined on these days: the last definition before them counts, no later one."""
    await defined(
        any_bench, tmp_path, definition("S", day=-6), definition("F", day=-2),
        definition("K", day=4),
    )  # fmt: skip
    assert told(await classes(any_bench, 5)) == ["F", "F", "F"]


async def test_a_class_that_comes_later_is_unknown_before(any_bench: Bench, tmp_path: Path) -> None:
    """A definition tells nothing of days before it."""
    await defined(any_bench, tmp_path, definition("F", day=1))
    assert told(await classes(any_bench, 5, 6)) == [None, "F", "F"]
    assert told(await classes(any_bench, 5, 6), 6) == [None, None, None]


async def test_a_deletion_ends_a_class_with_its_day(any_bench: Bench, tmp_path: Path) -> None:
    """Whoever has the number afterwards is somebody else."""
    await defined(
        any_bench, tmp_path, definition("F", day=-1), definition("F", day=0, action="D"),
        definition("S", day=2),
    )  # fmt: skip
    assert told(await classes(any_bench, 5)) == ["F", None, "S"]


async def test_a_class_of_another_dataset_is_none(any_bench: Bench, tmp_path: Path) -> None:
    """Numbers are a dataset's own."""
    record = definition("F", day=0)
    record["publisher_id"] = 2
    await defined(any_bench, tmp_path, record, dataset="XNAS.ITCH")
    assert told(await classes(any_bench, 5)) == [None, None, None]


async def test_names_of_the_payload_go_before_stored_ones(any_bench: Bench) -> None:
    """Day by day; where it says nothing, what is stored counts."""
    await keep(any_bench.database, [Told(DATASET, "raw_symbol", "OLD", 5, MON, THU)])
    own = [
        SymbolInterval("raw_symbol", "NEW", "instrument_id", "5", "2024-03-12", "2024-03-13"),
        SymbolInterval("parent", "ES.FUT", "instrument_id", "5", "2024-03-11", "2024-03-14"),
        SymbolInterval("raw_symbol", "ELSE", "instrument_id", "6", "2024-03-11", "2024-03-14"),
    ]
    found = await read_references(any_bench.database, DATASET, contents(5), own, EVERYTHING)
    assert told(found.symbol) == ["OLD", "NEW", "OLD"]
    assert told(found.symbol, 6) == [None, None, None]


async def test_of_two_names_for_one_day_there_is_one(any_bench: Bench) -> None:
    """Sources may differ: intervals of one instrument never overlap."""
    names = ("B", 5, MON, WED), ("A", 5, TUE, THU)
    await keep(any_bench.database, [Told(DATASET, "raw_symbol", *each) for each in names])
    found = await read_references(any_bench.database, DATASET, contents(5), (), EVERYTHING)
    assert told(found.symbol) == ["B", "A", "A"]


@pytest.mark.parametrize("of", [contents(), Contents(3, instruments=(5,))])
async def test_a_payload_without_instruments_or_days_needs_nothing(
    any_bench: Bench, of: Contents
) -> None:
    """Nothing is known, and nothing is asked."""
    found = await read_references(any_bench.database, DATASET, of, (), EVERYTHING)
    assert told(found.symbol) == told(References().symbol)


async def test_what_is_not_asked_for_is_not_read(any_bench: Bench) -> None:
    """Rules without symbols cost no look at them."""
    await keep(any_bench.database, [Told(DATASET, "raw_symbol", "A", 5, MON, THU)])
    wanted = frozenset({"instrument_class"})
    found = await read_references(any_bench.database, DATASET, contents(5), (), wanted)
    assert told(found.symbol) == [None, None, None]
