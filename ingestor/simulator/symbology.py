"""Symbols resolved as the gateway resolves them: to instrument ids over ranges of days.

Days are numbers since 1970, ends exclusive.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ingestor.dbn import Intervals
from ingestor.simulator.calendar import date_of
from ingestor.vocabulary import ALL_SYMBOLS


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """A raw symbol had one instrument id over some days."""

    first: int
    past: int
    symbol: str
    instrument_id: int

    def within(self, first: int, past: int) -> Stretch | None:
        """What lies in the range; None for nothing."""
        first, past = max(first, self.first), min(past, self.past)
        return replace(self, first=first, past=past) if first < past else None


Stretches = tuple[Stretch, ...]
Symbols = Mapping[str, Stretches]
"""What was asked for → what it stands for."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What the symbols of a request stand for in its range of days.

    Attributes:
        found: Each symbol that resolved on some day, in the order asked.
        partial: Of those, the ones that did not resolve on every session.
        not_found: Symbols that resolved on no day.
        by_name: Whether a payload of it maps symbols; of all symbols and of ids it maps none.
        by_member: Whether it maps the raw symbols that were found, not the symbols asked for.
        everything: Whether all symbols were asked for, also those that no symbol book names.
    """

    found: Mapping[str, Stretches]
    partial: tuple[str, ...] = ()
    not_found: tuple[str, ...] = ()
    by_name: bool = True
    by_member: bool = False
    everything: bool = False

    @property
    def selected(self) -> Stretches | None:
        """Which records are meant; None for all."""
        if self.everything:
            return None
        return tuple(sorted({each for some in self.found.values() for each in some}))

    @property
    def complete(self) -> bool:
        return not (self.partial or self.not_found)

    def mappings(self) -> Intervals:
        """For the metadata of a payload."""
        named: dict[str, list[Stretch]] = defaultdict(list)
        for asked, stretches in self.found.items() if self.by_name else ():
            for each in stretches:
                named[each.symbol if self.by_member else asked].append(each)
        return {
            symbol: [
                (date_of(each.first), date_of(each.past), str(each.instrument_id))
                for each in merged(stretches)
            ]
            for symbol, stretches in sorted(named.items())
        }

    def without(self, symbols: Sequence[str]) -> Resolution:
        """As if these had not resolved."""
        found = {name: some for name, some in self.found.items() if name not in symbols}
        partial = tuple(each for each in self.partial if each not in symbols)
        lost = tuple(each for each in symbols if each not in self.not_found)
        return replace(self, found=found, partial=partial, not_found=self.not_found + lost)


class SymbolBook:
    """All symbols of one dataset, by symbol type."""

    def __init__(
        self,
        by_type: Mapping[str, Symbols],
        *,
        is_session: Callable[[int], bool] = lambda day: True,
        resolve_closed_days: bool = False,
    ) -> None:
        """Takes ``raw_symbol``, ``parent`` and ``continuous``; ids follow from them.

        Args:
            is_session: Days that a symbol must resolve on, to be more than partial.
            resolve_closed_days: Whether a range without any session resolves.
        """
        everything = [
            each for symbols in by_type.values() for some in symbols.values() for each in some
        ]
        ids: dict[str, list[Stretch]] = defaultdict(list)
        for each in sorted(set(everything)):
            ids[str(each.instrument_id)].append(each)
        self._by_type = {**by_type, "instrument_id": {name: tuple(ids[name]) for name in ids}}
        self._is_session = is_session
        self._resolve_closed_days = resolve_closed_days

    @property
    def types(self) -> Sequence[str]:
        """Symbol types that a request may name."""
        return list(self._by_type)

    def resolve(self, symbols: Sequence[str], stype_in: str, first: int, past: int) -> Resolution:
        """Resolves over the days [first, past)."""
        if tuple(symbols) == (ALL_SYMBOLS,):
            return Resolution(self._everything(first, past), by_name=False, everything=True)
        known = self._by_type[stype_in]
        sessions = [day for day in range(first, past) if self._is_session(day)]
        open_at_all = bool(sessions) or self._resolve_closed_days
        found = {
            name: parts
            for name in symbols
            if open_at_all and (parts := _within(known.get(name, ()), first, past))
        }
        return Resolution(
            found=found,
            partial=tuple(
                name
                for name, parts in found.items()
                if stype_in != "parent" and not _covers(parts, sessions)
            ),
            not_found=tuple(name for name in dict.fromkeys(symbols) if name not in found),
            by_name=stype_in != "instrument_id",
            by_member=stype_in == "parent",
        )

    def _everything(self, first: int, past: int) -> dict[str, Stretches]:
        found: dict[str, Stretches] = {}
        for name, stretches in self._by_type.get("raw_symbol", {}).items():
            if inside := _within(stretches, first, past):
                found[name] = inside
        return found


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Adjacent and overlapping stretches of one id as one, in order of days."""
    joined: list[Stretch] = []
    for each in sorted(stretches):
        last = joined[-1] if joined else None
        if last and last.instrument_id == each.instrument_id and each.first <= last.past:
            joined[-1] = replace(last, past=max(last.past, each.past))
        else:
            joined.append(each)
    return joined


_OUT: Final[Mapping[str, Callable[[Stretch], str]]] = {
    "instrument_id": lambda each: str(each.instrument_id),
    "raw_symbol": lambda each: each.symbol,
}
OUT_TYPES: Final = tuple(_OUT)
"""Symbol types that ``symbology.resolve`` resolves to."""


def as_answer(resolution: Resolution, stype_out: str) -> dict[str, list[dict[str, str]]]:
    """The ``result`` of ``symbology.resolve``: what each symbol was, d0 to d1 (exclusive)."""
    spell = _OUT[stype_out]
    return {
        asked: [
            {
                "d0": date_of(each.first).isoformat(),
                "d1": date_of(each.past).isoformat(),
                "s": spell(each),
            }
            for each in (merged(found) if stype_out == "instrument_id" else sorted(found))
        ]
        for asked, found in resolution.found.items()
    }


def _within(stretches: Stretches, first: int, past: int) -> Stretches:
    return tuple(part for each in stretches if (part := each.within(first, past)))


def _covers(stretches: Stretches, days: Iterable[int]) -> bool:
    return all(any(each.first <= day < each.past for each in stretches) for day in days)
