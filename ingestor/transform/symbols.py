"""Instrument ids for sources that have none, made of their symbols."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import numpy as np

from ingestor.model.kind import Column
from ingestor.transform.cells import Op, Read, Records, cells_of, distinct, settled
from ingestor.transform.rules import SymbolId

OWN_IDS: Final = 2**31
"""The smallest id that is made of a symbol. Venues number from one."""


def symbol_id(rule: SymbolId, column: Column) -> Op:
    """The op that makes an id of each symbol: the one that the rule gives it, else its own.

    Symbols are taken letter for letter, blanks at their ends too.
    """
    given = {name.encode(): id_ for name, id_ in rule.ids.items()}

    def op(records: Records) -> Read:
        symbols, places = distinct(cells_of(records, rule.field))
        found = [given[each] if each in given else id_of(each) for each in symbols]
        ids = np.array([each or 0 for each in found], np.uint32)
        bad = np.array([each is None for each in found], np.bool_)
        none = np.array([not each for each in symbols], np.bool_)
        return settled(column, ids[places], bad[places], none[places])

    return op


def id_of(symbol: bytes) -> int | None:
    """31 bits of its SHA-256 above `OWN_IDS`: the same everywhere; None where it is no symbol."""
    try:
        printable = symbol.decode().isprintable()
    except UnicodeDecodeError:
        return None
    return OWN_IDS | int.from_bytes(sha256(symbol).digest()[:4]) if printable else None
