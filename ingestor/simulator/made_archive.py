"""The made-up market as an archive: any request is a part of one whole, the same for one seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestor.dbn import NEWEST, index_field
from ingestor.simulator.archive import Selection
from ingestor.simulator.calendar import is_open
from ingestor.simulator.continuous import continuous_symbols
from ingestor.simulator.definitions import definition
from ingestor.simulator.listings import DATASETS, Listing, listings
from ingestor.simulator.market import (
    DAY,
    WIDTHS,
    Instrument,
    bars_of_day,
    part_bounds,
    trades_of_day,
)
from ingestor.simulator.quotes import UNDEFINED_PRICE, quoted
from ingestor.simulator.statistics import PER_DAY, statistics_of_day
from ingestor.simulator.symbology import Stretch, Stretches, SymbolBook
from ingestor.vocabulary import Schema

if TYPE_CHECKING:
    from ingestor.simulator.messages import Records

SLICE_RECORDS: Final = 8_192
"""Most records of one instrument that are made at a time; ten instruments of them are 4 MB."""

SERVED: Final = (*WIDTHS, Schema.TRADES, Schema.TBBO, Schema.STATISTICS, Schema.DEFINITION)


@dataclass(frozen=True, slots=True)
class Terms:
    """How a day is made: trades (and at most so many bars) per instrument and publisher."""

    seed: int
    per_day: int


@dataclass(eq=False)
class MadeArchive:
    """Attributes: `first` and `past` bound the days; `corrected` days are made on other terms."""

    terms: Terms
    first: int
    past: int
    resolve_closed_days: bool = False
    corrected: dict[tuple[str, int], Terms] = field(default_factory=dict)

    def datasets(self) -> Sequence[str]:
        return DATASETS

    def schemas(self, dataset: str) -> Sequence[str]:
        del dataset
        return [str(schema) for schema in SERVED]

    def available(self, dataset: str, schema: str) -> tuple[int, int]:
        del dataset, schema
        return self.first * DAY, self.past * DAY

    def version(self, dataset: str, schema: str) -> int:
        del dataset, schema
        return NEWEST

    def book(self, dataset: str) -> SymbolBook:
        return self._books[dataset]

    def is_session(self, dataset: str, day: int) -> bool:
        del dataset
        return is_open(day)

    def count(self, selection: Selection) -> int:
        """Exact, and without making a record of the days that are asked for as a whole."""
        total = 0
        for day in selection.days:
            whole = selection.start <= day * DAY and (day + 1) * DAY <= selection.end
            if whole:
                total += self._count_of_day(selection, day)
            else:
                total += sum(len(records) for records in self._slices_of_day(selection, day))
        return total

    def slices(self, selection: Selection) -> Iterator[Records]:
        for day in selection.days:
            yield from self._slices_of_day(selection, day)

    def _terms(self, dataset: str, day: int) -> Terms:
        return self.corrected.get((dataset, day), self.terms)

    def _count_of_day(self, selection: Selection, day: int) -> int:
        traded = self._traded(selection, day)
        if selection.schema == Schema.DEFINITION:
            return len(traded)
        per_day = self._terms(selection.dataset, day).per_day
        return sum(part_counts(selection.schema, per_day)) * sum(
            len(each.publishers) for each in traded
        )

    def _slices_of_day(self, selection: Selection, day: int) -> Iterator[Records]:
        traded = self._traded(selection, day)
        if not traded:
            return
        terms = self._terms(selection.dataset, day)
        if selection.schema == Schema.DEFINITION:
            made = [definition(each, day, terms.seed) for each in traded]
            yield from _chosen(selection, made)
            return
        counts = part_counts(selection.schema, terms.per_day)
        for part in range(len(counts)):
            first, past = part_bounds(part, len(counts))
            # Bars' parts end on a bar, up to one of its widths beside these bounds.
            slack = WIDTHS.get(Schema(selection.schema), 0)
            if day * DAY + past + slack <= selection.start:
                continue
            if day * DAY + first - slack >= selection.end:
                return
            made = [
                record
                for each in traded
                for record in _make(each, selection.schema, day, terms, part)
            ]
            yield from _chosen(selection, made)

    def _traded(self, selection: Selection, day: int) -> list[Listing]:
        """Listings of the selection's stretches on a day, in the order of the market."""
        if not is_open(day) or not self.first <= day < self.past:
            return []
        listed = listings(selection.dataset)
        if selection.stretches is None:
            return [each for each in listed if each.first <= day < each.past]
        wanted = {each.symbol for each in selection.stretches if each.first <= day < each.past}
        return [each for each in listed if each.symbol in wanted]

    @cached_property
    def _books(self) -> Mapping[str, SymbolBook]:
        return {dataset: self._book(dataset) for dataset in DATASETS}

    def _book(self, dataset: str) -> SymbolBook:
        all_listed = listings(dataset)
        families: dict[str, list[Stretch]] = {}
        raw: dict[str, Stretches] = {}
        for each in all_listed:
            found = tuple(each.stretches(self.first, self.past))
            if found:
                raw[each.symbol] = found
            if found and each.parent:
                families.setdefault(each.parent, []).extend(found)
        return SymbolBook(
            {
                "raw_symbol": raw,
                "parent": {name: tuple(members) for name, members in families.items()},
                "continuous": continuous_symbols(all_listed, self.first, self.past),
            },
            is_session=is_open,
            resolve_closed_days=self.resolve_closed_days,
        )


@lru_cache
def part_counts(schema: str, per_day: int) -> tuple[int, ...]:
    """Records of one instrument in each part of a day; they add up to the day's."""
    if schema == Schema.STATISTICS:
        return (PER_DAY,)
    width = WIDTHS.get(Schema(schema))
    places = DAY // width if width else per_day
    count = min(per_day, places)
    parts = max(1, -(-count // SLICE_RECORDS))
    shares = [count * (part + 1) // parts - count * part // parts for part in range(parts)]
    if width is None:
        return tuple(shares)
    room = [places * (part + 1) // parts - places * part // parts for part in range(parts)]
    return tuple(min(share, most) for share, most in zip(shares, room, strict=True))


def _make(listing: Listing, schema: str, day: int, terms: Terms, part: int) -> Iterator[Records]:
    """Records of a listing in one part of a day, by publisher."""
    for instrument in listing.instruments(day):
        if schema == Schema.STATISTICS:
            yield statistics_of_day(instrument, day, terms.seed)
        elif schema in WIDTHS:
            counts = part_counts(schema, terms.per_day)
            cut = {"part": part, "parts": len(counts)}
            yield bars_of_day(instrument, Schema(schema), day, terms.seed, counts[part], **cut)
        else:
            yield _trades(listing, instrument, schema, day, terms, part)


def _trades(
    listing: Listing, instrument: Instrument, schema: str, day: int, terms: Terms, part: int
) -> Records:
    """Trades, by themselves or with the book around them; some without a price."""
    counts = part_counts(schema, terms.per_day)
    cut = {"part": part, "parts": len(counts)}
    records = trades_of_day(instrument, day, terms.seed, counts[part], **cut)
    if schema == Schema.TBBO:
        records = quoted(records, instrument, day, terms.seed, **cut)
    if each := listing.undefined_every:
        records["price"][each - 1 :: each] = UNDEFINED_PRICE
    return records


def _chosen(selection: Selection, made: Sequence[Records]) -> Iterator[Records]:
    """The records that lie in the range, merged by index timestamp."""
    if not made:
        return
    records = np.concatenate(made)
    inside = records[selection.inside(records)]
    if len(inside):
        times = inside[index_field(selection.schema)]
        yield inside[np.argsort(times, kind="stable")]
