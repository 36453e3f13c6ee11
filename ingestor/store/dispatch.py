"""Which chunks go on the queue next: a bounded window, highest priority first, jobs in turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingestor.store import halts
from ingestor.store.database import Database
from ingestor.store.queries import queries
from ingestor.vocabulary import Priority

_DISPATCH = queries("dispatch")
_OVERDUE_AT_ONCE = 10_000
_LOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Message:
    """A chunk to put on the queue.

    Attributes:
        dispatch: How often it has been put there, this time included: names the message.
    """

    chunk_id: int
    dispatch: int
    priority: Priority


async def enqueue(database: Database, *, window: int, retry_grace_s: float) -> list[Message]:
    """Marks due chunks as queued, at most so many that `window` are on the queue.

    Chunks that were lost with their workers come beyond the window, on the urgent queue: there are
    no more of them than there were worker processes.

    The caller publishes what is returned, after the commit; what it fails to publish is found again
    by `overdue`. Empty where another dispatcher is at work, and while the line is stopped.
    """
    if await halts.closed(database):
        return []
    async with database.connection() as connection, connection.transaction():
        if not await connection.fetchval(_DISPATCH["try_lead"]):
            return []
        lost = await connection.fetch(_DISPATCH["enqueue_lost"], _LOST_AT_ONCE)
        messages: list[Message] = []
        for rank in [row["priority"] for row in await connection.fetch(_DISPATCH["waiting_ranks"])]:
            # Counted from this rank up: a queue full of backfill leaves room for what is urgent.
            room = window - await connection.fetchval(_DISPATCH["queued_from"], rank)
            if room > 0:
                rows = await connection.fetch(_DISPATCH["enqueue"], rank, room, retry_grace_s)
                messages += [_message(row, rank) for row in rows]
        return messages + [_message(row, Priority.HIGH.rank) for row in lost]


async def overdue(database: Database, *, grace_s: float) -> list[int]:
    """Chunks that went on the queue more than `grace_s` ago and that nobody has claimed.

    None while the line is stopped: nobody could claim them.
    """
    if await halts.closed(database):
        return []
    rows = await database.fetch(_DISPATCH["overdue"], grace_s, _OVERDUE_AT_ONCE)
    return [row["chunk_id"] for row in rows]


async def enqueue_again(
    database: Database, chunk_ids: Sequence[int], *, grace_s: float
) -> list[Message]:
    """Marks chunks whose message is lost as queued anew; the caller publishes them.

    Left out are those that a worker has claimed meanwhile, and those that went on the queue less
    than `grace_s` ago: another scheduler, or a retry, has put them there since they were overdue.
    """
    rows = await database.fetch(_DISPATCH["enqueue_again"], list(chunk_ids), grace_s)
    return [_message(row, row["priority"]) for row in rows]


async def anything_open(database: Database) -> bool:
    """Whether any job has not ended: then the next dispatch is worth an early look."""
    return bool(await database.fetchval(_DISPATCH["anything_open"]))


def _message(row: object, rank: int) -> Message:
    return Message(row["chunk_id"], row["dispatch_count"], list(Priority)[rank])  # type: ignore[index]


def lost(overdue: Iterable[int], held: frozenset[int]) -> list[int]:
    """Of the overdue chunks, those that the queue no longer holds."""
    return [chunk_id for chunk_id in overdue if chunk_id not in held]
