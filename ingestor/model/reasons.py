"""Why a value cannot be stored, in words: the same wherever it is told."""

from __future__ import annotations

from typing import Final

from ingestor.model.kind import Column

_REASONS: Final = {
    "required": "is undefined, and the key needs it",
    "range": "lies outside what {sql} can hold",
    "step": "is no whole second",
    "text": "is no UTF-8 text up to its first NUL with only NUL after it",
    "repeat": "repeats the key of an earlier record of the payload",
}


def reserved_reason(field: str) -> str:
    """The sentence for a reserved field of the wire that holds something."""
    return f"{field} holds bytes where the schema has none, and no column keeps them"


def reason_of(rule: str, column: Column) -> str:
    """The sentence for a broken rule ``<column>.<check>``."""
    check = rule.rpartition(".")[2]
    return f"{column.name} {_REASONS[check].format(sql=column.kind.sql)}"
