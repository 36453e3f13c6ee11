"""What the ledger says it has and knows, against what the simulator served to completed chunks."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import orjson

from ingestor.dbn import index_field
from ingestor.model import TABLES, Table, table_of
from ingestor.simulator.archive import Archive
from ingestor.simulator.calendar import date_of, number
from ingestor.simulator.desk import Desk
from ingestor.simulator.market import DAY
from ingestor.simulator.metadata import list_publishers
from ingestor.store.database import Database
from tests.chaos import orders
from tests.chaos.asked import Asked
from tests.chaos.refusals import refused
from tests.chaos.wire import Records

_SHOWN: Final = 3
_OWNERS: Final = """
SELECT chunk_id, instrument_id, publisher_id,
       ({1} AT TIME ZONE 'UTC')::DATE - DATE '1970-01-01' AS day, count(*) AS rows
FROM public.{0} GROUP BY 1, 2, 3, 4
"""
_COVERAGE: Final = """
SELECT dataset, schema, stype_in, symbol, lower(part) AS first, upper(part) AS past
FROM ingest.coverage, unnest(days) AS part
"""
_INTERVALS: Final = """
SELECT dataset, stype_in, symbol, stype_out, instrument_id,
       lower(part) AS first, upper(part) AS past
FROM ingest.symbol_intervals, unnest(days) AS part
"""
_NONE: Final = {
    "dead letter": "SELECT chunk_id || ': ' || error_code || ': ' || error_text AS what"
    " FROM ingest.dead_letters",
    "superseded row": "SELECT old_chunk || ' by ' || new_chunk AS what FROM ingest.supersessions",
    "job with an odd end": "SELECT name || ' ' || state AS what FROM ingest.jobs"
    " WHERE state <> 'completed'",
}
"""What nothing that is injected may lead to: the provider never corrects anything."""

Key = tuple[str, ...]
Days = Mapping[Key, set[int]]
Place = tuple[int, int, int]
"""Instrument, publisher and day of the index timestamp."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A chunk that has a receipt, and what the simulator has for it."""

    chunk_id: int
    asked: Asked
    records: Records

    @property
    def stored(self) -> Counter[Place]:
        """Records that no rule refuses, by place."""
        schema = self.asked.schema
        kept = self.records[~refused(schema, self.records)]
        days = (kept[index_field(schema, 3)] // DAY).tolist()
        places = zip(
            kept["instrument_id"].tolist(), kept["publisher_id"].tolist(), days, strict=True
        )
        return Counter(places)


class Proofs:
    """Compares one ledger with one archive."""

    def __init__(self, archive: Archive, completed: Sequence[Completed]) -> None:
        self._archive = archive
        self._completed = completed

    async def check(self, database: Database) -> list[str]:
        """What is amiss."""
        found = []
        for table in TABLES:
            found += await self._owners(database, table)
        found += _unlike("coverage", self._covered(), _days(await database.fetch(_COVERAGE)))
        found += self._intervals(_days(await database.fetch(_INTERVALS)))
        found += await self._publishers(database)
        for what, query in _NONE.items():
            found += [f"{what}: {row['what']}" for row in await database.fetch(query)]
        return found

    @cached_property
    def _stored(self) -> Mapping[int, tuple[str, Counter[Place]]]:
        """Table and places of every completed chunk."""
        return {
            each.chunk_id: (table_of(each.asked.schema).name, each.stored)
            for each in self._completed
        }

    async def _owners(self, database: Database, table: Table) -> list[str]:
        """Rows that bear the number of a chunk that never had them."""
        found = []
        for row in await database.fetch(_OWNERS.format(table.name, table.index_column)):
            home, places = self._stored.get(row["chunk_id"], ("", Counter()))
            place = (row["instrument_id"], row["publisher_id"], row["day"])
            if home != table.name or row["rows"] > places[place]:
                found.append(
                    f"{table.name}: {row['rows']} rows of instrument {place[0]} on "
                    f"{date_of(place[2])} bear chunk {row['chunk_id']}, which was served "
                    f"{places[place]} of them"
                )
        return found

    def _covered(self) -> Days:
        """The days of each completed chunk, for each of its symbols."""
        days: dict[Key, set[int]] = defaultdict(set)
        for asked in (each.asked for each in self._completed):
            for symbol in asked.symbols:
                key = (asked.dataset, str(asked.schema), asked.stype_in, symbol)
                days[key] |= set(range(asked.first, asked.past))
        return days

    def _intervals(self, held: Days) -> list[str]:
        """All that payloads say of their symbols is held, and nothing that is not so."""
        told: dict[Key, set[int]] = defaultdict(set)
        for each in self._completed:
            resolution = each.asked.resolved(self._archive)
            kind = "raw_symbol" if resolution.by_member else each.asked.stype_in
            for symbol, parts in resolution.mappings().items() if len(each.records) else ():
                for first, past, target in parts:
                    key = (each.asked.dataset, kind, symbol, "instrument_id", target)
                    told[key] |= set(range(number(first), number(past)))
        return [
            *_missing("symbol interval lost", told, held),
            *_missing("symbol interval that is not so", held, self._truth(held)),
        ]

    def _truth(self, held: Days) -> Days:
        """What the provider says of the same symbols over all of its days."""
        days: dict[Key, set[int]] = defaultdict(set)
        whole = (number(orders.FIRST), number(orders.PAST))
        for dataset, kind, symbol, *_ in held:
            found = self._archive.book(dataset).resolve([symbol], kind, *whole).found
            for each in found.get(symbol, ()):
                key = (dataset, kind, symbol, "instrument_id", str(each.instrument_id))
                days[key] |= set(range(each.first, each.past))
        return days

    async def _publishers(self, database: Database) -> list[str]:
        """Of the provider's datasets, those that it lists; any that was served is among them."""
        listed = {
            (each["publisher_id"], each["dataset"], each["venue"])
            for each in orjson.loads(list_publishers(Desk(self._archive), {}).body)
        }
        served = {
            publisher
            for each in self._completed
            for publisher in set(each.records["publisher_id"].tolist())
        }
        rows = await database.fetch("SELECT publisher_id, dataset, venue FROM public.publishers")
        known = {number for number, *_ in listed} | served
        datasets = set(self._archive.datasets())
        held = {
            tuple(row) for row in rows if row["publisher_id"] in known or row["dataset"] in datasets
        }
        odd = sorted(map(str, held ^ listed))
        return [f"publishers that differ from the provider's: {odd}"] if odd else []


def _days(rows: Iterable[Any]) -> Days:
    """Ranges of days since 1970 by all that stands before them in a row."""
    found: dict[Key, set[int]] = defaultdict(set)
    for *key, first, past in rows:
        found[tuple(map(str, key))] |= set(range(_number(first), _number(past)))
    return found


def _number(day: dt.date | None) -> int:
    assert day is not None, "a range of days without an end"
    return number(day)


def _unlike(what: str, expected: Days, held: Days) -> list[str]:
    return [
        *_missing(f"{what} lost", expected, held),
        *_missing(f"{what} of what was never loaded", held, expected),
    ]


def _missing(what: str, some: Days, within: Days) -> list[str]:
    """Days of the first that the second lacks."""
    lacking = {key: days - within.get(key, set()) for key, days in some.items()}
    found = [
        f"{what}: {' '.join(key)}, {len(days)} days such as {date_of(min(days))}"
        for key, days in lacking.items()
        if days
    ]
    return found[:_SHOWN] + ([f"{what}: {len(found)} in all"] if len(found) > _SHOWN else [])
