"""What the run asks the provider for: jobs that overlap in days, instruments and priority."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from ingestor.vocabulary import Priority, Schema

FIRST: Final = dt.date(2023, 1, 2)
PAST: Final = dt.date(2026, 1, 1)
"""Days that the simulator has: ten sessions for each wave of jobs."""

WEEKS: Final = 2
_TICKS: Final = (Schema.TRADES, Schema.TBBO)
_FUTURES: Final = "GLBX.MDP3"
_STOCKS: Final = "XNAS.ITCH"
_OPTIONS: Final = "OPRA.PILLAR"
_LAST_OPTION: Final = dt.date(2025, 2, 21)


@dataclass(frozen=True, slots=True)
class Order:
    """One job: `schemas` of `symbols`, a day to a chunk, on the days of [start, end)."""

    name: str
    dataset: str
    schemas: tuple[Schema, ...]
    symbols: tuple[str, ...]
    stype_in: str
    start: dt.date
    end: dt.date
    priority: Priority
    force: bool = False
    chunk_symbols: int = 50

    def arguments(self) -> list[str]:
        """What `hdi-submit` is told."""
        return [
            "--dataset", self.dataset, "--schema", ",".join(self.schemas),
            "--symbols", ",".join(self.symbols), "--stype-in", self.stype_in,
            "--start", str(self.start), "--end", str(self.end), "--chunk-days", "1",
            "--chunk-symbols", str(self.chunk_symbols),
            "--priority", self.priority, "--name", self.name, "--max-cost", "1000000",
            "--json", *(["--force"] if self.force else []),
        ]  # fmt: skip


def waves(chance: random.Random) -> Iterator[list[Order]]:
    """Jobs that are submitted together, of two weeks each; the next weeks' follow."""
    for number in range((PAST - FIRST).days // (7 * WEEKS) - 1):
        start = FIRST + dt.timedelta(days=7 * WEEKS * number)
        yield _wave(number, start, start + dt.timedelta(days=7 * WEEKS), chance)


def _wave(number: int, start: dt.date, end: dt.date, chance: random.Random) -> list[Order]:
    """About 300 chunks."""
    week = dt.timedelta(days=7)
    made = [
        # Into the next wave: some of its days are held by then, some are asked for meanwhile.
        _order("parents", _FUTURES, ("ES.FUT",), "parent", start, end + week,
               (Schema.TRADES, Schema.OHLCV_1M, Schema.STATISTICS)),
        # The same days and some of the same instruments, by another name.
        _order("front", _FUTURES, ("ES.c.0", "NQ.c.0"), "continuous", start, end,
               (*_TICKS, Schema.STATISTICS), chunk_symbols=1),
        _order("stocks", _STOCKS, ("AAPL", "MSFT", "NVDA"), "raw_symbol", start, end,
               (*_TICKS, Schema.OHLCV_1S, Schema.OHLCV_1H), chunk_symbols=2),
        _order("shares", _STOCKS, ("AAPL", "NVDA"), "raw_symbol", start, end,
               (*_TICKS, Schema.OHLCV_1S, Schema.OHLCV_1D)),
    ]  # fmt: skip
    if end <= _LAST_OPTION:
        made.append(_order("options", _OPTIONS, ("AAPL.OPT",), "parent", start, end - week, _TICKS))
    if number:
        made.append(_order("anew", _STOCKS, ("AAPL", "MSFT"), "raw_symbol", start - week, start,
                           (Schema.OHLCV_1H,), force=True))  # fmt: skip
    chance.shuffle(made)
    return [
        replace(each, name=f"{each.name}-{number}", priority=chance.choice(list(Priority)))
        for each in made
    ]


def _order(
    name: str, dataset: str, symbols: tuple[str, ...], stype_in: str, start: dt.date,
    end: dt.date, schemas: tuple[Schema, ...], *, force: bool = False, chunk_symbols: int = 50,
) -> Order:  # fmt: skip
    return Order(
        name, dataset, schemas, symbols, stype_in, start, end, Priority.NORMAL, force, chunk_symbols
    )
