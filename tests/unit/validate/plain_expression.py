"""The rule language once more, as plainly as possible: one record at a time, in Decimal and int."""

from __future__ import annotations

import datetime as dt
import operator
from decimal import Decimal
from typing import Any

from ingestor.model import Column
from ingestor.model.kind import CHARACTER, PRICE, TEXT

SPANS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
COMPARED = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
CALCULATED = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "&": lambda left, right: int(left) & int(right),
}
LITERALS = {
    "number": Decimal,
    "text": str.encode,
    "date": lambda text: (dt.date.fromisoformat(text) - dt.date(1970, 1, 1)).days * 86400 * 10**9,
    "span": lambda name, text: int(Decimal(text) * SPANS[name] * 10**9),
}
PREFIXED = {"negative": operator.neg, "abs": abs, "not": operator.not_}
WRITTEN = {"negative": "(-{})", "abs": "abs({})", "not": "(not {})", "null": "({} is null)"}


def null(column: Column) -> int | bytes | None:
    return column.required if column.null is None else column.null


def plain_value(column: Column, value: Any) -> Any:
    """What a record holds there, in Python's own terms; None is null."""
    if value == null(column):
        return None
    if column.kind is PRICE:
        return Decimal(int(value)).scaleb(-9)
    if column.kind is CHARACTER:
        return bytes([value])
    return bytes(value) if column.kind is TEXT else int(value)


def plain(tree: Any, row: dict[str, Any]) -> Any:
    """Value of a tree for one record: Decimal, int, bytes, bool, or None for null."""
    word, *parts = tree
    if word in LITERALS:
        return LITERALS[word](*parts)
    if word in {"and", "or"}:
        return junction(word == "or", [plain(each, row) for each in parts])
    match tree:
        case ("column", name):
            return row[name]
        case ("calculated", sign, left, right):
            sides = plain(left, row), plain(right, row)
            return None if None in sides else CALCULATED[sign](*sides)
        case ("compared", first, *links):
            return chain(plain(first, row), links, row)
        case ("in", of, *choices):
            value = plain(of, row)
            return None if value is None else value in [plain(each, row) for each in choices]
        case ("null", of):
            return plain(of, row) is None
        case (_, of):
            value = plain(of, row)
            return None if value is None else PREFIXED[word](value)
    raise AssertionError(tree)


def junction(decisive: bool, values: list[bool | None]) -> bool | None:
    """One True decides an ``or``, one False an ``and``; else one null does."""
    if decisive in values:
        return decisive
    return None if None in values else not decisive


def chain(left: Any, links: list[Any], row: dict[str, Any]) -> bool | None:
    found = []
    for sign, tree in links:
        right = plain(tree, row)
        found.append(None if left is None or right is None else COMPARED[sign](left, right))
        left = right
    return junction(False, found)


def spelled(tree: Any) -> str:
    """The tree in the language, with every pair of parentheses written."""
    word, *parts = tree
    match tree:
        case ("column" | "number", text):
            return str(text)
        case ("text" | "date", text):
            return f'"{text}"' if word == "text" else f"date('{text}')"
        case ("span", name, text):
            return f"{name}({text})"
        case ("calculated", sign, left, right):
            return f"({spelled(left)} {sign} {spelled(right)})"
        case ("compared", first, *links):
            return f"({spelled(first)} {' '.join(f'{s} {spelled(t)}' for s, t in links)})"
        case ("in", of, *choices):
            return f"({spelled(of)} in [{', '.join(map(spelled, choices))}])"
        case ("and" | "or", *parts):
            return f"({f' {word} '.join(map(spelled, parts))})"
        case (_, of):
            return WRITTEN[word].format(spelled(of))
    raise AssertionError(tree)
