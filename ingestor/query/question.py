"""A question as people ask it, by symbols and days, and its answer: records, or a DataFrame.

```python
frame = await read_frame(database, "trades", "ESM4", start="2024-03-11", end="2024-03-12")
```
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack, get_args

from ingestor.days import EPOCH, day_of, midnight
from ingestor.errors import Usage
from ingestor.model import table_of
from ingestor.query.frames import frame
from ingestor.query.misses import require_dataset
from ingestor.query.notes import complete, notes_on
from ingestor.query.reader import Reader
from ingestor.query.records import records
from ingestor.query.selection import By, Selection, usual
from ingestor.query.series import Prices
from ingestor.query.symbols import Resolution, resolve
from ingestor.vocabulary import Dataset, Schema, SType

if TYPE_CHECKING:
    import pandas as pd

_Word = TypeVar("_Word", bound=StrEnum)

Symbols = str | int | Iterable[str | int] | None
"""One symbol or several, instrument ids as numbers or as text; None for all of a dataset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which records are wanted.

    Attributes:
        symbols: None for all of `dataset`.
        start: First day, UTC; `end` is the day after the last.
        dataset: Needed for all symbols, and where a symbol is held in more than one.
        stype_in: What the symbols are.
        by: Which time the days filter: ts_event, or the index timestamp; None for ts_event, but of
            tables that are not partitioned on it (definitions) the index timestamp.
        limit: Records at most, the first ones; None for all.
    """

    schema: Schema
    symbols: tuple[str, ...] | None
    start: dt.date
    end: dt.date
    dataset: Dataset | None = None
    stype_in: SType = SType.RAW_SYMBOL
    by: By | None = None
    limit: int | None = None


class How(TypedDict, total=False):
    """The finer points of a question; `Question` says what each means."""

    dataset: str | None
    stype_in: str
    by: By
    limit: int | None


async def select(reader: Reader, asked: Question) -> tuple[Selection, tuple[str, ...]]:
    """The records that a question means, and notes that a person should read with them.

    Raises:
        Usage: A symbol or the dataset is unknown, or the dataset must be named.
    """
    found = await _resolved(reader, asked)
    wanted = Selection(
        asked.schema,
        midnight(day_of(asked.start)),
        midnight(day_of(asked.end)),
        None if found is None else found.intervals,
        asked.dataset,
        by=asked.by or usual(table_of(asked.schema)),
        limit=asked.limit,
    )
    meant = None if found is None else found.by_symbol
    said = await notes_on(reader, wanted, meant, asked.stype_in)
    return wanted, (*said, *(() if found is None else found.notes))


async def proven(reader: Reader, asked: Question, wanted: Selection) -> bool:
    """Whether `wanted`, which `asked` means, is proven to be all that the provider has of it."""
    found = await _resolved(reader, asked)
    meant = None if found is None else found.by_symbol
    return await complete(reader, wanted, meant, asked.stype_in)


async def _resolved(reader: Reader, asked: Question) -> Resolution | None:
    if asked.symbols is not None:
        return await resolve(
            reader, asked.symbols, dataset=asked.dataset, start=asked.start, end=asked.end,
            stype_in=asked.stype_in,
        )  # fmt: skip
    if asked.dataset is None:
        raise Usage("all symbols are asked for, and no dataset is named", hint="name it")
    await require_dataset(reader, asked.dataset)
    return None


async def stream_records(
    reader: Reader,
    schema: str,
    symbols: Symbols,
    *,
    start: dt.date | str,
    end: dt.date | str,
    **how: Unpack[How],
) -> AsyncGenerator[dict[str, Any]]:
    """Records one at a time, for answers that do not fit into memory; see `read_records`."""
    wanted, notes = await select(reader, _question(schema, symbols, start, end, how))
    _warn(notes)
    async with aclosing(records(reader, wanted)) as every:
        async for record in every:
            yield record


async def read_records(
    reader: Reader,
    schema: str,
    symbols: Symbols,
    *,
    start: dt.date | str,
    end: dt.date | str,
    **how: Unpack[How],
) -> list[dict[str, Any]]:
    """Stored records, one dict each, in the order of their index timestamp.

    Prices are Decimal and exact, times are ISO 8601 with nine digits, null is None. What a person
    should know of the answer (a symbol that is held on other days only) is told as a warning.

    Args:
        reader: An open `ingestor.store.database.Database`.
        schema: ``trades``, ``ohlcv-1d``, …
        symbols: One, several, or None for all of `dataset`.
        start: First UTC day, a date or ``2024-03-11``.
        end: The day after the last.
        how: ``dataset``; ``stype_in`` (raw_symbol unless given); ``by`` ("event" or "index", the
            time that the days filter); ``limit``.

    Raises:
        Usage: Something asked for is unknown; near misses are in its hint.
        DatabaseUnavailable: The database cannot be reached.
    """
    async with aclosing(
        stream_records(reader, schema, symbols, start=start, end=end, **how)
    ) as every:
        return [record async for record in every]


async def read_frame(
    reader: Reader,
    schema: str,
    symbols: Symbols,
    *,
    start: dt.date | str,
    end: dt.date | str,
    prices: Prices = "float",
    **how: Unpack[How],
) -> pd.DataFrame:
    """Stored records as a DataFrame, indexed by the index timestamp; see `read_records`.

    Times are ``datetime64[ns, UTC]`` and exact; integers keep the width they have on the wire, and
    those that may be null are pandas' nullable ones.

    Args:
        prices: ``float`` for float64 (null is NaN), ``decimal`` for exact Decimals (null is None).
    """
    _require_prices(prices)
    wanted, notes = await select(reader, _question(schema, symbols, start, end, how))
    _warn(notes)
    return await frame(reader, wanted, prices=prices)


def _question(
    schema: str, symbols: Symbols, start: dt.date | str, end: dt.date | str,
    how: How,
) -> Question:  # fmt: skip
    first, past = _day(start, "start"), _day(end, "end")
    if past <= first:
        raise Usage(f"end {past} is not after start {first}", hint="end is exclusive")
    dataset = how.get("dataset")
    return Question(
        schema=_word(Schema, schema, "schema"),
        symbols=_symbols(symbols),
        start=first,
        end=past,
        dataset=None if dataset is None else Dataset(dataset),
        stype_in=_word(SType, how.get("stype_in", SType.RAW_SYMBOL), "symbol type"),
        by=_by(how["by"]) if "by" in how else None,
        limit=how.get("limit"),
    )


def _symbols(given: Symbols) -> tuple[str, ...] | None:
    if given is None:
        return None
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        return (_symbol(given),)
    named = tuple(dict.fromkeys(_symbol(each) for each in given))
    if not named:
        raise Usage("no symbol is asked for", hint="None asks for all symbols of the dataset")
    return named


def _symbol(given: object) -> str:
    if isinstance(given, str):
        return given
    # numpy's and pandas' integers, too; True is an int to Python and no id to anybody.
    if not isinstance(given, bool) and isinstance(given, Integral):
        return str(int(given))
    raise Usage(
        f"{given!r} is no symbol",
        hint="give text like 'ESM4', an instrument id like 750, or several of them in a list",
    )


def _day(given: dt.date | str, name: str) -> dt.date:
    day = _date(given)
    if day is None or day < EPOCH:
        raise Usage(
            f"{name} {str(given)!r} is no whole UTC day from {EPOCH} on",
            hint="give a date, or text like 2024-03-11",
        )
    return day


def _date(given: dt.date | str) -> dt.date | None:
    # A datetime is a date too, and its time of day would be lost.
    if isinstance(given, dt.datetime):
        return None
    if isinstance(given, dt.date):
        return given
    try:
        return dt.date.fromisoformat(given)
    except ValueError:
        return None


def _by(given: str) -> By:
    if given == "event":
        return "event"
    if given == "index":
        return "index"
    raise Usage(f"{given!r} is no time to filter on", hint="it may be 'event' or 'index'")


def _require_prices(given: str) -> None:
    allowed = get_args(Prices)
    if given not in allowed:
        raise Usage(
            f"{given!r} is no form of prices",
            hint=f"it may be {' or '.join(map(repr, allowed))}",
        )


def _word(kind: type[_Word], given: str, what: str) -> _Word:
    try:
        return kind(given)
    except ValueError:
        allowed = ", ".join(kind)
        near = get_close_matches(str(given), [str(each) for each in kind], n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else ""
        raise Usage(f"{given!r} is no {what}; there are {allowed}", hint=hint) from None


def _warn(notes: Iterable[str]) -> None:
    for note in notes:
        warnings.warn(note, stacklevel=3)
