"""Records of any stored schema, made from its wire layout: all fields set, keys all different."""

from __future__ import annotations

import numpy as np

from ingestor.dbn import layout
from ingestor.model import table_of
from ingestor.simulator.market import MONDAY, SECOND
from ingestor.vocabulary import Schema
from tests.loads import blank


def made(
    schema: Schema,
    count: int,
    *,
    start: int = MONDAY,
    step: int = SECOND,
    instrument_id: int = 5,
    publisher_id: int = 1,
) -> np.ndarray:
    """`count` records, one every `step` nanoseconds from `start` on."""
    records = blank(count, schema)
    times = start + np.arange(count) * step
    for name in records.dtype.names or ():
        if name in ("length", "rtype") or name.startswith("_"):
            continue
        kind = records.dtype[name]
        if kind.kind == "S":
            records[name] = b"A" if kind.itemsize == 1 else b"TEXT"
        elif name in ("ts_event", "ts_recv"):
            records[name] = times
        else:
            records[name] = np.arange(count) % 7 + 1
    records["instrument_id"], records["publisher_id"] = instrument_id, publisher_id
    return records


def corrected(records: np.ndarray, schema: Schema) -> np.ndarray:
    """The same keys with another price."""
    newer = records.copy()
    newer[_price(schema)] += 1
    return newer


def _price(schema: Schema) -> str:
    wire = layout(schema)
    return next(name for name in wire.names or ()
                if wire[name].str == "<i8" and name not in table_of(schema).key)  # fmt: skip
