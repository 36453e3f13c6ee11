"""SQL that counts rows of a table by chunk: where they lie, or how many lie where they belong."""

from __future__ import annotations

from functools import cache

from ingestor.model import Table
from ingestor.store.schema import qualified


@cache
def extents_statement(table: Table, *, bounded: bool) -> str:
    """SQL that counts rows by chunk, with the least and the greatest of the time column.

    Args:
        bounded: Whether the parameters bound the time column, the latter exclusive.
    """
    low, high = (
        f"1000000 * extract(epoch FROM {of}({table.time_column}))" for of in ("min", "max")
    )
    where = f" WHERE {_between(table.time_column)}" if bounded else ""
    return (
        f"SELECT chunk_id, count(*) AS rows, {low} AS low, {high} AS high "
        f"FROM {qualified(table)}{where} GROUP BY chunk_id"
    )


@cache
def placed_statement(table: Table, *, bounded: bool) -> str:
    """SQL that counts rows by chunk, all and those inside.

    Args:
        bounded: Whether the first two parameters bound the time column, the latter exclusive. The
            others are arrays: chunks, and the first and last instant of each, null for nowhere.
    """
    time, first = table.time_column, 3 if bounded else 1
    where = f" WHERE {_between(f't.{time}')}" if bounded else ""
    return (
        f"SELECT t.chunk_id, count(*) AS rows, "
        f"count(*) FILTER (WHERE t.{time} BETWEEN s.low AND s.high) AS inside "
        f"FROM {qualified(table)} t JOIN unnest(${first}::INTEGER[], "
        f"${first + 1}::TIMESTAMPTZ[], ${first + 2}::TIMESTAMPTZ[]) AS s (chunk_id, low, high) "
        f"USING (chunk_id){where} GROUP BY t.chunk_id"
    )


def _between(column: str) -> str:
    return f"{column} >= $1 AND {column} < $2"
