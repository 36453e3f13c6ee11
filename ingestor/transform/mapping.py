"""A mapping file, read, checked against its Table, compiled once to column functions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import yaml
from pydantic import ValidationError

from ingestor.errors import BadRules
from ingestor.model import Column, Table, table_of
from ingestor.transform.ops import ABSENT, compile_rule
from ingestor.transform.rules import Character, Constant, MappingFile, Rule, Text, Undefined
from ingestor.vocabulary import Schema

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingType

    from ingestor.transform.ops import Op

# Which ops may make a column of which Kind; anything else would reinterpret values silently.
_OPS_OF_KIND = {
    "timestamp": {"unix_nanos"},
    "timestamp, whole seconds": {"unix_nanos"},
    "price": {"fixed_price"},
    "character": {"character"},
    "text": {"constant", "text"},
}


@dataclass(frozen=True)
class Mapping:
    """How one source spells the records of one schema.

    Attributes:
        digest: sha256 of the file, hex; it goes into the receipt.
    """

    table: Table
    rules: MappingType[str, Rule]
    ops: MappingType[str, Op]
    digest: str

    def silent(self, layout: np.dtype[np.void]) -> frozenset[str]:
        """Columns that records of this layout say nothing of: their version lacks the field."""
        return frozenset(
            name
            for name, rule in self.rules.items()
            if not isinstance(rule, Constant | Undefined) and rule.field not in (layout.names or ())
        )

    def columns(self, records: npt.NDArray[np.void]) -> dict[str, npt.NDArray[np.generic]]:
        """Every frame column of the Table, in wire integers, from records of shape (n,)."""
        return {name: op(records) for name, op in self.ops.items()}


@lru_cache
def load_mapping(folder: Path, schema: Schema) -> Mapping:
    """The mapping of `schema` in `folder` (``configs/mappings/<source>``).

    Raises:
        BadRules: It is missing, does not parse, or does not make every column of the table; the
            message names file and key.
    """
    path = folder / f"{schema}.yaml"
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadRules(f"mapping file {path} cannot be read: {error.strerror}") from error
    return parse_mapping(raw, name=str(path), schema=schema)


def parse_mapping(raw: bytes, *, name: str, schema: Schema) -> Mapping:
    """As `load_mapping`, from the file's bytes."""
    try:
        file = MappingFile.model_validate(yaml.safe_load(raw))
    except yaml.YAMLError as error:
        raise BadRules(f"{name} is no YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadRules(f"{name}: {where}: {first['msg']}") from error
    table = table_of(schema)
    _check(file, table, schema, name)
    ops = {column.name: compile_rule(file.columns[column.name], column)
           for column in table.frame_columns}  # fmt: skip
    digest = hashlib.sha256(raw).hexdigest()
    return Mapping(table, MappingProxyType(file.columns), MappingProxyType(ops), digest)


def _check(file: MappingFile, table: Table, schema: Schema, name: str) -> None:
    if file.record_schema is not schema or file.table != table.name:
        raise BadRules(
            f"{name} maps {file.record_schema} to {file.table}, not {schema} to {table.name}"
        )
    wanted = {column.name for column in table.frame_columns}
    if missing := sorted(wanted - file.columns.keys()):
        raise BadRules(f"{name}: no rule for {', '.join(missing)} of {table.name}")
    if extra := sorted(file.columns.keys() - wanted):
        raise BadRules(f"{name}: {table.name} has no column {', '.join(extra)}")
    for column in table.frame_columns:
        _check_rule(file.columns[column.name], table, column.name, name)


def _check_rule(rule: Rule, table: Table, column_name: str, name: str) -> None:
    column = table[column_name]
    allowed = _OPS_OF_KIND.get(column.kind.name, {"integer"})
    if isinstance(rule, Undefined):
        if not column.nullable:
            raise BadRules(f"{name}: columns.{column_name}: op undefined, but it is never null")
    elif rule.op not in allowed:
        raise BadRules(
            f"{name}: columns.{column_name}: op {rule.op} cannot make a {column.kind.name}; "
            f"allowed: {', '.join(sorted(allowed))}"
        )
    elif isinstance(rule, Constant):
        if not rule.value:
            raise BadRules(f"{name}: columns.{column_name}: an empty constant would be NULL")
    elif rule.absent is not None and not _fits(rule.absent, rule, column):
        raise BadRules(
            f"{name}: columns.{column_name}: absent {rule.absent!r} is no {column.kind.name}"
        )


def _fits(absent: int | str, rule: Rule, column: Column) -> bool:
    """Whether the column can hold what a missing field stands for."""
    if absent == ABSENT:
        return column.nullable
    if isinstance(rule, Text):
        return isinstance(absent, str)
    if isinstance(rule, Character):
        return isinstance(absent, str) and len(absent.encode()) == 1
    info = np.iinfo(column.kind.frame)
    return isinstance(absent, int) and int(info.min) <= absent <= int(info.max)
