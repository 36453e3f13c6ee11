"""What the records of a folder's sources look like, as far as it is known before a payload is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ingestor.dbn import NEWEST, layout
from ingestor.dbn.layout import message
from ingestor.documents import nearest
from ingestor.transform.rules import Rule
from ingestor.transform.sorts import READ_CELLS, READS, Sort
from ingestor.vocabulary import Schema

DBN_FOLDER: Final = "databento"
TEXT_FOLDER: Final = "csv-files"


@dataclass(frozen=True, slots=True)
class TextWire:
    """Cells of text files: any field may be there, and each is text."""

    def fault(self, rule: Rule, field: str, dtype: np.dtype[np.generic]) -> tuple[str, str]:
        """As `DbnWire.fault`."""
        del field, dtype
        if rule.op in READ_CELLS:
            return "", ""
        return "op", (
            f"op {rule.op} reads numbers of a binary wire, and the fields of this one are text; "
            f"allowed are {', '.join(sorted(READ_CELLS))}"
        )


@dataclass(frozen=True, slots=True)
class DbnWire:
    """Records of DBN, of any version."""

    schema: Schema

    def fault(self, rule: Rule, field: str, dtype: np.dtype[np.generic]) -> tuple[str, str]:
        """What is wrong with a rule that makes a column of `dtype` of a field.

        Returns:
            The key of the rule that is wrong, and how; both empty where nothing is.
        """
        versions = range(1, NEWEST + 1)
        having = [each for each in versions if field in self._fields(each)]
        if not having:
            return "field", self._unknown(field, versions)
        lacking = [each for each in versions if each not in having]
        if lacking and getattr(rule, "absent", None) is None:
            return "field", (
                f"DBN of version {', '.join(map(str, lacking))} has no {field}; say with `absent` "
                "what its records have"
            )
        return next((told for each in having if (told := self._misread(rule, field, dtype, each))),
                    ("", ""))  # fmt: skip

    def _unknown(self, field: str, versions: Sequence[int]) -> str:
        known = list(dict.fromkeys(name for each in versions for name in self._fields(each)))
        return (
            f"{field[:60]!r} is no field of {self.schema} in any version of DBN; there are "
            f"{', '.join(known)}{nearest(field, known)}"
        )

    def _fields(self, version: int) -> tuple[str, ...]:
        names = layout(self.schema, version).names or ()
        return tuple(name for name in names if not name.startswith("_"))

    def _misread(
        self, rule: Rule, field: str, dtype: np.dtype[np.generic], version: int
    ) -> tuple[str, str] | None:
        wire, found = layout(self.schema, version)[field], self._sort(field, version)
        if found not in READS[rule.op]:
            fitting = ", ".join(op for op, sorts in READS.items() if found in sorts)
            return "op", (
                f"op {rule.op} cannot read {field} of DBN {version}, a {found}; {fitting} can"
            )
        if rule.op == "integer" and not np.can_cast(wire, dtype, "safe"):
            return "field", f"{field} of DBN {version} ({wire}) does not fit the column ({dtype})"
        return None

    def _sort(self, field: str, version: int) -> Sort:
        told = message(self.schema, version)
        if field in told._price_fields:
            return Sort.PRICE
        if field in told._timestamp_fields:
            return Sort.TIME
        wire = layout(self.schema, version)[field]
        if wire.kind != "S":
            return Sort.INTEGER
        return Sort.CHARACTER if wire.itemsize == 1 else Sort.TEXT


Wire = DbnWire | TextWire


def wire_of(folder: Path, schema: Schema) -> Wire | None:
    """The wire of a folder of mapping files; None where nothing is known of it."""
    if folder.name == DBN_FOLDER:
        return DbnWire(schema)
    if TEXT_FOLDER in (folder.name, folder.parent.name):
        return TextWire()
    return None
