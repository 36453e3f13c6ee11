"""What a venue publishes about an instrument of the made-up market on a day (schema statistics).

Made to be as awkward as real data: several messages in one microsecond, one that is sent twice and
one that is taken back, values that are a price, a quantity or both, and a type nobody knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ingestor.simulator.market import DAY, SECOND, UNDEFINED_TIME, Instrument, blank, chance
from ingestor.vocabulary import Schema

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.simulator.messages import Records

UNKNOWN_TYPE: Final = 10_101
"""A type that Databento's list does not have: types are an open set."""

_CHANCE: Final = 2
_UNDEFINED: Final = 2**63 - 1
_UNDEFINED_CHANNEL: Final = 2**16 - 1
_NASDAQ: Final = 2
_US: Final = 1_000
_DELETE: Final = 2
_NEVER: Final = -1


class _Message(NamedTuple):
    """One message of the day.

    Attributes:
        second: When, since midnight; messages of one second come in one microsecond.
        ticks: Its price, above the opening one; None where it has none.
        most: Its quantity is below; 0 where it has none.
        about: How many days before this one it tells of; `_NEVER` where it names no time.
    """

    second: int
    stat_type: int
    ticks: int | None = None
    most: int = 0
    about: int = _NEVER
    action: int = 1
    flags: int = 0


_MESSAGES: Final = (
    _Message(1_800, 3, ticks=-3, about=1, flags=3),
    _Message(2_400, 9, most=3_000_000, about=1, flags=1),
    # The second is the first, sent again.
    _Message(2_400, 9, most=3_000_000, about=1, flags=1),
    # The opening price is also the lowest and the highest so far.
    _Message(34_200, 1, ticks=0),
    _Message(34_200, 4, ticks=0),
    _Message(34_200, 5, ticks=0),
    _Message(43_210, 5, ticks=12),
    _Message(50_000, 4, ticks=-400),
    # The trade that made it was busted.
    _Message(50_900, 4, ticks=-400, action=_DELETE),
    _Message(50_900, 4, ticks=-8),
    _Message(61_200, 6, most=2_000_000, about=0),
    _Message(61_200, UNKNOWN_TYPE, ticks=1, most=500),
)
PER_DAY: Final = len(_MESSAGES)
"""Statistics of one instrument and publisher on a day."""


def statistics_of_day(instrument: Instrument, day: int, seed: int) -> Records:
    """The day's statistics (day since 1970), ordered by ts_recv."""
    random = chance(instrument, day, seed, of=_CHANCE)
    records = blank(Schema.STATISTICS, instrument, PER_DAY)
    records["stat_type"] = _of_each("stat_type")
    records["update_action"] = _of_each("action")
    records["stat_flags"] = _of_each("flags")
    records["sequence"] = np.cumsum(random.integers(1, 50, PER_DAY))
    records["ts_in_delta"] = random.integers(10_000, 30_000, PER_DAY)
    # A venue without channels leaves the number undefined.
    is_nasdaq = instrument.publisher_id == _NASDAQ
    records["channel_id"] = _UNDEFINED_CHANNEL if is_nasdaq else instrument.instrument_id % 3
    _time(records, random, day)
    _value(records, random, instrument)
    records[2] = records[1]
    return records


def _time(records: Records, random: np.random.Generator, day: int) -> None:
    """One draw for each second: what comes in it shares its microsecond.

    The first of them comes a nanosecond before the others, and those at once.
    """
    seconds = _of_each("second")
    first = np.searchsorted(seconds, seconds)
    below = random.integers(0, SECOND // _US, PER_DAY) * _US + random.integers(0, 900, PER_DAY)
    late = random.integers(20_000, 3_000_000, PER_DAY)[first]
    received = day * DAY + seconds * SECOND + below[first] + (np.arange(PER_DAY) > first)
    records["ts_recv"] = received
    records["ts_event"] = received - late
    about = _of_each("about")
    records["ts_ref"] = np.where(
        about == _NEVER, np.uint64(UNDEFINED_TIME), ((day - about) * DAY).astype(np.uint64)
    )


def _value(records: Records, random: np.random.Generator, instrument: Instrument) -> None:
    opening = instrument.price + int(random.integers(-40, 41)) * instrument.tick
    records["price"] = [
        _UNDEFINED if each.ticks is None else opening + each.ticks * instrument.tick
        for each in _MESSAGES
    ]
    most = _of_each("most")
    quantity = random.integers(0, np.maximum(most, 1))
    records["quantity"] = np.where(most == 0, _UNDEFINED, quantity)


def _of_each(name: str) -> npt.NDArray[np.int64]:
    values: list[Any] = [getattr(each, name) for each in _MESSAGES]
    return np.array(values, np.int64)
