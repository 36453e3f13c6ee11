"""How good a dataset's days are, and from when to when it has any."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ingestor.simulator.archive import Archive
from ingestor.simulator.calendar import date_of, number
from ingestor.simulator.market import DAY


class Condition(StrEnum):
    """The provider's words for a day."""

    AVAILABLE = "available"
    DEGRADED = "degraded"
    PENDING = "pending"
    MISSING = "missing"

    @property
    def served(self) -> bool:
        """Whether the day's records are delivered."""
        return self in (Condition.AVAILABLE, Condition.DEGRADED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCondition:
    """What is said of a dataset on a day.

    Attributes:
        last_modified_date: None for the day after, the day of publication.
    """

    dataset: str
    date: dt.date
    condition: Condition = Condition.AVAILABLE
    last_modified_date: dt.date | None = None

    def as_answer(self) -> dict[str, str | None]:
        modified = self.last_modified_date or self.date + dt.timedelta(days=1)
        return {
            "date": self.date.isoformat(),
            "condition": self.condition.value,
            "last_modified_date": modified.isoformat() if self.condition.served else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailableRange:
    """From when to when a dataset, or all of them, has data; None leaves a bound as it is."""

    dataset: str | None = None
    start: int | None = None
    end: int | None = None


class Availability:
    """Ranges and conditions as they are now: the archive's, unless they were set otherwise."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._days: dict[tuple[str, int], DayCondition] = {}
        self._ranges: dict[str | None, AvailableRange] = {}

    def set_day(self, condition: DayCondition) -> None:
        self._days[condition.dataset, number(condition.date)] = condition

    def set_range(self, wanted: AvailableRange) -> None:
        self._ranges[wanted.dataset] = wanted

    def reset(self) -> None:
        self._days.clear()
        self._ranges.clear()

    def bounds(self, dataset: str, schema: str | None = None) -> tuple[int, int]:
        """Start and exclusive end, UTC nanoseconds, of one schema or of all together."""
        schemas = self._archive.schemas(dataset) if schema is None else [schema]
        found = [self._archive.available(dataset, each) for each in schemas]
        start, end = min(first for first, _ in found), max(last for _, last in found)
        for key in (None, dataset):
            if wanted := self._ranges.get(key):
                start = start if wanted.start is None else wanted.start
                end = end if wanted.end is None else wanted.end
        return start, end

    def condition(self, dataset: str, day: int) -> DayCondition:
        known = self._days.get((dataset, day))
        return known or DayCondition(dataset=dataset, date=date_of(day))

    def listed(self, dataset: str, first: int, last: int) -> Iterator[DayCondition]:
        """The sessions from `first` to `last`, both included, and every day that was set."""
        start, end = self.bounds(dataset)
        for day in range(max(first, start // DAY), min(last + 1, -(-end // DAY))):
            if (dataset, day) in self._days or self._archive.is_session(dataset, day):
                yield self.condition(dataset, day)

    def served(self, dataset: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The parts of [start, end) whose days are delivered."""
        begin = start
        for day in range(start // DAY, -(-end // DAY)):
            if self.condition(dataset, day).condition.served:
                continue
            if begin < day * DAY:
                yield begin, day * DAY
            begin = (day + 1) * DAY
        if begin < end:
            yield begin, end

    def degraded(self, dataset: str, first: int, past: int) -> list[DayCondition]:
        return [
            found
            for day in range(first, past)
            if (found := self.condition(dataset, day)).condition is not Condition.AVAILABLE
        ]
