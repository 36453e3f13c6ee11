"""What the provider says of a dataset's days, asked once in a while."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingestor.days import DAY_NS, DaySet, date_of_day, day_of
from ingestor.manifest import DayCondition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestor.sources.databento.provider import Provider


@dataclass(frozen=True, slots=True)
class _Told:
    at: float
    days: dict[int, DayCondition]


class Conditions:
    """Conditions of whole datasets, believed for a while: one call serves thousands of chunks."""

    def __init__(self, provider: Provider, *, believed_s: float) -> None:
        self._provider = provider
        self._believed_s = believed_s
        self._told: dict[str, _Told] = {}
        self._asking = threading.Lock()

    def of(self, dataset: str, days: DaySet) -> tuple[DayCondition, ...]:
        """Conditions of those of the days that the provider lists, ascending."""
        told = self._current(dataset)
        return tuple(told.days[day] for day in days if day in told.days)

    def _current(self, dataset: str) -> _Told:
        with self._asking:
            told = self._told.get(dataset)
            if told is None or time.monotonic() - told.at > self._believed_s:
                told = self._told[dataset] = self._ask(dataset)
            return told

    def _ask(self, dataset: str) -> _Told:
        available = self._provider.available(dataset)
        first, past = available.start // DAY_NS, -(-available.end // DAY_NS)
        listed = self._provider.conditions(dataset, date_of_day(first), date_of_day(past))
        return _Told(time.monotonic(), {day_of(each.day): each for each in listed})


def unavailable(conditions: Sequence[DayCondition]) -> DaySet:
    """The days that the provider does not have (yet): pending, missing, or a word we do not know.

    A day that it does not list at all (a weekend) is nothing to wait for.
    """
    return DaySet.of(day_of(each.day) for each in conditions if not each.held)
