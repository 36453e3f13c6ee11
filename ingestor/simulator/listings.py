"""What is traded in the made-up market, and which instrument id it has on which day.

Made to be as awkward as the real thing: ids that one dataset gives anew when a contract has
expired, one id that two datasets use on the same day, a symbol whose id is another every day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Final

from ingestor.simulator.calendar import date_of, number, third_friday
from ingestor.simulator.market import Instrument
from ingestor.simulator.symbology import Stretch

_UNIT: Final = 10**9
_FOREVER: Final = number(dt.date(2100, 1, 1))
_RENAMED: Final = number(dt.date(2024, 3, 13))
_DECEMBER: Final = 12
_YEARS: Final = range(2020, 2031)
_QUARTERS: Final = {3: "H", 6: "M", 9: "U", 12: "Z"}
_LISTED_DAYS: Final = 270
"""A contract is listed for the nine months before it expires: three of a root at a time."""


class Kind(StrEnum):
    """DBN's instrument classes."""

    FUTURE = "F"
    SPREAD = "S"
    STOCK = "K"
    CALL = "C"
    PUT = "P"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Something traded in one dataset.

    Attributes:
        publishers: Each of them publishes records of its own.
        number: Its instrument id; of a listing that is numbered daily, the first of many.
        first: First day, as a number since 1970.
        past: Day after the last.
        price: Where its price begins, units of 1e-9.
        tick: Smallest price step, units of 1e-9.
        parent: Family it belongs to; empty for none.
        root: Of futures: what continuous symbols are made of.
        numbered_daily: Whether its id is another every day.
        undefined_every: Every so many trades one has no price; 0 for none.
    """

    symbol: str
    kind: Kind
    publishers: tuple[int, ...]
    number: int
    first: int
    past: int
    price: int
    tick: int
    parent: str = ""
    root: str = ""
    numbered_daily: bool = False
    undefined_every: int = 0

    def instrument_id(self, day: int) -> int:
        return self.number + day % 1_000 if self.numbered_daily else self.number

    def instruments(self, day: int) -> Iterator[Instrument]:
        """One for each publisher."""
        for publisher in self.publishers:
            yield Instrument(self.symbol, self.instrument_id(day), publisher, self.price, self.tick)

    def stretches(self, first: int, past: int) -> Iterator[Stretch]:
        """Its ids over the days of [first, past)."""
        first, past = max(first, self.first), min(past, self.past)
        if not self.numbered_daily:
            if first < past:
                yield Stretch(first, past, self.symbol, self.number)
            return
        for day in range(first, past):
            yield Stretch(day, day + 1, self.symbol, self.instrument_id(day))


DATASETS: Final = ("GLBX.MDP3", "OPRA.PILLAR", "XNAS.ITCH")


@lru_cache
def listings(dataset: str) -> Sequence[Listing]:
    """Everything that was ever listed, in the order in which simultaneous records are delivered."""
    make = {"GLBX.MDP3": _futures, "XNAS.ITCH": _stocks, "OPRA.PILLAR": _options}
    return tuple(make[dataset]())


def _futures() -> Iterator[Listing]:
    for place, (year, month) in enumerate((y, m) for y in _YEARS for m in _QUARTERS):
        code = _contract(year, month)
        # 2024-06 gets 17077 and 750: the ids of market.INSTRUMENTS.
        turn = place - 17
        yield _future(f"ES{code}", 17_077 + turn, (year, month), 5_200 * _UNIT, "ES")
        # As many contracts as are listed at a time share an id, one after another.
        yield _future(f"NQ{code}", 750 + turn % 3, (year, month), 18_200 * _UNIT, "NQ")
        then = _contract(*((year, month + 3) if month < _DECEMBER else (year + 1, 3)))
        yield replace(
            _future(f"ES{code}-ES{then}", 42_140_878 + turn, (year, month), -1 * _UNIT, "ES"),
            kind=Kind.SPREAD, root="", tick=_UNIT // 20,
        )  # fmt: skip


def _future(
    symbol: str, instrument_id: int, month: tuple[int, int], price: int, root: str
) -> Listing:
    expires = number(third_friday(*month))
    return Listing(
        symbol=symbol,
        kind=Kind.FUTURE,
        publishers=(1,),
        number=instrument_id,
        first=expires - _LISTED_DAYS,
        past=expires + 1,
        price=price,
        tick=_UNIT // 4,
        parent=f"{root}.FUT",
        root=root,
    )


def _contract(year: int, month: int) -> str:
    return f"{_QUARTERS[month]}{year % 10}"


def _stocks() -> Iterator[Listing]:
    yield _stock("AAPL", 32, price=172 * _UNIT)
    # A contract of NQ in GLBX.MDP3 has this id at the same time.
    yield replace(_stock("MSFT", 750, price=415 * _UNIT), undefined_every=500)
    yield replace(_stock("NVDA", 6_000, price=880 * _UNIT), numbered_daily=True)
    # A company that took another name, and one that got the id which that had left.
    yield _stock("OLDCO", 9_001, past=_RENAMED)
    yield _stock("NEWCO", 9_002, first=_RENAMED)
    yield _stock("LATER", 9_001, first=_RENAMED + 2)


def _stock(
    symbol: str,
    instrument_id: int,
    *,
    price: int = 20 * _UNIT,
    first: int = 0,
    past: int = _FOREVER,
) -> Listing:
    return Listing(
        symbol=symbol,
        kind=Kind.STOCK,
        publishers=(2,),
        number=instrument_id,
        first=first,
        past=past,
        price=price,
        tick=_UNIT // 100,
    )


def _options() -> Iterator[Listing]:
    place = 16_783_963
    for expiry in (dt.date(2024, 3, 15), dt.date(2024, 6, 21), dt.date(2025, 2, 21)):
        for kind, strike in ((Kind.CALL, 170), (Kind.PUT, 170), (Kind.CALL, 250)):
            yield Listing(
                symbol=f"AAPL  {expiry:%y%m%d}{kind}{strike * 1000:08d}",
                kind=kind, publishers=(20, 22, 30), number=place,
                first=number(expiry) - 540, past=number(expiry) + 1,
                price=9 * _UNIT, tick=_UNIT // 100, parent="AAPL.OPT",
            )  # fmt: skip
            place += 1


def expiry(listing: Listing) -> dt.date:
    """The day on which it expires; far away for what does not."""
    return date_of(listing.past - 1)
