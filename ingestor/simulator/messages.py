"""Each schema's record on the wire, of all that DBN has: layout, record type, index timestamp."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Records = npt.NDArray[np.void]

DEFINITION: Final = "definition"
NEWEST: Final = 3
"""DBN version of what is made up."""

_MESSAGES: Final = {
    "mbo": "MBOMsg",
    "mbp-1": "MBP1Msg",
    "mbp-10": "MBP10Msg",
    "tbbo": "MBP1Msg",
    "trades": "TradeMsg",
    "ohlcv-1s": "OHLCVMsg",
    "ohlcv-1m": "OHLCVMsg",
    "ohlcv-1h": "OHLCVMsg",
    "ohlcv-1d": "OHLCVMsg",
    "definition": "InstrumentDefMsg",
    "statistics": "StatMsg",
    "status": "StatusMsg",
    "imbalance": "ImbalanceMsg",
    "cmbp-1": "CMBP1Msg",
    "cbbo-1s": "CBBOMsg",
    "cbbo-1m": "CBBOMsg",
    "tcbbo": "CBBOMsg",
    "bbo-1s": "BBOMsg",
    "bbo-1m": "BBOMsg",
}
SCHEMAS: Final = tuple(_MESSAGES)
"""Every schema that a request may name."""

_C_TYPES: Final = {"i": "int", "u": "uint"}


@lru_cache
def layout(schema: str, version: int = NEWEST) -> np.dtype[np.void]:
    """Wire dtype of a record of `schema` in DBN of `version`, little endian, packed."""
    message = _message(schema, version)
    fields: np.dtype[np.void] = np.dtype(message._dtypes).newbyteorder("<")
    if fields.itemsize != message.size_hint:
        raise AssertionError(f"{message.__name__} of DBN {version} has {fields.itemsize} bytes")
    return fields


@lru_cache
def rtype(schema: str) -> int:
    """The record type that every record of `schema` carries."""
    import databento_dbn

    return int(databento_dbn.RType.from_schema(databento_dbn.Schema.from_str(schema)).value)


def index_field(schema: str, version: int = NEWEST) -> str:
    """The timestamp that a request's range filters on."""
    names = layout(schema, version).names or ()
    return "ts_recv" if "ts_recv" in names else "ts_event"


def fields(schema: str) -> list[dict[str, str]]:
    """Name and C type of each field, as ``metadata.list_fields`` spells them for DBN."""
    found = layout(schema)
    return [{"name": name, "type": _c_type(found[name])} for name in found.names or ()]


def _c_type(kind: np.dtype[Any]) -> str:
    if kind.kind == "S":
        return "char" if kind.itemsize == 1 else f"char[{kind.itemsize}]"
    return f"{_C_TYPES[kind.kind]}{kind.itemsize * 8}_t"


def _message(schema: str, version: int) -> Any:
    import databento_dbn

    return getattr(getattr(databento_dbn, f"v{version}"), _MESSAGES[schema])
