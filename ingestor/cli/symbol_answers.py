"""Who answers `hdi symbols resolve`: the database, or the provider."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ingestor.cli.connect import run
from ingestor.errors import Usage
from ingestor.query.meanings import Meaning, Meanings, meanings
from ingestor.query.misses import listing, not_held
from ingestor.query.names import Named, dates, parted
from ingestor.query.symbols import Interval
from ingestor.store.database import Database
from ingestor.vocabulary import Dataset, Role, SType

if TYPE_CHECKING:
    from ingestor.job import SymbolInterval
    from ingestor.sources.databento.provider import Provider

Answer = tuple[Meanings, Usage | None]
"""What was found, and the error to end with where some symbol was not."""

_SHOWN = 5


def of_database(
    symbols: Sequence[str], dataset: Dataset, stype_in: SType, first: dt.date, past: dt.date
) -> Answer:
    """By the mappings that payloads brought."""

    async def work(database: Database) -> Answer:
        found = await meanings(
            database, symbols, dataset=dataset, first=first, past=past, stype_in=stype_in
        )
        if found.unknown:
            return found, await not_held(database, found.unknown, dataset, stype_in)
        hint = f"`{listing(dataset, stype_in)}` shows the days it is known on"
        return found, _absent(found, hint)

    return run(work, role=Role.READER)


def of_provider(
    symbols: Sequence[str], dataset: Dataset, stype_in: SType, first: dt.date, past: dt.date
) -> Answer:
    """By the provider's symbology, which is free of charge. Nothing is stored.

    Raises:
        AuthenticationFailed: There is no key, or a wrong one.
    """
    from ingestor.cli.provider import open_provider

    provider = open_provider()
    numbers = stype_in is SType.INSTRUMENT_ID
    stype_out = SType.RAW_SYMBOL if numbers else SType.INSTRUMENT_ID
    told = provider.resolve(
        dataset, symbols, stype_in=stype_in, stype_out=stype_out, start=first, past=past
    )
    found = set(_meanings(told.intervals, stype_in))
    if stype_in in (SType.PARENT, SType.CONTINUOUS):
        found = set(_named(found, provider, dataset, first, past))
    meant = sorted(found, key=_in_order)
    answer = Meanings(tuple(meant), told.partial, told.not_found, ())
    return answer, _absent(answer, "is it of another symbol type? see --stype-in")


def _meanings(told: Iterable[SymbolInterval], stype_in: SType) -> Iterator[Meaning]:
    for each in told:
        first, past = dt.date.fromisoformat(each.start), dt.date.fromisoformat(each.end)
        if stype_in is SType.INSTRUMENT_ID:
            yield Meaning(each.symbol, int(each.symbol), each.target, first, past)
        elif each.target.isdecimal():
            own = each.symbol if stype_in is SType.RAW_SYMBOL else None
            yield Meaning(each.symbol, int(each.target), own, first, past)


def _named(
    found: Iterable[Meaning], provider: Provider, dataset: Dataset, first: dt.date, past: dt.date
) -> Iterator[Meaning]:
    """The same with each instrument's raw symbol, where the provider has one for its days."""
    several = list(found)
    ids = sorted({each.instrument_id for each in several})
    if not ids:
        return
    told = provider.resolve(
        dataset, [str(each) for each in ids], stype_in=SType.INSTRUMENT_ID,
        stype_out=SType.RAW_SYMBOL, start=first, past=past,
    )  # fmt: skip
    names: dict[int, list[Named]] = {each: [] for each in ids}
    for each in _meanings(told.intervals, SType.INSTRUMENT_ID):
        names[each.instrument_id].append((each.first, each.past, str(each.raw_symbol)))
    for each in several:
        whole = Interval(dataset, each.symbol, each.instrument_id, each.first, each.past)
        for name, days in parted(whole, names[each.instrument_id]):
            for start, end in dates(days):
                yield replace(each, raw_symbol=name, first=start, past=end)


def _in_order(each: Meaning) -> tuple[str, dt.date, int]:
    return each.symbol, each.first, each.instrument_id


def _absent(found: Meanings, hint: str) -> Usage | None:
    if not found.not_found:
        return None
    more = ", …" if len(found.not_found) > _SHOWN else ""
    shown = ", ".join(map(repr, found.not_found[:_SHOWN])) + more
    return Usage(f"{shown} meant nothing on any of these days", hint=hint)
