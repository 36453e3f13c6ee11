"""Records of the made-up market, for tests that need some of any schema that it has."""

from __future__ import annotations

import numpy as np

from ingestor.dbn import layout
from ingestor.simulator.archive import Selection
from ingestor.simulator.made_archive import MadeArchive, Terms
from ingestor.simulator.market import DAY, INSTRUMENTS, MONDAY


def market_week(schema: str, *, per_day: int = 40, seed: int = 0) -> np.ndarray:
    """Of `INSTRUMENTS` in GLBX.MDP3, in the week that begins on `MONDAY`, in delivery order."""
    first, past = MONDAY // DAY, MONDAY // DAY + 7
    archive = MadeArchive(Terms(seed, per_day), first, past)
    symbols = [each.symbol for each in INSTRUMENTS]
    found = archive.book("GLBX.MDP3").resolve(symbols, "raw_symbol", first, past)
    week = Selection("GLBX.MDP3", schema, MONDAY, past * DAY, found.selected)
    return np.concatenate(list(archive.slices(week)))


def of_version(records: np.ndarray, schema: str, version: int) -> np.ndarray:
    """The records as DBN of `version` has them: fewer fields, shorter texts, narrower numbers."""
    made = np.zeros(len(records), layout(schema, version))
    for name in made.dtype.names or ():
        kind, values = made.dtype[name], records[name] if name in records.dtype.names else None
        if values is not None and kind.kind in "iu":
            values = np.minimum(values, np.iinfo(kind).max)
        if values is not None:
            made[name] = values
    made["length"] = made.dtype.itemsize // 4
    return made
