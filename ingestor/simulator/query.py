"""A request's form, parsed: what is wanted of which records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ingestor.simulator.archive import Archive
from ingestor.simulator.market import DAY
from ingestor.simulator.problems import bad_parameter, empty_range, too_many_symbols
from ingestor.simulator.symbology import OUT_TYPES, SymbolBook
from ingestor.simulator.times import forward_filled, parse_date, parse_time
from ingestor.vocabulary import ALL_SYMBOLS, MAX_SYMBOLS

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Query:
    """What ``timeseries.get_range`` and the calls that count and price it ask for.

    Attributes:
        start: First index timestamp wanted, UTC nanoseconds.
        end: Exclusive.
        limit: Most records wanted; None for all.
    """

    dataset: str
    schema: str
    symbols: tuple[str, ...]
    stype_in: str
    stype_out: str
    start: int
    end: int
    limit: int | None

    @property
    def days(self) -> tuple[int, int]:
        """First day (since 1970) that the range touches, and the one after the last."""
        return self.start // DAY, -(-self.end // DAY)


def parse_query(fields: Fields, archive: Archive) -> Query:
    """Raises `Refusal` for what makes no sense to this archive."""
    dataset = known_dataset(fields, archive)
    schema = known_schema(fields, archive, dataset)
    for name, only in (("encoding", "dbn"), ("compression", "zstd")):
        if fields.get(name, only) != only:
            raise bad_parameter(name, fields[name], f"{only!r}, the only one that is simulated")
    start, end = _range(fields)
    return Query(
        dataset=dataset,
        schema=schema,
        symbols=_symbols(fields),
        stype_in=_stype(fields, "stype_in", archive.book(dataset)),
        stype_out=_choice(fields, "stype_out", ("instrument_id",), default="instrument_id"),
        start=start,
        end=end,
        limit=_limit(fields),
    )


@dataclass(frozen=True, slots=True)
class Lookup:
    """What ``symbology.resolve`` asks for; `past` is the day after the last."""

    dataset: str
    symbols: tuple[str, ...]
    stype_in: str
    stype_out: str
    first: int
    past: int


def parse_lookup(fields: Fields, archive: Archive) -> Lookup:
    """Raises `Refusal` for what makes no sense to this archive."""
    dataset = known_dataset(fields, archive)
    first = _day(fields, "start_date")
    past = _day(fields, "end_date") if "end_date" in fields else first + 1
    if past <= first:
        raise empty_range(first * DAY, past * DAY)
    return Lookup(
        dataset=dataset,
        symbols=_symbols(fields),
        stype_in=_stype(fields, "stype_in", archive.book(dataset)),
        stype_out=_choice(fields, "stype_out", OUT_TYPES),
        first=first,
        past=past,
    )


def known_dataset(fields: Fields, archive: Archive) -> str:
    """The dataset asked for, which the archive has."""
    return _choice(fields, "dataset", archive.datasets())


def known_schema(fields: Fields, archive: Archive, dataset: str) -> str:
    """The schema asked for, which the dataset has."""
    return _choice(fields, "schema", archive.schemas(dataset), default="trades")


def optional_day(fields: Fields, name: str, default: int) -> int:
    """Days since 1970 of a date that may be left out."""
    return _day(fields, name) if fields.get(name) else default


def _choice(fields: Fields, name: str, allowed: Sequence[str], *, default: str = "") -> str:
    found = fields.get(name, default)
    if found not in allowed:
        raise bad_parameter(name, found, f"any of {', '.join(allowed)}")
    return found


def _stype(fields: Fields, name: str, book: SymbolBook) -> str:
    return _choice(fields, name, book.types, default="raw_symbol")


def _symbols(fields: Fields) -> tuple[str, ...]:
    """Symbols may hold blanks inside, and commas never."""
    text = fields.get("symbols", ALL_SYMBOLS)
    found = tuple(each.strip() for each in text.strip().strip(",").split(","))
    if not all(found):
        raise bad_parameter("symbols", text, "symbols separated by commas, or ALL_SYMBOLS")
    if len(found) > MAX_SYMBOLS:
        raise too_many_symbols(len(found), MAX_SYMBOLS)
    return found


def _range(fields: Fields) -> tuple[int, int]:
    start = _time("start", fields.get("start", ""))
    end = _time("end", fields["end"]) if "end" in fields else forward_filled(fields["start"])
    if start >= end:
        raise empty_range(start, end)
    return start, end


_TIMES: Final = "an ISO 8601 time or nanoseconds since 1970"


def _time(name: str, text: str) -> int:
    try:
        return parse_time(text)
    except ValueError:
        raise bad_parameter(name, text, _TIMES) from None


def _day(fields: Fields, name: str) -> int:
    try:
        return parse_date(fields.get(name, ""))
    except ValueError:
        raise bad_parameter(name, fields.get(name, ""), "a date") from None


def _limit(fields: Fields) -> int | None:
    text = fields.get("limit")
    if text is None:
        return None
    if not text.isdigit() or not int(text):
        raise bad_parameter("limit", text, "a number of 1 or more")
    return int(text)
