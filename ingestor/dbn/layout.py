"""Each schema's record on the wire, of all that DBN has: layout, record type, index timestamp."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from ingestor.vocabulary import Schema

if TYPE_CHECKING:
    import numpy as np

NEWEST: Final = 3
"""The DBN version that the provider sends today, and that we write."""

_MESSAGES: Final = {
    Schema.MBO: "MBOMsg",
    Schema.MBP_1: "MBP1Msg",
    Schema.MBP_10: "MBP10Msg",
    Schema.TBBO: "MBP1Msg",
    Schema.TRADES: "TradeMsg",
    Schema.OHLCV_1S: "OHLCVMsg",
    Schema.OHLCV_1M: "OHLCVMsg",
    Schema.OHLCV_1H: "OHLCVMsg",
    Schema.OHLCV_1D: "OHLCVMsg",
    Schema.DEFINITION: "InstrumentDefMsg",
    Schema.STATISTICS: "StatMsg",
    Schema.STATUS: "StatusMsg",
    Schema.IMBALANCE: "ImbalanceMsg",
    Schema.CMBP_1: "CMBP1Msg",
    Schema.CBBO_1S: "CBBOMsg",
    Schema.CBBO_1M: "CBBOMsg",
    Schema.TCBBO: "CBBOMsg",
    Schema.BBO_1S: "BBOMsg",
    Schema.BBO_1M: "BBOMsg",
}


@lru_cache
def layout(schema: str, version: int = NEWEST) -> np.dtype[np.void]:
    """Wire dtype of a record of `schema` in DBN of `version`, little endian, packed."""
    import numpy as np

    found = message(schema, version)
    fields: np.dtype[np.void] = np.dtype(found._dtypes).newbyteorder("<")
    if fields.itemsize != found.size_hint:
        raise AssertionError(f"{found.__name__} of DBN {version} has {fields.itemsize} bytes")
    return fields


def layout_of_size(schema: str, size: int) -> np.dtype[np.void] | None:
    """The newest layout whose records have so many bytes: lengths tell the versions apart."""
    found = (layout(schema, version) for version in range(NEWEST, 0, -1))
    return next((each for each in found if each.itemsize == size), None)


def message(schema: str, version: int = NEWEST) -> Any:
    """The class of `databento_dbn` that is a record of `schema` in DBN of `version`."""
    import databento_dbn

    return getattr(getattr(databento_dbn, f"v{version}"), _MESSAGES[Schema(schema)])


@lru_cache
def rtype(schema: str) -> int:
    """The record type that every record of `schema` carries."""
    import databento_dbn

    return int(databento_dbn.RType.from_schema(databento_dbn.Schema.from_str(schema)).value)


def rtype_name(value: int) -> str:
    """What DBN calls record type `value`."""
    import databento_dbn

    try:
        return str(databento_dbn.RType.from_int(value))
    except databento_dbn.DBNError:
        return "unknown"


@lru_cache
def reserved_fields(schema: str) -> tuple[str, ...]:
    """Fields of the newest version that mean nothing; Databento writes zeros there."""
    return tuple(name for name in layout(schema).names or () if name.startswith("_"))


def index_field(schema: str, version: int = NEWEST) -> str:
    """The timestamp that a request's range filters on."""
    names = layout(schema, version).names or ()
    return "ts_recv" if "ts_recv" in names else "ts_event"
