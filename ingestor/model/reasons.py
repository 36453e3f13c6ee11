"""Why a value cannot be stored, in words: the same wherever it is told."""

from __future__ import annotations

from typing import Final

from ingestor.model.kind import COUNT64, Column

_REASONS: Final = {
    "unread": "cannot be made of what was delivered, which is no {noun}",
    "required": "is undefined, and the key needs it",
    "range": "lies outside what {sql} can hold",
    "step": "is no whole second",
    "text": "is no UTF-8 text up to its first NUL with only NUL after it",
    "repeat": "repeats the key of an earlier record of the payload",
}
_NOUNS: Final = {
    "TIMESTAMPTZ": "time",
    "NUMERIC": "price",
    "TEXT": "text",
}


def reserved_reason(field: str) -> str:
    """The sentence for a reserved field of the wire that holds something."""
    return f"{field} holds bytes where the schema has none, and no column keeps them"


def reason_of(rule: str, column: Column) -> str:
    """The sentence for a broken rule ``<column>.<check>``."""
    check = rule.rpartition(".")[2]
    sql = column.kind.sql
    sentence = _REASONS[check].format(sql=sql, noun=_noun(column))
    if check == "range" and column.kind is COUNT64:
        # Two's complement: -1 of a 64-bit field is 2^64 - 1 to whoever reads it unsigned.
        sentence += "; a negative number, read without its sign, does so"
    return f"{column.name} {sentence}"


def _noun(column: Column) -> str:
    if column.name == "instrument_id":
        # Op symbol_id makes it of a symbol, other ops of a number: which, the mapping says.
        number = f"no whole number that {column.kind.sql} can hold"
        return f"symbol (printable UTF-8) or, where the mapping reads a number, {number}"
    if column.kind.name == "character":
        return "single character"
    return _NOUNS.get(column.kind.sql, f"whole number that {column.kind.sql} can hold")
