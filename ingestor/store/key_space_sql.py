"""Statements over the rows of a key space, built from the Table.

Each takes $1 publishers of the dataset, $2 and $3 bounds of the time column (end exclusive), which
leave hypertable chunks out. The space itself is in the temporary table `hdi_space`.
"""

from __future__ import annotations

from functools import cache

from ingestor.model import Table
from ingestor.store.merge import STAGE
from ingestor.store.schema import day_of_time, qualified

SPACE = "hdi_space"


@cache
def days_statement(table: Table, *, everything: bool) -> str:
    """SQL that lists the days (since 1970) of the time column that hold rows of the space."""
    return f"""
SELECT DISTINCT {day_of_time(table)} AS day
FROM {SPACE} w JOIN {qualified(table)} t ON {_inside(table, everything=everything)}"""


@cache
def held_statement(table: Table, *, everything: bool) -> str:
    """SQL that counts the rows of the space, `held`, and those whose key the stage lacks.

    $4: the days that are looked at; what comes in on others meanwhile comes after this load.
    """
    return f"""
SELECT count(*) FILTER (WHERE side <> 2) AS held, count(*) FILTER (WHERE side = 1) AS lacked
FROM ({_sides(table, everything=everything)}) k"""


@cache
def remove_statement(table: Table, *, everything: bool) -> str:
    """SQL that removes those rows and records them per chunk that had written them.

    $4: as above, $5 chunk_id of the load.
    """
    same_key = " AND ".join(f"t.{name} = k.{name}" for name in table.key)
    return f"""
WITH lacked AS MATERIALIZED (
    SELECT * FROM ({_sides(table, everything=everything)}) k WHERE side = 1
), gone AS (
    DELETE FROM {qualified(table)} t USING lacked k
    WHERE {same_key} AND t.{table.time_column} >= $2 AND t.{table.time_column} < $3
    RETURNING t.chunk_id
)
INSERT INTO ingest.supersessions (old_chunk, new_chunk, rows, kind)
SELECT chunk_id, $5, count(*), 'removed' FROM gone GROUP BY chunk_id"""


@cache
def quarantine_statement(*, everything: bool) -> str:
    """SQL that marks quarantined records of other chunks in the space as superseded.

    $1 publishers, $2 chunk_id, $3 dataset, $4 schema, $5 whether this chunk takes records without
    an index timestamp, too, $6 and $7 first dates of the space's days and those past the last. Such
    a record lies in the space where all of its chunk's range does. Locked in one order, so that two
    forced loads never wait in a ring.
    """
    whose = "" if everything else "q.instrument_id = w.instrument_id AND "
    return f"""
UPDATE ingest.quarantine SET superseded_by = $2
WHERE quarantine_id IN (
    SELECT q.quarantine_id
    FROM {SPACE} w
    JOIN ingest.quarantine q ON {whose}q.publisher_id = ANY($1::INTEGER[])
    JOIN ingest.chunks k USING (chunk_id)
    JOIN ingest.requests r USING (request_id)
    WHERE q.chunk_id <> $2 AND q.superseded_by IS NULL AND r.dataset = $3 AND r.schema = $4
      AND CASE WHEN q.index_ns IS NOT NULL
          THEN q.index_ns >= extract(EPOCH FROM w.first) * 1000000000
           AND q.index_ns < extract(EPOCH FROM w.past) * 1000000000
          ELSE $5::BOOLEAN AND EXISTS (
            SELECT FROM unnest($6::DATE[], $7::DATE[]) AS u(first, past)
            WHERE k.start_ns >= (u.first - DATE '1970-01-01') * 86400000000000::NUMERIC
              AND k.end_ns <= (u.past - DATE '1970-01-01') * 86400000000000::NUMERIC) END
    ORDER BY q.quarantine_id FOR UPDATE OF q)"""


def _inside(table: Table, *, everything: bool) -> str:
    whose = "" if everything else "t.instrument_id = w.instrument_id AND "
    return (
        f"{whose}t.{table.index_column} >= w.first AND t.{table.index_column} < w.past "
        f"AND t.publisher_id = ANY($1::INTEGER[]) "
        f"AND t.{table.time_column} >= $2 AND t.{table.time_column} < $3"
    )


def _sides(table: Table, *, everything: bool) -> str:
    """Every key of the space and the stage, with `side`: 1 stored, 2 delivered, 3 both.

    Grouped, not joined: a server that has no statistics of new rows may take them for a few and
    join each of a million with the whole stage.
    """
    key = ", ".join(table.key)
    stored = ", ".join(f"t.{name}" for name in table.key)
    return f"""
    SELECT {key}, bit_or(side) AS side FROM (
        SELECT {stored}, 1 AS side
        FROM {SPACE} w JOIN {qualified(table)} t ON {_inside(table, everything=everything)}
        WHERE {day_of_time(table)} = ANY($4::INTEGER[])
        UNION ALL
        SELECT {key}, 2 FROM {STAGE}
    ) both_sides GROUP BY {key}"""
