"""Instrument definitions (DBN version 3) of the made-up listings."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestor.dbn import layout, rtype
from ingestor.simulator.calendar import number
from ingestor.simulator.listings import Kind, Listing, expiry
from ingestor.simulator.market import DAY, SECOND
from ingestor.vocabulary import Schema

if TYPE_CHECKING:
    import numpy.typing as npt

_UNIT: Final = 10**9
_EXPIRES_AT: Final = 13 * 3600 * SECOND + 1800 * SECOND
_FEED_DELAY: Final = 12_345
_SECURITY_TYPES: Final = {
    Kind.FUTURE: b"FUT",
    Kind.SPREAD: b"FUT",
    Kind.STOCK: b"",
    Kind.CALL: b"OPT",
    Kind.PUT: b"OPT",
}
_NUMBERS_ZERO: Final = (
    "raw_instrument_id", "leg_instrument_id", "underlying_id", "leg_ratio_price_numerator",
    "leg_ratio_price_denominator", "leg_ratio_qty_numerator", "leg_ratio_qty_denominator",
    "leg_underlying_id", "channel_id", "leg_count", "leg_index",
)  # fmt: skip


def definition(listing: Listing, day: int, seed: int) -> npt.NDArray[np.void]:
    """The one definition of a listing on a day.

    Of futures it is the snapshot that bears midnight itself, as GLBX.MDP3 has it; of others it
    comes in the morning.
    """
    record = _undefined().copy()
    midnight = listing.kind in (Kind.FUTURE, Kind.SPREAD)
    received = day * DAY + (0 if midnight else 9 * 3600 * SECOND + listing.number % 1_000)
    record["publisher_id"] = listing.publishers[-1]
    record["instrument_id"] = listing.instrument_id(day)
    record["raw_instrument_id"] = listing.instrument_id(day)
    record["ts_recv"] = received
    record["ts_event"] = received - (7 * 3600 * SECOND if midnight else _FEED_DELAY)
    record["raw_symbol"] = listing.symbol.encode()
    record["instrument_class"] = listing.kind.value.encode()
    record["security_type"] = _SECURITY_TYPES[listing.kind]
    record["exchange"] = {1: b"XCME", 2: b"XNAS"}.get(listing.publishers[0], b"OPRA")
    record["currency"] = b"USD"
    record["min_price_increment"] = listing.tick
    record["security_update_action"] = b"A"
    record["user_defined_instrument"] = b"N"
    record["match_algorithm"] = b"F"
    record["leg_side"] = b"N"
    if listing.parent:
        _family(record, listing, seed)
    return record


def _family(record: npt.NDArray[np.void], listing: Listing, seed: int) -> None:
    """What futures, spreads and options have and shares have not."""
    expires = expiry(listing)
    root = listing.parent.partition(".")[0]
    record["asset"] = root.encode()
    record["group"] = root.encode()
    record["expiration"] = number(expires) * DAY + _EXPIRES_AT
    record["maturity_year"], record["maturity_month"] = expires.year, expires.month
    record["unit_of_measure_qty"] = 50 * _UNIT
    # A corrected day comes with another seed: this is how it shows in a definition.
    record["high_limit_price"] = listing.price + (1_000 + seed % 1_000) * listing.tick
    if listing.kind in (Kind.CALL, Kind.PUT):
        record["strike_price"] = int(listing.symbol[-8:]) * (_UNIT // 1_000)
        record["strike_price_currency"] = b"USD"
        record["underlying"] = root.encode()
        record["maturity_day"] = expires.day
    else:
        record["activation"] = listing.first * DAY


@lru_cache
def _undefined() -> npt.NDArray[np.void]:
    """A record of undefined values: the largest of each type, empty texts, no legs."""
    record = np.zeros(1, layout(Schema.DEFINITION))
    for name in record.dtype.names or ():
        kind = record.dtype[name]
        if kind.kind in "iu" and name not in _NUMBERS_ZERO:
            record[name] = np.iinfo(kind).max
    record["length"] = record.dtype.itemsize // 4
    record["rtype"] = rtype(Schema.DEFINITION)
    return record
