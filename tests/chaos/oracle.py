"""What the simulator holds against what the database holds: each row, value and receipt.

It knows the orders that were given and the simulator's archive. Of the product it reads tables.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ingestor.model import TABLES
from ingestor.simulator.archive import Archive, Selection
from ingestor.simulator.calendar import date_of
from ingestor.simulator.market import DAY
from ingestor.store.database import Database
from ingestor.vocabulary import Schema
from tests.chaos import wire
from tests.chaos.asked import Asked, records_of
from tests.chaos.orders import Order
from tests.chaos.proofs import Completed, Proofs
from tests.chaos.refusals import RULE, refusals, refused
from tests.chaos.wire import Records, Row
from tests.invariants import check_receipts

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SHOWN: Final = 3
_QUARANTINE: Final = "SELECT chunk_id, position, rule, field, value, raw FROM ingest.quarantine"
_CHUNKS: Final = """
SELECT k.chunk_id, k.state, k.receipt, k.start_ns, k.end_ns, r.dataset, r.schema, r.stype_in,
       g.symbols, k.error_code, k.error_text
FROM ingest.chunks k JOIN ingest.requests r USING (request_id)
JOIN ingest.symbol_groups g ON g.symbol_group_id = k.symbol_group_id ORDER BY 1
"""


@dataclass
class Findings:
    """What is amiss, and how much was looked at."""

    amiss: list[str] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    chunks: Counter[str] = field(default_factory=Counter)
    quarantined: int = 0
    already_stored: int = 0

    def add(self, text: str) -> None:
        self.amiss.append(text)


class Oracle:
    """Compares one database with one archive."""

    def __init__(self, archive: Archive, orders: Sequence[Order]) -> None:
        self._archive = archive
        self._asked = [each for order in orders for each in Asked.of(order)]

    async def check(self, database: Database) -> Findings:
        """Everything; `Findings.amiss` is empty where nothing is lost, doubled or changed."""
        found = Findings()
        await self._tables(database, found)
        completed = await self._chunks(database, found)
        try:
            await check_receipts(database)
        except AssertionError as error:
            found.add(str(error))
        found.amiss += await Proofs(self._archive, completed).check(database)
        return found

    def served(self, asked: Asked) -> Records:
        """The records that the simulator has for it, in the order of delivery."""
        return asked.records(self._archive)

    async def _tables(self, database: Database, found: Findings) -> None:
        for table in TABLES:
            schema = table.schemas[0]
            total = await database.fetchval(f"SELECT count(*) FROM public.{table.name}")
            if schema in wire.FIELDS:
                total -= await self._table(database, schema, found)
            if total:
                found.add(f"{table.name}: {total} rows that nobody asked for")

    async def _table(self, database: Database, schema: Schema, found: Findings) -> int:
        """Compares the days that were asked for; how many rows they hold."""
        held = 0
        for day, wanted in sorted(self._days(schema).items()):
            expected = Counter(self._rows(schema, day, wanted))
            bounds = (_moment(day), _moment(day + 1))
            stored = Counter(map(tuple, await database.fetch(wire.select(schema), *bounds)))
            held += stored.total()
            _compare(f"{schema} of {date_of(day)}", expected, stored, found)
        found.rows[str(schema)] = held
        return held

    def _days(self, schema: Schema) -> Mapping[int, set[Asked]]:
        """What was asked for, by day."""
        days: dict[int, set[Asked]] = defaultdict(set)
        for each in self._asked:
            for day in range(each.first, each.past) if each.schema == schema else ():
                days[day].add(
                    Asked(each.dataset, schema, each.stype_in, each.symbols, day, day + 1)
                )
        return days

    def _rows(self, schema: Schema, day: int, wanted: Iterable[Asked]) -> Iterator[Row]:
        """Rows of a day: of each instrument once, however many orders ask for it."""
        stretches = defaultdict(set)
        for each in wanted:
            stretches[each.dataset] |= set(each.stretches(self._archive))
        for dataset, some in stretches.items():
            selection = Selection(dataset, schema, day * DAY, (day + 1) * DAY, tuple(sorted(some)))
            records = records_of(self._archive, selection)
            kept = ~refused(schema, records)
            rows = wire.rows(schema, records)
            yield from (row for row, keep in zip(rows, kept, strict=True) if keep)

    async def _chunks(self, database: Database, found: Findings) -> list[Completed]:
        """Receipts add up to what was served; quarantine holds what was refused, and why."""
        quarantine = await _quarantine(database)
        completed = []
        for row in await database.fetch(_CHUNKS):
            found.chunks[row["state"]] += 1
            name = f"chunk {row['chunk_id']} ({row['schema']} of {','.join(row['symbols'])})"
            if row["receipt"] is None:
                found.add(f"{name} is {row['state']}: {row['error_code']}: {row['error_text']}")
                continue
            asked = _of_chunk(row)
            records = self.served(asked)
            completed.append(Completed(row["chunk_id"], asked, records))
            wanted = refusals(asked.schema, records)
            _receipt(name, row["receipt"], records, wanted.total(), found)
            found.already_stored += row["receipt"]["already_stored"]
            held = quarantine.pop(row["chunk_id"], Counter())
            found.quarantined += held.total()
            _compare(f"quarantine of {name}", wanted, held, found)
        if quarantine:
            found.add(f"quarantined records of chunks without a receipt: {sorted(quarantine)}")
        return completed


def _of_chunk(row: Any) -> Asked:
    first, past = int(row["start_ns"]) // DAY, -(-int(row["end_ns"]) // DAY)
    return Asked(
        row["dataset"], Schema(row["schema"]), row["stype_in"], tuple(row["symbols"]), first, past
    )


async def _quarantine(database: Database) -> dict[int, Counter[Row]]:
    found: dict[int, Counter[Row]] = defaultdict(Counter)
    for row in await database.fetch(_QUARANTINE):
        number, *refusal = row
        found[number][tuple(refusal)] += 1
    return found


def _receipt(
    name: str, receipt: Mapping[str, Any], records: Records, refused: int, found: Findings
) -> None:
    """`refused`: how many of the records must be in quarantine."""
    kept = receipt["stored"] + receipt["quarantined"] + receipt["already_stored"]
    if not kept == receipt["fetched"] == len(records):
        found.add(f"{name}: {len(records)} served, the receipt accounts for {kept}: {receipt}")
    if receipt["rejected"] != ({RULE: refused} if refused else {}):
        found.add(f"{name}: {refused} are to be refused, the receipt says {receipt['rejected']}")
    # The provider corrects nothing here: no row ever takes the place of another.
    if receipt["corrected"] or receipt["removed"] or receipt["partial"]:
        found.add(f"{name}: nothing was corrected or missing, but the receipt says {receipt}")


def _compare(name: str, expected: Counter[Any], stored: Counter[Any], found: Findings) -> None:
    """Lost, doubled and changed ones, the first few of each."""
    if expected == stored:
        return
    for word, some in (("lost", expected - stored), ("too many", stored - expected)):
        if some:
            shown = list(some)[:_SHOWN]
            found.add(f"{name}: {some.total()} of {expected.total()} {word}, such as {shown}")


def _moment(day: int) -> dt.datetime:
    return _EPOCH + dt.timedelta(days=day)
