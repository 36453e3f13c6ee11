"""Rules that could not be decided when a chunk was loaded, and what asking again has found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt

from ingestor.store.database import Connection, Database
from ingestor.store.queries import queries

_REPLAYS = queries("replays")
_QUARANTINE = queries("quarantine")


@dataclass(frozen=True, slots=True)
class Undecided:
    """A rule of which records of a chunk are undecided.

    Attributes:
        released_of: The chunk that had refused them, where the chunk stores quarantined records and
            no payload of its own; else None.
        records: Stored records of which it is not known whether they break the rule.
        broken: Stored records that are known to break it, listed or not.
        fine: Records that were undecided and are known not to break it.
        last_recheck: Id of the recheck that said so; 0 where the receipt does.
    """

    chunk_id: int
    released_of: int | None
    rule: str
    records: int
    broken: int
    fine: int
    last_recheck: int


@dataclass(frozen=True, slots=True)
class Flag:
    """A stored record that breaks a rule.

    Attributes:
        position: 0-based place in the payload.
        value: What the field at fault holds, for people.
        readable: All columns for people, as JSON.
        index_ns: Index timestamp, nanoseconds since 1970; None where it is undefined.
    """

    position: int
    value: str
    readable: str
    publisher_id: int
    instrument_id: int
    index_ns: int | None
    ordinal: int


@dataclass(frozen=True, slots=True)
class Recheck:
    """What asking again has found of one rule and chunk: it counts in place of what was known.

    Attributes:
        broken: Stored records that break it, those that were known included.
        fine: Records that were undecided when they came, and do not.
        undecided: Records that are it still.
        field: First column that the rule looks at.
        flags: Some of the broken, in their order; those that are listed already may be among them.
    """

    of: Undecided
    rules_hash: str
    broken: int
    fine: int
    undecided: int
    field: str
    reason: str
    flags: Sequence[Flag]


async def undecided(database: Database, job_id: UUID | None) -> list[Undecided]:
    """What is to be asked again of a job, or of all; not of chunks that were replayed since."""
    rows = await database.fetch(f"{_QUARANTINE['replayed']} {_REPLAYS['undecided']}", job_id)
    return [
        Undecided(row["chunk_id"], row["released_of"], row["rule"], row["undecided"],
                  row["broken"], row["fine"], row["last_recheck"])
        for row in rows
    ]  # fmt: skip


async def released_ids(database: Database, chunk_id: int) -> list[int]:
    """Quarantined records that a chunk stored."""
    rows = await database.fetch(_REPLAYS["released_ids"], chunk_id)
    return [row["quarantine_id"] for row in rows]


async def refused_positions(database: Database, chunk_id: int) -> npt.NDArray[np.uint64]:
    """Places in its payload of the records that a chunk did not store, ascending."""
    rows = await database.fetch(_REPLAYS["refused_positions"], chunk_id)
    return np.array([row["position"] for row in rows], np.uint64)


async def record(database: Database, found: Recheck, *, flags_kept: int) -> bool:
    """Keeps what was found; False where another recheck was faster, and nothing is kept.

    Args:
        flags_kept: Flagged records that are listed per chunk and rule.
    """
    of = found.of
    async with database.connection() as connection, connection.transaction():
        await connection.execute(_REPLAYS["own_recheck"], of.chunk_id)
        last = await connection.fetchval(_REPLAYS["last_recheck"], of.chunk_id, of.rule)
        if last != of.last_recheck:
            return False
        recheck_id = await connection.fetchval(
            _REPLAYS["recheck"], of.chunk_id, of.rule, found.rules_hash, found.broken, found.fine,
            found.undecided,
        )  # fmt: skip
        await _flag(connection, found, recheck_id, flags_kept)
    return True


async def _flag(connection: Connection, found: Recheck, recheck_id: int, flags_kept: int) -> None:
    flags = found.flags
    await connection.execute(
        _REPLAYS["flag"], found.of.chunk_id, recheck_id, found.of.rule, found.rules_hash,
        flags_kept, found.field, found.reason,
        [each.position for each in flags], [each.value for each in flags],
        [each.readable for each in flags], [each.publisher_id for each in flags],
        [each.instrument_id for each in flags],
        [None if each.index_ns is None else str(each.index_ns) for each in flags],
        [each.ordinal for each in flags],
    )  # fmt: skip
