"""What becomes of one record, as plainly as possible: Python values, one rule after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingestor.model import Table
from ingestor.model.verdict import Severity
from tests.unit.validate.plain_expression import plain, plain_value

DAY_NS = 86_400 * 10**9


@dataclass(frozen=True)
class PlainRule:
    """A rule, its check as a tree of `plain_expression`."""

    id: str
    tree: Any
    severity: Severity
    required: bool
    when: Mapping[str, Sequence[Any]]


@dataclass
class Fate:
    """What became of a record: the rule that keeps it out, else its flags and open questions."""

    refused: str | None = None
    flags: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)


def fate(
    table: Table,
    row: Mapping[str, Any],
    ordinal: int,
    unread: Sequence[str],
    rules: Sequence[PlainRule],
    dataset: str,
    known: Mapping[str, Sequence[tuple[int, int, int, str]]],
) -> Fate:
    for column in table.frame_columns:
        if column.name in unread:
            return Fate(f"{column.name}.unread")
    if (broken := table_fault(table, row, ordinal)) is not None:
        return Fate(broken)
    made = Fate()
    read = {c.name: plain_value(c, row[c.name]) for c in table.frame_columns}
    for rule in rules:
        answer = plain(rule.tree, read)
        if answer is True or (answer is None and not rule.required):
            continue
        meant = all_hold([holds(*each, table, row, dataset, known) for each in rule.when.items()])
        if meant is None:
            made.undecided.append(rule.id)
        elif meant and rule.severity is Severity.FLAG:
            made.flags.append(rule.id)
        elif meant:
            return Fate(rule.id)
    return made


def all_hold(answers: Sequence[bool | None]) -> bool | None:
    return False if False in answers else None if None in answers else True


def holds(
    name: str,
    allowed: Sequence[Any],
    table: Table,
    row: Mapping[str, Any],
    dataset: str,
    known: Mapping[str, Sequence[tuple[int, int, int, str]]],
) -> bool | None:
    """Whether one condition holds; None where that is not known."""
    if name == "dataset":
        return dataset in allowed
    if name == "publisher":
        return row["publisher_id"] in allowed
    value = reference(name, table, row, known)
    if value is None:
        return None
    if name == "symbol":
        return any(alike(value, each) for each in allowed)
    return value in allowed


def reference(
    name: str,
    table: Table,
    row: Mapping[str, Any],
    known: Mapping[str, Sequence[tuple[int, int, int, str]]],
) -> str | None:
    own = {"instrument_class": "instrument_class", "symbol": "raw_symbol"}[name]
    if own in row:
        value = plain_value(table[own], row[own])
        return None if value is None else value.decode()
    index = row[table.index_column]
    if index == 2**64 - 1:
        return None
    for id_, first, past, value in known[name]:
        if id_ == row["instrument_id"] and first <= index // DAY_NS < past:
            return value
    return None


def alike(text: str, pattern: str) -> bool:
    """``*`` is any characters, ``?`` one."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return alike(text, pattern[1:]) or (text != "" and alike(text[1:], pattern))
    return text != "" and pattern[0] in ("?", text[0]) and alike(text[1:], pattern[1:])


def table_fault(table: Table, row: Mapping[str, Any], ordinal: int = 0) -> str | None:
    """The first check of the table itself that a record breaks (rule 3 of the data model)."""
    for column in table.frame_columns:
        value, kind = row[column.name], column.kind
        if value == column.null:
            continue
        if kind.frame.startswith("S"):
            if not is_text(value):
                return f"{column.name}.text"
        elif value == column.required:
            return f"{column.name}.required"
        elif kind.lowest is not None and not kind.lowest <= value <= kind.highest:  # type: ignore[operator]
            return f"{column.name}.range"
        elif value % kind.step:
            return f"{column.name}.step"
    return "ordinal.repeat" if ordinal and not table.numbered else None


def is_text(value: bytes) -> bool:
    """UTF-8 without a NUL; those at the end are the field's padding."""
    text = value.rstrip(b"\0")
    return text.decode("utf-8", "ignore").encode() == text and b"\0" not in text
