"""Reference values for validation: what the database knows of a payload's instruments, by day."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ingestor.days import DayRange, DaySet, date_of_day, day_of
from ingestor.job import Contents, SymbolInterval
from ingestor.model.references import Known, References
from ingestor.store.database import Connection, Database
from ingestor.store.queries import queries
from ingestor.vocabulary import SType

_REFERENCES = queries("references")

Interval = tuple[int, int, int, str]
"""Instrument id, first day since 1970, day after the last, value: as `Known.of` takes them."""


async def read_references(
    database: Database,
    dataset: str,
    contents: Contents,
    symbology: Sequence[SymbolInterval],
    needs: frozenset[str],
) -> References:
    """What is known of the instruments of a payload on its days of index timestamps.

    Args:
        symbology: What the payload itself says of symbols; it goes before what is stored.
        needs: Those of `ingestor.model.references.NAMES` that are asked for; others stay unknown.
    """
    if not contents.index_days or not contents.instruments:
        return References()
    days = min(contents.index_days), max(contents.index_days) + 1
    found: dict[str, Known] = {}
    async with database.connection() as connection:
        if "instrument_class" in needs:
            classes = await _classes(connection, dataset, contents.instruments, days)
            found["instrument_class"] = Known.of(classes)
        if "symbol" in needs:
            names = await _names(connection, dataset, contents.instruments, days)
            told = _told(symbology, contents.instruments, days)
            found["symbol"] = Known.of(_first_said([*told, *names]))
    return References(**found)


async def _classes(
    connection: Connection, dataset: str, ids: Sequence[int], days: DayRange
) -> list[Interval]:
    """Each holds from the day of its definition until the next; a deletion ends it with its day."""
    low, high = (_midnight(day) for day in days)
    rows = await connection.fetch(_REFERENCES["classes"], dataset, list(ids), low, high)
    early = {row["instrument_id"] for row in rows if row["day"] == days[0]}
    if late := [each for each in ids if each not in early]:
        rows += await connection.fetch(_REFERENCES["classes_before"], dataset, late, low)
    told: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        told[row["instrument_id"]].append(row)
    return [each for said in told.values() for each in _in_force(said, days)]


def _in_force(said: Iterable[Mapping[str, Any]], days: DayRange) -> Iterator[Interval]:
    """Of one instrument: what its definitions say for these days."""
    ordered = sorted(said, key=lambda row: int(row["day"]))
    nexts = [*(row["day"] for row in ordered[1:]), days[1]]
    for row, past in zip(ordered, nexts, strict=True):
        first, end = max(row["day"], days[0]), row["day"] + 1 if row["ended"] else past
        if first < end and row["value"] is not None:
            yield row["instrument_id"], first, end, row["value"]


async def _names(
    connection: Connection, dataset: str, ids: Sequence[int], days: DayRange
) -> list[Interval]:
    dates = (date_of_day(day) for day in days)
    rows = await connection.fetch(_REFERENCES["names"], dataset, list(ids), *dates)
    return [(row["instrument_id"], row["first"], row["past"], row["symbol"]) for row in rows]


def _told(
    symbology: Sequence[SymbolInterval], ids: Sequence[int], days: DayRange
) -> Iterator[Interval]:
    """The payload's own raw symbols, as far as they are of its instruments and days."""
    wanted = {str(each) for each in ids}
    for each in symbology:
        kinds = (each.stype_in, each.stype_out)
        if kinds == (SType.RAW_SYMBOL, SType.INSTRUMENT_ID) and each.target in wanted:
            first = max(day_of(dt.date.fromisoformat(each.start)), days[0])
            past = min(day_of(dt.date.fromisoformat(each.end)), days[1])
            if first < past:
                yield int(each.target), first, past, each.symbol


def _first_said(intervals: Iterable[Interval]) -> Iterator[Interval]:
    """Of each instrument and day what was said first: intervals of one never overlap then."""
    taken: dict[int, DaySet] = {}
    for number, first, past, value in intervals:
        free = DaySet([(first, past)])
        known = taken.get(number)
        for part in (free if known is None else free - known).ranges:
            yield number, *part, value
        taken[number] = free if known is None else known | free


def _midnight(day: int) -> dt.datetime:
    return dt.datetime.combine(date_of_day(day), dt.time(), dt.UTC)
