"""Which windows an export goes through, from what the ledger says was loaded."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from ingestor.days import DAY_NS, day_of
from ingestor.query.selection import Selection
from ingestor.query.windows import Window, windows
from ingestor.vocabulary import Dataset, Schema

FIRST = day_of(dt.date(2024, 3, 11))


class Ledger:
    """Answers with chunks, each given as its first and last window and its events."""

    def __init__(self, *rows: tuple[int, int, int | None, int | None]) -> None:
        self.rows = rows

    async def fetch(self, query: str, *values: Any) -> list[dict[str, Any]]:
        names = ("first", "last", "event_low", "event_high")
        return [
            {name: None if value is None else Decimal(value)
             for name, value in zip(names, row, strict=True)}
            for row in self.rows
        ]  # fmt: skip


async def found(ledger: Ledger, *, days: int, schema: Schema = Schema.TRADES) -> list[Window]:
    start = FIRST * DAY_NS
    wanted = Selection(
        schema, start, start + days * DAY_NS, dataset=Dataset("GLBX.MDP3"), by="index"
    )
    return await windows(ledger, wanted)


def day(first: int, past: int, low: int | None, high: int | None) -> Window:
    return Window((FIRST + first) * DAY_NS, (FIRST + past) * DAY_NS, low, high)


async def test_days_of_which_nothing_was_loaded_are_left_out() -> None:
    """The ledger knows; no statement is run for them."""
    ledger = Ledger((FIRST + 5, FIRST + 5, 10, 20), (FIRST, FIRST, 1, 2))
    assert await found(ledger, days=400) == [day(0, 1, 1, 2), day(5, 6, 10, 20)]
    assert await found(Ledger(), days=400) == []


async def test_a_window_is_bounded_by_all_that_reaches_into_it() -> None:
    """The smallest and the largest event of several loads."""
    ledger = Ledger((FIRST, FIRST, 5, 9), (FIRST, FIRST, 1, 2), (FIRST, FIRST, None, None))
    assert await found(ledger, days=1) == [day(0, 1, 1, 9)]


async def test_windows_of_one_load_become_one() -> None:
    """Else each would read all hypertable chunks of the load: sixty days, sixty times."""
    ledger = Ledger((FIRST, FIRST + 2, 1, 9), (FIRST + 3, FIRST + 3, 20, 30))
    assert await found(ledger, days=9) == [day(0, 3, 1, 9), day(3, 4, 20, 30)]


async def test_a_chain_of_loads_is_cut() -> None:
    """The server sorts no more at once than a load may touch."""
    ledger = Ledger((FIRST, FIRST + 99, 1, 9))
    assert [(w.end - w.start) // DAY_NS for w in await found(ledger, days=100)] == [64, 36]


async def test_windows_are_cut_to_the_range() -> None:
    """A load may reach far beyond it."""
    ledger = Ledger((0, 10**6, 1, 9))
    assert await found(ledger, days=2) == [day(0, 2, 1, 9)]


async def test_tables_cut_on_the_index_timestamp_have_windows_of_their_interval() -> None:
    """There, no window reads another's hypertable chunks."""
    width = 90
    ledger = Ledger((FIRST // width, FIRST // width + 1, 1, 9))
    made = await found(ledger, days=200, schema=Schema.DEFINITION)
    border = (FIRST // width + 1) * width * DAY_NS
    assert [(w.start, w.end) for w in made] == [
        (FIRST * DAY_NS, border), (border, border + width * DAY_NS),
    ]  # fmt: skip
