"""The key space of a forced load: what it answers for, and what is removed of it.

A payload that is whole also proves what it lacks: rows of its dataset, on the days that it proves,
of the instruments that were asked for. What of these is stored and not in the payload has been
withdrawn by the provider. Key spaces are no chunks: rows of many chunks lie in one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ingestor.days import DaySet, date_of_day
from ingestor.errors import RemovalLimit
from ingestor.job import Claim, SymbolInterval
from ingestor.model import Table
from ingestor.store.database import Connection
from ingestor.store.day_locks import own_days
from ingestor.store.key_space_sql import (
    days_statement,
    held_statement,
    quarantine_statement,
    remove_statement,
)
from ingestor.store.queries import queries
from ingestor.vocabulary import ALL_SYMBOLS, SType

_FORCE = queries("force")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class RemovalLimits:
    """How much of what is stored a forced load may remove unasked.

    Attributes:
        share: Of the rows that lie in its key space.
        rows: So many always.
    """

    share: float
    rows: int

    def allowed(self, held: int) -> int:
        """Rows that may go of `held`."""
        return max(self.rows, int(held * self.share))


@dataclass(frozen=True, slots=True)
class KeySpace:
    """Records of `table` that the payload of `claim` answers for, whether it holds them or not.

    Attributes:
        days: Of the index timestamp.
        unresolved: Symbols of the claim that meant nothing on some day: that they lack proves
            nothing.
        instruments: Ids of the payload's records.
        intervals: What the payload says of symbols.
    """

    claim: Claim
    table: Table
    days: DaySet
    unresolved: Collection[str]
    instruments: Sequence[int]
    intervals: Sequence[SymbolInterval]

    @property
    def everything(self) -> bool:
        """Whether it is all instruments of the dataset."""
        return (self.claim.symbols or (ALL_SYMBOLS,)) == (ALL_SYMBOLS,)

    def named(self) -> list[tuple[int, str, str]]:
        """(id, first date, date past the last) that the payload's symbology gives.

        What the ledger remembers of the symbols does not count: ids that they led to formerly are
        other symbols' by now, and so are their rows. An id that the request's own symbols lead to
        lies in the space on their days only: a name found for it beside (the raw symbol of a
        continuous one's contract) may hold for longer. Of a parent every id that is named is its
        member, with or without records.
        """
        found = [e for e in self.intervals
                 if e.stype_out == SType.INSTRUMENT_ID and e.target.isdecimal()]  # fmt: skip
        if self.claim.stype_in == SType.PARENT:
            return [(int(each.target), each.start, each.end) for each in found]
        asked = [e for e in found if e.stype_in == self.claim.stype_in
                 and e.symbol in self.claim.symbols]  # fmt: skip
        led_to, delivered = {each.target for each in asked}, {str(n) for n in self.instruments}
        others = [e for e in found if e.target in delivered and e.target not in led_to]
        return [(int(each.target), each.start, each.end) for each in (*asked, *others)]

    def asked_by_number(self) -> list[int]:
        """Ids that were asked for as such: they lie in the space on each of its days."""
        if self.claim.stype_in != SType.INSTRUMENT_ID:
            return []
        known = {*self.claim.symbols} - {*self.unresolved}
        return sorted({int(each) for each in known if each.isdecimal()})

    def nameless(self) -> list[int]:
        """Other ids of the payload, in the space on days on which the ledger names them not."""
        known = {number for number, _, _ in self.named()}.union(self.asked_by_number())
        return sorted(number for number in self.instruments if number not in known)


@dataclass(frozen=True, slots=True)
class OpenSpace:
    """A key space inside a load transaction, spelled out in a temporary table.

    Attributes:
        publishers: Those of the dataset.
        owned: Days (since 1970) of the table's time column that the transaction has alone: all
            that hold rows of the space, and the payload's.
    """

    space: KeySpace
    publishers: Sequence[int]
    owned: frozenset[int]


async def open_space(
    connection: Connection, space: KeySpace, days: Iterable[int], *, timeout_s: float
) -> OpenSpace:
    """Spells the space out and owns its days and the payload's, `days`, until the transaction ends.

    Rows may come and go while it waits for a day, so it looks again until it owns all it finds.
    Each time it begins anew, ascending: whoever waits for a day holds none above it.
    """
    await _spell(connection, space)
    publishers = await connection.fetchval(_FORCE["publishers"], space.claim.dataset)
    wanted = frozenset(days) | await _days(connection, space, publishers)
    while True:
        attempt = connection.transaction()
        await attempt.start()
        await own_days(connection, space.table, wanted, timeout_s=timeout_s)
        found = await _days(connection, space, publishers)
        if found <= wanted:
            await attempt.commit()
            return OpenSpace(space, publishers, wanted)
        await attempt.rollback()
        wanted |= found


async def remove(connection: Connection, opened: OpenSpace, limits: RemovalLimits) -> int:
    """Removes the rows of the space whose key the stage lacks, and records them; how many.

    Raises:
        RemovalLimit: They are more than may go; nothing was removed.
    """
    space = opened.space
    values = await _values(connection, space, opened.publishers)
    if values is None:
        return 0
    values.append(sorted(opened.owned))
    row = await connection.fetchrow(
        held_statement(space.table, everything=space.everything), *values
    )
    assert row is not None
    held, lacked = int(row["held"]), int(row["lacked"])
    if lacked > limits.allowed(held) and not space.claim.accept_removals:
        raise _too_many(space, held, lacked, limits)
    if lacked:
        statement = remove_statement(space.table, everything=space.everything)
        await connection.execute(statement, *values, space.claim.chunk_id)
    return lacked


async def supersede_quarantined(connection: Connection, opened: OpenSpace) -> None:
    """Quarantined records of other chunks in the space count as delivered no more.

    One without an index timestamp lies in the space where all of its chunk's range does, and where
    this chunk, too, takes such records.
    """
    space, claim = opened.space, opened.space.claim
    await connection.execute(
        quarantine_statement(everything=space.everything), opened.publishers, claim.chunk_id,
        claim.dataset, claim.schema, claim.last_slice, *_dates(space.days),
    )  # fmt: skip


async def _spell(connection: Connection, space: KeySpace) -> None:
    await connection.execute(_FORCE["make_space"])
    if space.everything:
        await connection.execute(_FORCE["fill_with_days"], *_dates(space.days))
    else:
        named = space.named()
        await connection.execute(
            _FORCE["fill_with_instruments"], *_dates(space.days), space.claim.dataset,
            [number for number, _, _ in named],
            [dt.date.fromisoformat(first) for _, first, _ in named],
            [dt.date.fromisoformat(past) for _, _, past in named],
            space.asked_by_number(), space.nameless(),
        )  # fmt: skip
    await connection.execute(_FORCE["index_space"])
    await connection.execute(_FORCE["analyze_space"])


async def _days(
    connection: Connection, space: KeySpace, publishers: Sequence[int]
) -> frozenset[int]:
    """Days of the time column on which rows of the space are stored."""
    values = await _values(connection, space, publishers)
    if values is None:
        return frozenset()
    rows = await connection.fetch(days_statement(space.table, everything=space.everything), *values)
    return frozenset(row["day"] for row in rows)


async def _values(
    connection: Connection, space: KeySpace, publishers: Sequence[int]
) -> list[Any] | None:
    """Publishers and bounds of the time column; None where nothing can be stored of the space.

    Hypertable chunks are left out by the time that they are cut on: where that is not the index
    timestamp, the ledger tells what belongs to which.
    """
    first, past = space.days.ranges[0][0], space.days.ranges[-1][1]
    low, high = _midnight(first), _midnight(past)
    if space.table.time_column != space.table.index_column:
        claim = space.claim
        row = await connection.fetchrow(
            _FORCE["event_bounds"], claim.dataset, claim.schema, date_of_day(first),
            date_of_day(past),
        )  # fmt: skip
        if row is None or row["low"] is None:
            return None
        low, high = _instant(row["low"]), _instant(row["high"]) + dt.timedelta(microseconds=1)
    return [publishers, low, high]


def _too_many(space: KeySpace, held: int, lacked: int, limits: RemovalLimits) -> RemovalLimit:
    return RemovalLimit(
        f"the payload of chunk {space.claim.chunk_id} lacks {lacked:,} of the {held:,} rows of "
        f"{space.table.name} that are stored of its symbols and days; a forced load may remove "
        f"{limits.allowed(held):,} (store.max_removal_share {limits.share:g}, "
        f"store.max_removal_rows {limits.rows:,})",
        hint="nothing was written; if they are to go, submit again with --force --accept-removals",
    )


def _dates(days: DaySet) -> tuple[list[dt.date], list[dt.date]]:
    return (
        [date_of_day(first) for first, _ in days.ranges],
        [date_of_day(past) for _, past in days.ranges],
    )


def _midnight(day: int) -> dt.datetime:
    return _EPOCH + dt.timedelta(days=day)


def _instant(ns: Any) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=int(ns) // 1000)
