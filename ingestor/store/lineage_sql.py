"""Statements of replays, built from the Table.

Each takes bounds of the time column, both inclusive, which leave hypertable chunks out.
"""

from __future__ import annotations

from functools import cache

from ingestor.model import Table
from ingestor.store.merge import STAGE, newer_owners
from ingestor.store.schema import day_of_time, qualified

REFUSED = "hdi_refused"


@cache
def row_days_statement(table: Table) -> str:
    """SQL that lists the days (since 1970) of the time column that hold rows of chunks $1.

    $2, $3 bounds.
    """
    return f"""
SELECT DISTINCT {day_of_time(table)} AS day FROM {qualified(table)} t
WHERE t.chunk_id = ANY($1::INTEGER[]) AND t.{table.time_column} BETWEEN $2 AND $3"""


@cache
def remove_unmade_statement(table: Table) -> str:
    """SQL that removes rows of chunks $1 whose key the stage lacks, and records them; how many.

    $2, $3 bounds, $4 chunk_id of the load. Keys are grouped, not joined, as in `key_space_sql`.
    """
    key = ", ".join(table.key)
    return f"""
WITH unmade AS MATERIALIZED (
    SELECT {key} FROM (
        SELECT {key}, 1 AS side FROM {qualified(table)} t
        WHERE t.chunk_id = ANY($1::INTEGER[]) AND t.{table.time_column} BETWEEN $2 AND $3
        UNION ALL
        SELECT {key}, 2 FROM {STAGE}
    ) both_sides GROUP BY {key} HAVING bit_or(side) = 1
), gone AS (
    DELETE FROM {qualified(table)} t USING unmade k
    WHERE {_same_key(table, "k")} AND t.{table.time_column} BETWEEN $2 AND $3
    RETURNING t.chunk_id
), {_recorded()}"""


def refused_stage_statement(table: Table) -> str:
    """SQL that makes the table of records that rules refuse: its columns, gone at commit."""
    return f"CREATE TEMP TABLE {REFUSED} (LIKE {qualified(table)}) ON COMMIT DROP"


@cache
def remove_refused_statement(table: Table) -> str:
    """SQL that removes rows of anybody that have the key of a refused record; how many.

    A row of a newer delivery stays where it says something else: it is another record.

    $1 when the payload was first loaded, $2, $3 bounds, $4 chunk_id of the load.
    """
    stored, refused = (", ".join(f"{of}.{name}" for name in table.value_columns) for of in "ts")
    key = ", ".join(f"t.{name}" for name in table.key)
    return f"""
WITH RECURSIVE j AS MATERIALIZED (
    SELECT {key}, t.chunk_id AS old_chunk, ({stored}) IS DISTINCT FROM ({refused}) AS differs
    FROM {REFUSED} s JOIN {qualified(table)} t
    ON {_same_key(table, "s")} AND t.{table.time_column} BETWEEN $2 AND $3
), {newer_owners("$1")}, gone AS (
    DELETE FROM {qualified(table)} t USING j
    WHERE {_same_key(table, "j")} AND t.{table.time_column} BETWEEN $2 AND $3
      AND NOT (j.differs AND j.old_chunk IN (SELECT old_chunk FROM newer))
    RETURNING t.chunk_id
), {_recorded()}"""


def _recorded() -> str:
    return """told AS (
    INSERT INTO ingest.supersessions (old_chunk, new_chunk, rows, kind)
    SELECT chunk_id, $4, count(*), 'removed' FROM gone GROUP BY chunk_id
)
SELECT count(*) FROM gone"""


def _same_key(table: Table, other: str) -> str:
    return " AND ".join(f"t.{name} = {other}.{name}" for name in table.key)
