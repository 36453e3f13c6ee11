"""Quarantined records of a selection, from their raw bytes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Final

from ingestor.days import day_of, midnight
from ingestor.query.selection import Selection, Statement
from ingestor.query.symbols import members

_BATCH: Final = 1_000

# A record and its ordinal are one record, however often and in whatever files it was delivered.
# Where there is no ordinal to go by, a payload counts each of its positions once, within a job
# records add up, and of equal ones of several jobs there are as many as in the job that has most.
_DELIVERED: Final = """
WITH delivered AS (
    SELECT k.job_id, p.sha256, q.chunk_id, q.position, q.index_ns, q.instrument_id, q.raw,
           CASE WHEN q.index_ns IS NOT NULL THEN q.ordinal END AS ordinal
    FROM ingest.quarantine q
    JOIN ingest.chunks k USING (chunk_id)
    JOIN ingest.requests r USING (request_id)
    JOIN ingest.payloads p USING (payload_id),
         LATERAL (SELECT coalesce(q.index_ns, k.end_ns - 1) AS at) t
    WHERE {where}
), once AS (
    SELECT DISTINCT ON (job_id, sha256, position) *
    FROM delivered WHERE ordinal IS NULL
    ORDER BY job_id, sha256, position, chunk_id
), counted AS (
    SELECT *, row_number() OVER (PARTITION BY job_id, raw ORDER BY chunk_id, position) AS nth
    FROM once
), single AS (
    SELECT DISTINCT ON (raw, nth) index_ns, instrument_id, raw, ordinal, chunk_id, position
    FROM counted ORDER BY raw, nth, chunk_id, position
)
SELECT index_ns, instrument_id, raw, ordinal FROM (
    SELECT DISTINCT index_ns, instrument_id, raw, ordinal, 0 AS chunk_id, 0::BIGINT AS position
    FROM delivered WHERE ordinal IS NOT NULL
    UNION ALL
    SELECT * FROM single
) q
ORDER BY index_ns NULLS LAST, instrument_id, chunk_id, position
"""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record that was refused.

    Attributes:
        index_ns: Its index timestamp, nanoseconds since 1970; None where it is undefined.
        raw: The wire record, as delivered.
        ordinal: Its place among records of its key; None where the index timestamp is undefined,
            and of records of before, whose ordinal was not kept.
    """

    index_ns: int | None
    instrument_id: int
    raw: bytes
    ordinal: int | None


async def quarantined(connection: Any, wanted: Selection) -> AsyncGenerator[list[Quarantined]]:
    """The records in the order of index timestamp and instrument, at most 1,000 at a time.

    Those without an ordinal are in the order of chunk and position among themselves.

    Undefined index timestamps come last; the last moment of their chunk decides whether they are
    in the range. What a forced load or a replay took the place of is left out, and so is what was
    stored later: it is a row.
    """
    made = _statement(wanted)
    cursor = await connection.cursor(made.text, *made.values)
    while rows := await cursor.fetch(_BATCH):
        yield [
            Quarantined(
                None if row["index_ns"] is None else int(row["index_ns"]),
                row["instrument_id"],
                row["raw"],
                row["ordinal"],
            )
            for row in rows
        ]


def _statement(wanted: Selection) -> Statement:
    made = Statement()
    limits = [
        "q.superseded_by IS NULL",
        "q.resolution IS DISTINCT FROM 'replayed'",
        f"r.dataset = {made.put(wanted.dataset, 'TEXT')}",
        f"r.schema = {made.put(wanted.schema, 'TEXT')}",
        f"t.at >= {made.put(wanted.start, 'NUMERIC')}",
        f"t.at < {made.put(wanted.end, 'NUMERIC')}",
    ]
    if wanted.intervals is not None:
        limits.append(_instruments(wanted, made))
    made.text = _DELIVERED.format(where=" AND ".join(limits))
    return made


def _instruments(wanted: Selection, made: Statement) -> str:
    held = list(members(wanted.intervals or ()))
    ids = made.put([each.instrument_id for each in held], "BIGINT[]")
    first = made.put([midnight(day_of(each.first)) for each in held], "NUMERIC[]")
    past = made.put([midnight(day_of(each.past)) for each in held], "NUMERIC[]")
    return (
        f"EXISTS (SELECT FROM unnest({ids}, {first}, {past}) AS w(instrument_id, first, past)"
        " WHERE w.instrument_id = q.instrument_id AND t.at >= w.first AND t.at < w.past)"
    )
