"""What the symbols of a request mean, asked before anything is bought: it is free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingestor.days import DAY_NS, DayRange, date_of_day
from ingestor.errors import BadJob
from ingestor.vocabulary import ALL_SYMBOLS, Dataset, SType

if TYPE_CHECKING:
    from ingestor.job import SymbolInterval
    from ingestor.sources.databento.answers import Resolved
    from ingestor.sources.databento.provider import Provider

_SHOWN = 5


class Meaning:
    """The symbols of one request."""

    def __init__(
        self, provider: Provider, dataset: Dataset, symbols: Sequence[str], stype_in: str
    ) -> None:
        self._provider = provider
        self._dataset = dataset
        self._symbols = symbols
        self._stype_in = stype_in

    def intervals(self, asked: DayRange) -> tuple[SymbolInterval, ...]:
        """Members of parents and rolls of continuous symbols on the days asked for.

        Records may be held already, loaded with ALL_SYMBOLS: their payloads do not say whose
        members they are.
        """
        if self._stype_in not in (SType.PARENT, SType.CONTINUOUS):
            return ()
        return self._resolved(*asked).intervals

    def unknown(self, wanted: DayRange) -> str:
        """A line for people that names symbols without a meaning on these days; else empty.

        A misspelt symbol would be an empty answer, and nobody would notice.

        Raises:
            BadJob: None of them means anything, on these days or any others.
        """
        if self._symbols == (ALL_SYMBOLS,) or self._stype_in == SType.INSTRUMENT_ID:
            return ""
        missing = self._resolved(*wanted).not_found
        if len(missing) == len(self._symbols) and not self._ever():
            raise BadJob(
                f"{self._dataset} knows no {self._stype_in} {shown(self._symbols)}",
                hint="check spelling and --stype-in: `hdi symbols resolve --provider` asks it",
            )
        span = f"{date_of_day(wanted[0])} to {date_of_day(wanted[1])}"
        what = f"{self._dataset} knows no {self._stype_in} {shown(missing)} from {span}"
        return what if missing else ""

    def _ever(self) -> bool:
        """Whether any symbol means anything on any day: a weekend is no misspelling."""
        available = self._provider.available(self._dataset)
        found = self._resolved(-(-available.start // DAY_NS), available.end // DAY_NS)
        return len(found.not_found) < len(self._symbols)

    def _resolved(self, first: int, past: int) -> Resolved:
        return self._provider.resolve(
            self._dataset, self._symbols, stype_in=self._stype_in, stype_out=SType.INSTRUMENT_ID,
            start=date_of_day(first), past=date_of_day(past),
        )  # fmt: skip


def shown(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
