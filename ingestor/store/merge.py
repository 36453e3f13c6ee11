"""The merge of a staged payload into rows that are there: one statement, built from the Table."""

from __future__ import annotations

from functools import cache

from ingestor.model import Table
from ingestor.store.schema import qualified

STAGE = "hdi_stage"


@cache
def merge_statement(
    table: Table, silent: frozenset[str] = frozenset(), *, replay: bool = False
) -> str:
    """SQL that merges the stage into `table` and counts what it did.

    Rows equal to what is there are left alone (an unconditional update left 2M dead rows and took
    three times as long); rows that differ are corrected and recorded as superseding their old
    chunk; new ones are inserted in key order, where writers cannot deadlock. The caller
    holds the table's days alone, so what the join found stays true until the end. Columns in
    `silent` are neither compared nor corrected: the payload cannot say anything of them.

    Parameters: $1 chunk_id, $2 and $3 smallest and largest value of the time column, which exclude
    hypertable chunks. Of a replay $4, too: when its payload was first loaded. What a newer delivery
    has said since stays. Returns one row: inserted, corrected, total.
    """
    same_key = " AND ".join(f"t.{name} = s.{name}" for name in table.key)
    found_key = " AND ".join(f"t.{name} = j.{name}" for name in table.key)
    values = tuple(name for name in table.value_columns if name not in silent)
    differs = f"({_list('t', values)}) IS DISTINCT FROM ({_list('s', values)})"
    assigned = ", ".join(f"{name} = j.{name}" for name in values)
    columns = ", ".join(column.name for column in table.columns)
    bounds = f"t.{table.time_column} BETWEEN $2 AND $3"
    recursive, newer, older = "", "", ""
    if replay:
        recursive, newer = " RECURSIVE", f"{newer_owners('$4')}, "
        older = " AND j.old_chunk NOT IN (SELECT old_chunk FROM newer)"
    return f"""
WITH{recursive} j AS MATERIALIZED (
    SELECT s.*, t.chunk_id AS old_chunk
    FROM {STAGE} s LEFT JOIN {qualified(table)} t ON {same_key} AND {bounds}
    WHERE t.chunk_id IS NULL OR {differs}
), {newer}u AS (
    UPDATE {qualified(table)} t SET {assigned}, chunk_id = $1
    FROM j WHERE j.old_chunk IS NOT NULL AND {found_key} AND {bounds}{older}
    RETURNING j.old_chunk
), i AS (
    INSERT INTO {qualified(table)} ({columns})
    SELECT {columns} FROM j WHERE j.old_chunk IS NULL ORDER BY {", ".join(table.key)}
    RETURNING 1
), l AS (
    INSERT INTO ingest.supersessions (old_chunk, new_chunk, rows, kind)
    SELECT old_chunk, $1, count(*), 'corrected' FROM u GROUP BY old_chunk
)
SELECT (SELECT count(*) FROM i) AS inserted, (SELECT count(*) FROM u) AS corrected,
       (SELECT count(*) FROM {STAGE}) AS total"""


def newer_owners(delivered: str) -> str:
    """SQL of `newer`: chunks among `j.old_chunk` whose payload came after the time `delivered`.

    A payload came when it was first loaded, whatever chunk has loaded it again since.
    """
    return f"""climbed (old_chunk, chunk_id) AS (
    SELECT DISTINCT old_chunk, old_chunk FROM j WHERE old_chunk IS NOT NULL
    UNION
    SELECT c.old_chunk, k.replays FROM climbed c JOIN ingest.chunks k USING (chunk_id)
    WHERE k.replays IS NOT NULL
), newer AS (
    SELECT c.old_chunk FROM climbed c JOIN ingest.chunks k USING (chunk_id)
    WHERE k.replays IS NULL AND k.finished_at > {delivered}
)"""


def stage_statement(table: Table) -> str:
    """SQL that makes the stage: the table's columns, no index, gone at commit."""
    return f"CREATE TEMP TABLE {STAGE} (LIKE {qualified(table)}) ON COMMIT DROP"


@cache
def probe_statement(table: Table) -> str:
    """SQL that tells whether any row of the given instruments lies in the time range.

    One look at the key's prefix per instrument: 2–9 ms for up to 10,000 of them.
    Parameters: $1 instrument ids, $2 and $3 smallest and largest value of the time column.
    """
    return f"""
SELECT EXISTS (SELECT 1 FROM unnest($1::BIGINT[]) AS u(id) WHERE EXISTS (
    SELECT 1 FROM {qualified(table)} t
    WHERE t.instrument_id = u.id AND t.{table.time_column} BETWEEN $2 AND $3))"""


def _list(alias: str, names: tuple[str, ...]) -> str:
    return ", ".join(f"{alias}.{name}" for name in names)
