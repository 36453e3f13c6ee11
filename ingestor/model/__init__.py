"""The standard tables, by name and by the schema they store."""

from __future__ import annotations

from typing import Final

from ingestor.model.kind import Column, Kind, Table
from ingestor.model.ohlcv import OHLCV_TABLES
from ingestor.model.trades import TRADES
from ingestor.vocabulary import Schema

TABLES: Final[tuple[Table, ...]] = (*OHLCV_TABLES, TRADES)
_BY_SCHEMA: Final = {schema: table for table in TABLES for schema in table.schemas}


def table_of(schema: Schema) -> Table:
    """The table that stores records of `schema`."""
    return _BY_SCHEMA[schema]


__all__ = ["TABLES", "Column", "Kind", "Table", "table_of"]
