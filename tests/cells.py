"""Text cells as the wire records of a text file, and what an op makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import yaml

from ingestor.model import Column, table_of
from ingestor.transform.cells import Read
from ingestor.transform.ops import compile_rule
from ingestor.transform.rules import RULES, Rule
from ingestor.vocabulary import Schema

Cell = str | bytes


def records(**cells: Sequence[Cell]) -> np.ndarray:
    """Records with these fields, each as wide as its longest cell, and something between them."""
    made = {
        name: np.array([_bytes(each) for each in column], "S") for name, column in cells.items()
    }
    layout = [(name, column.dtype.str.replace("S0", "S1")) for name, column in made.items()]
    found = np.zeros(len(next(iter(made.values()))), [("\0line", "S3"), *layout])
    found["\0line"] = b"xyz"
    for name, column in made.items():
        found[name] = column
    return found


def _bytes(cell: Cell) -> bytes:
    return cell.encode() if isinstance(cell, str) else cell


def column_of(name: str, schema: Schema = Schema.TRADES) -> Column:
    return table_of(schema)[name]


def rule(op: str, **keys: Any) -> Rule:
    """A rule as a mapping file has it."""
    made: Any = RULES[op].model_validate({"op": op, **keys})
    return made


def values(column: Column, given: Rule, wire: np.ndarray) -> list[Any]:
    """What an op makes of each record: the frame value, `null`, or `unread`."""
    made = compile_rule(given, column)(wire)
    found, unread = made if isinstance(made, Read) else (made, None)
    if not column.kind.frame.startswith("S"):
        assert found.dtype == np.dtype(column.kind.frame)
    assert found.shape == (len(wire),)
    assert unread is None or unread.any()
    bad = np.zeros(len(wire), np.bool_) if unread is None else unread
    return [told(column, value, no) for value, no in zip(found.tolist(), bad, strict=True)]


def told(column: Column, value: Any, unread: bool) -> Any:
    if unread:
        return "unread"
    return "null" if column.nullable and value == column.null else value


def spoiled(raw: bytes, **columns: Any) -> bytes:
    """A mapping file with other rules for these columns; with None, without."""
    file = yaml.safe_load(raw)
    for name, made in columns.items():
        file["columns"][name] = made
        if made is None:
            del file["columns"][name]
    return yaml.safe_dump(file, sort_keys=False, width=1000).encode()
