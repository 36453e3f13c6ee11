"""What is asked for and not there: errors that name what is near it."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from ingestor.errors import Usage
from ingestor.query.reader import Reader
from ingestor.vocabulary import Dataset, SType

_DATASETS: Final = """
SELECT DISTINCT dataset FROM public.symbol_mappings ORDER BY dataset
"""

_PUBLISHED: Final = """
SELECT DISTINCT dataset FROM public.publishers ORDER BY dataset
"""

_TYPES: Final = """
SELECT DISTINCT stype_in FROM ingest.symbol_intervals
WHERE symbol = $1 AND stype_out = 'instrument_id' AND ($2::TEXT IS NULL OR dataset = $2)
ORDER BY stype_in
"""

# Symbols that begin alike; a database of options holds millions, so not all are compared.
_ALIKE: Final = """
SELECT DISTINCT symbol FROM ingest.symbol_intervals
WHERE ($2::TEXT IS NULL OR dataset = $2) AND stype_in = $3
  AND starts_with(upper(symbol), upper($1))
ORDER BY symbol LIMIT 200
"""
_SHOWN: Final = 5


async def not_held(
    reader: Reader, symbols: Sequence[str], dataset: Dataset | None, stype_in: SType
) -> Usage:
    """The error to raise for symbols that are unknown as ones of this type."""
    within = f" in {dataset}" if dataset else ""
    sort = "" if stype_in is SType.RAW_SYMBOL else f" as {stype_in}"
    shown = ", ".join(map(repr, symbols[:_SHOWN])) + (", …" if len(symbols) > _SHOWN else "")
    what = "symbol" if len(symbols) == 1 else f"{len(symbols)} symbols"
    verb = "is" if len(symbols) == 1 else "are"
    hint = await _hint(reader, symbols[0], dataset, stype_in)
    return Usage(f"{what} {shown} {verb} not held{within}{sort}", hint=hint)


async def _hint(reader: Reader, symbol: str, dataset: Dataset | None, stype_in: SType) -> str:
    if "\0" in symbol:
        return "symbols hold no NUL"
    if others := await reader.fetch(_TYPES, symbol, dataset):
        return f"{symbol} is held as another symbol type: --stype-in {others[0]['stype_in']}"
    if near := await _near(reader, symbol, dataset, stype_in):
        return f"did you mean {' or '.join(near)}?"
    return await _where_listed(reader, dataset, stype_in)


async def _where_listed(reader: Reader, dataset: Dataset | None, stype_in: SType) -> str:
    held = [dataset] if dataset else [row["dataset"] for row in await reader.fetch(_DATASETS)]
    if not held:
        return "no symbols are held yet"
    return f"`{listing(held[0], stype_in)}` shows which are held"


def listing(dataset: str, stype_in: SType) -> str:
    """The command that lists held symbols. Numbers are listed beside their raw symbols."""
    plain = stype_in in (SType.RAW_SYMBOL, SType.INSTRUMENT_ID)
    return f"hdi symbols list --dataset {dataset}" + ("" if plain else f" --stype-in {stype_in}")


async def _near(reader: Reader, symbol: str, dataset: Dataset | None, stype_in: SType) -> list[str]:
    """Held symbols that a slip of the finger may have meant."""
    for length in dict.fromkeys((min(len(symbol), 3), 1, 0)):
        rows = await reader.fetch(_ALIKE, symbol[:length], dataset, stype_in)
        spelled = {row["symbol"].upper(): row["symbol"] for row in rows}
        if near := get_close_matches(symbol.upper(), spelled, n=3, cutoff=0.6):
            return [spelled[each] for each in near]
    return []


async def require_dataset(reader: Reader, dataset: Dataset) -> None:
    """A misspelt dataset must not read as an empty one.

    Raises:
        Usage: No publisher is known of it.
    """
    published = [row["dataset"] for row in await reader.fetch(_PUBLISHED)]
    if dataset in published:
        return
    held = [row["dataset"] for row in await reader.fetch(_DATASETS)]
    near = get_close_matches(dataset, published, n=3, cutoff=0.6)
    allowed = f"held are {', '.join(held)}" if held else "none is held yet"
    hint = f"did you mean {' or '.join(near)}?" if near else allowed
    raise Usage(f"dataset {dataset} is unknown", hint=hint)
