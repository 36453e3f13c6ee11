"""A mapping file, read, checked against its Table and wire, compiled once to column functions."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ingestor.documents import nearest, read_bytes
from ingestor.errors import BadRules
from ingestor.model import Table, table_of
from ingestor.transform.agreement import MANNER, checked_file, in_order
from ingestor.transform.cells import Mask, Read, Values
from ingestor.transform.derived import derivation, sources_of
from ingestor.transform.ops import compile_rule
from ingestor.transform.rules import CopyOf, Difference, Rule, SymbolId
from ingestor.transform.wires import Wire, wire_of
from ingestor.vocabulary import Schema

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingType

    from ingestor.transform.cells import Op
    from ingestor.transform.derived import Derivation


@dataclass(frozen=True, slots=True)
class Spelled:
    """Wire records in the columns of their table.

    Attributes:
        columns: Every frame column of the Table, in wire integers, each of shape (n,).
        unread: Column → bool (n,), the records whose value no conversion could read; it is
            undefined there, or 0 in a column that is always defined. Columns that were read whole
            are left out.
    """

    columns: dict[str, Values]
    unread: dict[str, Mask] = field(default_factory=dict)


@dataclass(frozen=True)
class Mapping:
    """How one source spells the records of one schema.

    Attributes:
        ops: What makes columns of records.
        derived: What makes columns of other columns, in the order in which they can be made.
        digest: sha256 of the file, hex; it goes into the receipt.
        name: What messages call the file.
    """

    table: Table
    rules: MappingType[str, Rule]
    ops: MappingType[str, Op]
    derived: MappingType[str, Derivation]
    digest: str
    name: str

    @property
    def symbol_field(self) -> str | None:
        """The wire field whose text names the instrument, where the wire has no ids."""
        rule = self.rules.get("instrument_id")
        return rule.field if isinstance(rule, SymbolId) else None

    @cached_property
    def fields(self) -> frozenset[str]:
        """Fields that every record must have."""
        needed = [rule for rule in self.rules.values() if getattr(rule, "absent", None) is None]
        return frozenset(field for rule in needed for field in rule.fields)

    @cached_property
    def cells(self) -> MappingType[str, str]:
        """Column → the field whose text it is made of; of columns that can be unread."""
        fields = {name: rule.fields for name, rule in self.rules.items() if name in self.ops}
        return MappingProxyType({name: found[0] for name, found in fields.items() if found})

    def silent(self, layout: np.dtype[np.void]) -> frozenset[str]:
        """Columns that records of this layout say nothing of: their version lacks the field."""
        there = layout.names or ()
        found = {n for n, r in self.rules.items() if not all(each in there for each in r.fields)}
        for name in self.derived:
            if not found.isdisjoint(sources_of(self.rules[name])):
                found.add(name)
        return frozenset(found)

    def spell(self, records: npt.NDArray[np.void], names: Collection[str] | None = None) -> Spelled:
        """The frame columns `names`, all by default, from records of shape (n,).

        Raises:
            BadRules: The records lack a field, and the rule says nothing of that.
        """
        if names is not None:
            some = self._made(records, self._with_sources(names))
            unread = {name: some.unread[name] for name in names if name in some.unread}
            return Spelled({name: some.columns[name] for name in names}, unread)
        made = self._made(records, None)
        if self.derived:
            in_order = {each.name: made.columns[each.name] for each in self.table.frame_columns}
            return Spelled(in_order, made.unread)
        return made

    def columns(
        self, records: npt.NDArray[np.void], names: Collection[str] | None = None
    ) -> dict[str, npt.NDArray[np.generic]]:
        """As `spell`, the columns alone, in wire integers."""
        return self.spell(records, names).columns

    def _with_sources(self, names: Collection[str]) -> frozenset[str]:
        found = frozenset(names)
        more = found.union(*(sources_of(self.rules[name]) for name in names))
        return found if more == found else self._with_sources(more)

    def _made(self, records: npt.NDArray[np.void], names: Collection[str] | None) -> Spelled:
        if not self.fields.issubset(records.dtype.names or ()):
            raise self._lacking(records.dtype.names or ())
        made = Spelled({})
        for name, op in self.ops.items():
            if names is None or name in names:
                _keep(made, name, op(records))
        for name, derive in self.derived.items():
            if names is None or name in names:
                _keep(made, name, derive(made.columns, made.unread))
        return made

    def _lacking(self, there: Sequence[str]) -> BadRules:
        lacking = sorted(self.fields.difference(there))
        columns = [n for n, r in self.rules.items() if not set(lacking).isdisjoint(r.fields)]
        listed = ", ".join(each[:60] for each in there[:50] if each.isprintable())
        return BadRules(
            f"mapping file {self.name} reads {', '.join(lacking)} for {', '.join(columns)}, but "
            f"the records have {listed}{nearest(lacking[0], there)}",
            hint="name the field that they have, or say with `absent` what they stand for without",
        )


def _keep(made: Spelled, name: str, column: Values | Read) -> None:
    if isinstance(column, Read):
        made.columns[name] = column.values
        if column.unread is not None:
            made.unread[name] = column.unread
    else:
        made.columns[name] = column


def load_mapping(folder: Path, schema: Schema) -> Mapping:
    """The mapping of `schema` in `folder` (``configs/mappings/<source>``), as it is there now.

    Raises:
        BadRules: It is missing or wrong; the message names file, line, key, what was found and what
            is allowed.
    """
    path = folder / f"{schema}.yaml"
    return _compiled(read_bytes(path, MANNER), str(path), schema, wire_of(folder, schema))


def parse_mapping(raw: bytes, *, name: str, schema: Schema, wire: Wire | None = None) -> Mapping:
    """As `load_mapping`, from the file's bytes; of an unknown wire nothing is required."""
    return _compiled(raw, name, schema, wire)


@lru_cache(maxsize=128)
def _compiled(raw: bytes, name: str, schema: Schema, wire: Wire | None) -> Mapping:
    table = table_of(schema)
    file = checked_file(raw, name, schema, wire)
    derived = in_order(file)
    ops = {
        column.name: compile_rule(file.columns[column.name], column)
        for column in table.frame_columns
        if column.name not in derived
    }
    made = {name: _derivation(file.columns[name], name, table) for name in derived}
    return Mapping(
        table=table,
        rules=MappingProxyType(file.columns),
        ops=MappingProxyType(ops),
        derived=MappingProxyType(made),
        digest=hashlib.sha256(raw).hexdigest(),
        name=name,
    )


def _derivation(rule: Rule, name: str, table: Table) -> Derivation:
    assert isinstance(rule, CopyOf | Difference)
    return derivation(rule, table[name], table)
