"""Standard columns → wire records of the newest DBN: a mapping file read backwards."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ingestor.dbn import NEWEST, layout, layout_of_size, rtype
from ingestor.errors import BadRules, CorruptPayload
from ingestor.transform.mapping import Mapping
from ingestor.transform.rules import FROM_WIRE, OPS_FROM_WIRE
from ingestor.vocabulary import Schema

Values = npt.NDArray[Any]
Records = npt.NDArray[np.void]

_LENGTH_UNIT: Final = 4
"""Bytes: the first byte of a DBN record is its length in these."""


@dataclass(frozen=True)
class Inverse:
    """The way back, for one schema.

    What is in no column is a constant of the schema: length and rtype, and reserved bytes, zero.

    Raises:
        BadRules: The mapping leaves a field of the wire out of all columns, or changes it.
    """

    mapping: Mapping
    schema: Schema

    def __post_init__(self) -> None:
        names = (name for name in self.layout.names or () if not name.startswith("_"))
        if lost := sorted(set(names) - {"length", "rtype"} - set(self.fields.values())):
            ops = ", ".join(sorted(OPS_FROM_WIRE))
            raise BadRules(
                f"mapping file {self.mapping.name} cannot be read backwards: no column holds "
                f"{', '.join(lost)} as on the wire; columns made by {ops} do",
                hint="export with the shipped mapping files",
            )

    @property
    def layout(self) -> np.dtype[np.void]:
        return layout(self.schema, NEWEST)

    @cached_property
    def fields(self) -> dict[str, str]:
        """Column → its field on the wire, for columns that are copies of one."""
        return {
            name: rule.field
            for name, rule in self.mapping.rules.items()
            if isinstance(rule, FROM_WIRE) and not getattr(rule, "nulls", ())
        }

    @cached_property
    def lost(self) -> tuple[str, ...]:
        """Columns whose field only older versions of DBN have."""
        names = self.layout.names or ()
        return tuple(name for name, field in self.fields.items() if field not in names)

    @cached_property
    def widths(self) -> dict[str, int]:
        """Bytes that each column's field has."""
        kept = self.fields.items() - {(name, self.fields[name]) for name in self.lost}
        return {name: self.layout[field].itemsize for name, field in kept}

    @cached_property
    def _blank(self) -> Records:
        made = np.zeros(1, self.layout)
        made["length"] = self.layout.itemsize // 4
        made["rtype"] = rtype(self.schema)
        return made

    def records(self, columns: MappingType[str, Values]) -> Records:
        """Wire records of shape (n,) from the columns of `fields`, in wire integers."""
        count = len(next(iter(columns.values())))
        made = np.repeat(self._blank, count)
        for name, field in self.fields.items():
            if name not in self.lost:
                made[field] = _spelled(columns[name], self.layout[field])
        return made

    def losing(self, columns: MappingType[str, Values]) -> int:
        """How many records have a value in a field that the newest DBN leaves out."""
        table = self.mapping.table
        some = [columns[name] != table[name].null for name in self.lost]
        return int(np.logical_or.reduce(some).sum()) if some else 0

    def upgraded(self, records: Records) -> Records:
        """Records of any version as the newest has them; the newest as they are.

        Equal to the upgrade of Databento's own client. Values are copied, never decoded: text that
        is no UTF-8, and what stands behind a NUL, stays.
        """
        if records.dtype == self.layout:
            return records
        return self.records(self.mapping.columns(records))

    def upgraded_bytes(self, raw: Sequence[bytes]) -> tuple[list[bytes], int]:
        """As `upgraded`, of records of whatever versions; and how many `losing` counts of them.

        Raises:
            CorruptPayload: A length is that of no version, or one came from a text file.
        """
        if any(map(_is_text, raw)):
            raise _from_text(self.schema)
        made, losing = list(raw), 0
        for size in {len(each) for each in raw} - {self.layout.itemsize}:
            places = [at for at, each in enumerate(raw) if len(each) == size]
            found = np.frombuffer(b"".join(raw[at] for at in places), self._of_size(size))
            columns = self.mapping.columns(found)
            losing += self.losing(columns)
            for at, record in zip(places, self.records(columns), strict=True):
                made[at] = record.tobytes()
        return made, losing

    def _of_size(self, size: int) -> np.dtype[np.void]:
        if (wire := layout_of_size(self.schema, size)) is not None:
            return wire
        raise CorruptPayload(
            f"a quarantined {self.schema} record has {size} bytes, as in no version of DBN",
            hint="export with --without-quarantined",
        )


def _is_text(raw: bytes) -> bool:
    """Whether it is a header line and a line of a text file; DBN begins with its own length."""
    line, newline, _ = raw.partition(b"\n")
    if not (line and newline) or raw[0] * _LENGTH_UNIT == len(raw):
        return False
    try:
        return line.rstrip(b"\r").replace(b"\t", b" ").decode().isprintable()
    except UnicodeDecodeError:
        return False


def _from_text(schema: Schema) -> CorruptPayload:
    return CorruptPayload(
        f"a quarantined {schema} record came from a text file: it is a line of text, and DBN holds "
        "none",
        hint="export with --without-quarantined",
    )


def _spelled(values: Values, field: np.dtype[Any]) -> Values:
    """A column as its field has it: characters are bytes on the wire, numbers in the frame."""
    if field.kind == "S" and values.dtype.kind != "S":
        return np.ascontiguousarray(values).view(field)
    return values
