"""Instrument id and day → raw symbol."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from ingestor.days import DaySet, date_of_day, day_of
from ingestor.query.reader import Reader
from ingestor.query.symbols import FIRST_DAY, LAST_DAY, Interval
from ingestor.vocabulary import Dataset

_NAMES: Final = """
SELECT instrument_id, symbol, valid_from AS first_day, valid_to AS past_day
FROM public.symbol_mappings
WHERE dataset = $1 AND instrument_id = ANY($2::BIGINT[]) AND stype_in = 'raw_symbol'
  AND stype_out = 'instrument_id'
ORDER BY instrument_id, symbol, valid_from
"""

Instrument = tuple[Dataset, int]
"""An instrument id means nothing outside its dataset."""


Named = tuple[dt.date, dt.date, str]
"""First day, day after the last, raw symbol."""


class Names:
    """Raw symbols of instruments by day; every instrument is looked up once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[Instrument, list[Named]] = {}

    async def learn(self, instruments: Iterable[Instrument]) -> None:
        """Looks up those that are new."""
        new = sorted(set(instruments) - self._known.keys())
        self._known.update({each: [] for each in new})
        ids: dict[Dataset, list[int]] = defaultdict(list)
        for dataset, instrument_id in new:
            ids[dataset].append(instrument_id)
        for dataset, some in ids.items():
            for row in await self._reader.fetch(_NAMES, dataset, some):
                first, past = row["first_day"] or FIRST_DAY, row["past_day"] or LAST_DAY
                self._known[dataset, row["instrument_id"]].append((first, past, row["symbol"]))

    def of(self, instrument: Instrument, day: dt.date) -> str | None:
        """The raw symbol; None where nothing told one. Of several the first by alphabet."""
        names = (name for first, past, name in self._known[instrument] if first <= day < past)
        return min(names, default=None)

    def spans(self, instrument: Instrument) -> Iterator[tuple[int, int, str]]:
        """First day, day after the last, and the name that `of` gives on them; each day once."""
        dataset, number = instrument
        always = Interval(dataset, None, number, FIRST_DAY, LAST_DAY)
        by_alphabet = sorted(self._known[instrument], key=lambda each: each[2])
        for name, days in parted(always, by_alphabet):
            if name is not None:
                yield from ((first, past, name) for first, past in days.ranges)

    def within(self, interval: Interval) -> Iterator[tuple[str | None, DaySet]]:
        """The interval's days by raw symbol; those that nothing names last, under None."""
        return parted(interval, self._known[interval.dataset, interval.instrument_id])


def parted(interval: Interval, named: Iterable[Named]) -> Iterator[tuple[str | None, DaySet]]:
    """The interval's days by name, each day once; those that nothing names last, under None."""
    left = interval.days
    days: dict[str, DaySet] = {}
    for first, past, name in named:
        own = left & DaySet([(day_of(first), day_of(past))])
        days[name] = days.get(name, DaySet()) | own
        left -= own
    yield from ((name, own) for name, own in days.items() if own)
    if left:
        yield None, left


def dates(days: DaySet) -> Iterator[tuple[dt.date, dt.date]]:
    """Ranges of days as dates, end exclusive."""
    return ((date_of_day(first), date_of_day(past)) for first, past in days.ranges)
