"""A quarantined record, field by field: what it holds, what of it can be stored, and why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from ingestor.dbn import NEWEST, layout, layout_of_size, reserved_fields
from ingestor.errors import CorruptPayload
from ingestor.model import Column, Table
from ingestor.model.reasons import reason_of, reserved_reason
from ingestor.model.records import record_model, spelled
from ingestor.transform import Mapping
from ingestor.transform.rules import Constant, Undefined
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
        reasons: Sentences on why it cannot; empty where it can.
    """

    name: str
    wire: str | None
    stored: int | Decimal | str | None
    reasons: tuple[str, ...]


def explain(raw: bytes, schema: Schema, mapping: Mapping) -> tuple[Explained, ...]:
    """Every column that `mapping` makes of the wire record `raw`, in the order of its table.

    Reserved fields that hold something stand behind them. A bar that repeats another one's key is
    at fault in no field: the reason beside it in quarantine tells of that.

    Raises:
        CorruptPayload: No version of DBN has records of this schema of so many bytes.
    """
    records = decoded(raw, schema)
    frame = {name: values[0] for name, values in mapping.columns(records).items()}
    broken = broken_rules(mapping.table, frame)
    columns = tuple(
        Explained(
            name=column.name,
            wire=_wire(mapping, column, records),
            stored=None if column.name in broken else _plain(spelled(column, frame[column.name])),
            reasons=tuple(reason_of(rule, column) for rule in broken.get(column.name, ())),
        )
        for column in mapping.table.frame_columns
    )
    return (*columns, *_reserved(records, schema))


def _reserved(records: npt.NDArray[np.void], schema: Schema) -> Iterator[Explained]:
    """What stands where the newest version has nothing; older ones are not looked at."""
    for name in reserved_fields(schema) if records.dtype == layout(schema) else ():
        if found := records[name][0].item():
            yield Explained(name, found.hex(), None, (reserved_reason(name),))


def decoded(raw: bytes, schema: Schema) -> npt.NDArray[np.void]:
    """The record in the layout of its length, shape (1,)."""
    found = layout_of_size(schema, len(raw))
    if found is None:
        sizes = [layout(schema, version).itemsize for version in range(NEWEST, 0, -1)]
        known = ", ".join(str(size) for size in dict.fromkeys(sizes))
        raise CorruptPayload(
            f"a record of {len(raw)} bytes is none of {schema}; those have {known} bytes"
        )
    return np.frombuffer(raw, found)


def broken_rules(table: Table, frame: dict[str, Any]) -> dict[str, list[str]]:
    """Column → rules that its value of the standard frame breaks, found by the record model."""
    broken: dict[str, list[str]] = {}
    try:
        record_model(table)(**{c.name: spelled(c, frame[c.name]) for c in table.frame_columns})
    except ValidationError as error:
        for each in error.errors(include_url=False, include_context=False):
            column = table[str(each["loc"][0])]
            check = _check(column, frame[column.name], each["type"])
            broken.setdefault(column.name, []).append(f"{column.name}.{check}")
    return broken


def _check(column: Column, value: Any, found: str) -> str:
    if column.required is not None and value == column.required:
        return "required"
    return "range" if column.kind.name == "character" else _CHECKS.get(found, "range")


def _wire(mapping: Mapping, column: Column, records: npt.NDArray[np.void]) -> str | None:
    rule = mapping.rules[column.name]
    if isinstance(rule, Constant | Undefined) or rule.field not in (records.dtype.names or ()):
        return None
    value = records[rule.field][0].item()
    return _escaped(value) if isinstance(value, bytes) else str(value)


def _escaped(value: bytes) -> str:
    text = value.decode("utf-8", "backslashreplace")
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def _plain(value: Any) -> int | Decimal | str | None:
    found: int | Decimal | str | None = value.decode() if isinstance(value, bytes) else value
    return found
