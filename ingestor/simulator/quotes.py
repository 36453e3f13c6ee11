"""The best bid and ask just before each trade of the made-up market (schema tbbo)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from ingestor.simulator.market import Instrument, blank, chance
from ingestor.vocabulary import Schema

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.simulator.messages import Records

UNDEFINED_PRICE: Final = 2**63 - 1
_CHANCE: Final = 1
_EMPTY: Final = 0.02
"""How often a side of the book is empty: in real IFEU data both are before the session."""

_SIDES: Final = (("bid", b"B", -1), ("ask", b"A", 1))
"""Side of the book, the aggressor that trades away from it, and where it lies."""


def quoted(
    trades: Records, instrument: Instrument, day: int, seed: int, *, part: int = 0, parts: int = 1
) -> Records:
    """Trades of `trades_of_day` with the book around them: same times, same keys, same order.

    A buyer pays the ask and a seller gets the bid. An empty side has no price, no size and no
    orders. Trades that are alike have the same book.
    """
    random = chance(instrument, day, seed, part, parts, of=_CHANCE)
    records = blank(Schema.TBBO, instrument, len(trades))
    for name in trades.dtype.names or ():
        if name not in ("length", "rtype"):
            records[name] = trades[name]
    for name, away, sign in _SIDES:
        steps = random.integers(1, 4, len(trades)) * (trades["side"] != _opposite(away))
        records[f"{name}_px_00"] = trades["price"] + sign * steps * instrument.tick
        records[f"{name}_sz_00"] = random.geometric(0.05, len(trades))
        records[f"{name}_ct_00"] = np.minimum(
            records[f"{name}_sz_00"], random.geometric(0.3, len(trades))
        )
        _empty(records, name, random.random(len(trades)) < _EMPTY)
    return records[_first_alike(trades)]


def _opposite(aggressor: bytes) -> bytes:
    return b"A" if aggressor == b"B" else b"B"


def _empty(records: Records, side: str, rows: npt.NDArray[np.bool_]) -> None:
    records[f"{side}_px_00"][rows] = UNDEFINED_PRICE
    records[f"{side}_sz_00"][rows] = 0
    records[f"{side}_ct_00"][rows] = 0


def _first_alike(trades: Records) -> npt.NDArray[np.int64]:
    """For each trade the first of the run of equal ones that it belongs to."""
    rows = np.arange(len(trades))
    begins = np.ones(len(trades), np.bool_)
    begins[1:] = trades[1:] != trades[:-1]
    return np.maximum.accumulate(np.where(begins, rows, 0))
