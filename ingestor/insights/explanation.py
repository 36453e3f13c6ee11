"""A quarantined record, field by field: what it holds, what of it can be stored, and why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from ingestor.dbn import layout, reserved_fields
from ingestor.model import Column, Table
from ingestor.model.readable import time_text
from ingestor.model.reasons import reason_of, reserved_reason
from ingestor.model.records import record_model, spelled
from ingestor.sources.source import Source
from ingestor.transform import Mapping as MappingFile
from ingestor.vocabulary import Schema

# What Pydantic calls an error → the check of `ingestor.validate` that finds the same; range else.
_CHECKS: Final = {"multiple_of": "step", "string_unicode": "text", "text_nul": "text"}


@dataclass(frozen=True, slots=True)
class Explained:
    """One column of a record that lies in quarantine.

    Attributes:
        name: As in the table.
        wire: The value as delivered, in text; None where the record has no such field.
        stored: What the column would hold, times in nanoseconds since 1970; None for NULL, and
            where the value cannot be stored.
        reasons: Sentences on why it cannot, or what is wrong with it; empty where nothing is.
        is_time: Whether `stored` is a time.
    """

    name: str
    wire: str | None
    stored: int | Decimal | str | None
    reasons: tuple[str, ...]
    is_time: bool = False

    @property
    def shown(self) -> str | None:
        """`stored` for people: a time in ISO 8601, a decimal with all its digits."""
        if self.stored is None:
            return None
        if self.is_time:
            return time_text(int(self.stored))
        return f"{self.stored:f}" if isinstance(self.stored, Decimal) else str(self.stored)


def explain(
    records: npt.NDArray[np.void], schema: Schema, mapping: MappingFile
) -> tuple[Explained, ...]:
    """Every column that `mapping` makes of one wire record, in the order of its table.

    Reserved fields that hold something stand behind them. A bar that repeats another one's key is
    at fault in no field: the reason beside it in quarantine tells of that.
    """
    made = mapping.spell(records)
    unread = frozenset(name for name, mask in made.unread.items() if mask[0])
    frame = {name: values[0] for name, values in made.columns.items()}
    broken = broken_rules(mapping.table, frame, unread)
    columns = tuple(
        Explained(
            name=column.name,
            wire=_wire(mapping, column, records),
            stored=None if column.name in broken else _plain(spelled(column, frame[column.name])),
            reasons=tuple(reason_of(rule, column) for rule in broken.get(column.name, ())),
            is_time=column.kind.sql == "TIMESTAMPTZ",
        )
        for column in mapping.table.frame_columns
    )
    return (*columns, *_reserved(records, schema))


def decoded(source: Source, raw: bytes, schema: Schema) -> npt.NDArray[np.void]:
    """The record that its source makes of its bytes, shape (1,).

    Raises:
        CorruptPayload: They are no record of this schema.
    """
    [(_, records)] = source.decode([raw], schema)
    return records


def _reserved(records: npt.NDArray[np.void], schema: Schema) -> Iterator[Explained]:
    """What stands where the newest DBN has nothing; older ones, and other wires, are let pass."""
    for name in reserved_fields(schema) if records.dtype == layout(schema) else ():
        if found := records[name][0].item():
            yield Explained(name, found.hex(), None, (reserved_reason(name),))


def broken_rules(
    table: Table, frame: Mapping[str, Any], unread: frozenset[str] = frozenset()
) -> dict[str, list[str]]:
    """Column → rules of the table that its value breaks, found by the record model.

    `unread`: columns whose value could not be made of what was delivered; they hold anything.
    """
    broken = {name: [f"{name}.unread"] for name in unread}
    try:
        record_model(table)(**{c.name: spelled(c, frame[c.name]) for c in table.frame_columns})
    except ValidationError as error:
        for each in error.errors(include_url=False, include_context=False):
            column = table[str(each["loc"][0])]
            if column.name not in unread:
                check = _check(column, frame[column.name], each["type"])
                broken.setdefault(column.name, []).append(f"{column.name}.{check}")
    return broken


def _check(column: Column, value: Any, found: str) -> str:
    if column.required is not None and value == column.required:
        return "required"
    return "range" if column.kind.name == "character" else _CHECKS.get(found, "range")


def _wire(mapping: MappingFile, column: Column, records: npt.NDArray[np.void]) -> str | None:
    names = [each for each in mapping.rules[column.name].fields if each in _names(records)]
    values = [_text(records[name][0].item()) for name in names]
    return " ".join(values) if names else None


def _names(records: npt.NDArray[np.void]) -> tuple[str, ...]:
    return records.dtype.names or ()


def _text(value: Any) -> str:
    return _escaped(value) if isinstance(value, bytes) else str(value)


def _escaped(value: bytes) -> str:
    text = value.decode("utf-8", "backslashreplace")
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def _plain(value: Any) -> int | Decimal | str | None:
    found: int | Decimal | str | None = value.decode() if isinstance(value, bytes) else value
    return found
