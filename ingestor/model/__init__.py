"""The standard tables, by name and by the schema they store.

Each module of `ingestor.model.tables` names its own as ``TABLES``; nothing else lists them, so that
a new schema is one model file (and one mapping file).
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from ingestor.model import tables
from ingestor.model.kind import Column, Kind, Table
from ingestor.vocabulary import Schema


def _found() -> dict[Schema, Table]:
    names = [each.name for each in iter_modules(tables.__path__)]
    modules = [import_module(f"{tables.__name__}.{name}") for name in names]
    return {schema: table for each in modules for table in each.TABLES for schema in table.schemas}


_BY_SCHEMA: Final = dict(sorted(_found().items(), key=lambda item: list(Schema).index(item[0])))
STORED: Final[tuple[Schema, ...]] = tuple(_BY_SCHEMA)
"""The schemas that have a table, in the order of the vocabulary."""

TABLES: Final[tuple[Table, ...]] = tuple(dict.fromkeys(_BY_SCHEMA.values()))


def table_of(schema: Schema) -> Table:
    """The table that stores records of `schema`, one of `STORED`."""
    return _BY_SCHEMA[schema]


__all__ = ["STORED", "TABLES", "Column", "Kind", "Table", "table_of"]
