"""Sets of whole UTC days as disjoint ranges: what a request wants, what is held, what is left.

A day is its number since 1970-01-01; ends are exclusive.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

DAY_NS: Final = 86_400 * 1_000_000_000
EPOCH: Final = dt.date(1970, 1, 1)

DayRange = tuple[int, int]


@dataclass(frozen=True, slots=True, init=False)
class DaySet:
    """Days, as ascending ranges that neither overlap nor touch."""

    ranges: tuple[DayRange, ...]

    def __init__(self, ranges: Iterable[DayRange] = ()) -> None:
        object.__setattr__(self, "ranges", _merged(ranges))

    @classmethod
    def of(cls, days: Iterable[int]) -> DaySet:
        """The single days."""
        return cls((day, day + 1) for day in days)

    def __iter__(self) -> Iterator[int]:
        """Every day, ascending."""
        for first, past in self.ranges:
            yield from range(first, past)

    def __len__(self) -> int:
        return sum(past - first for first, past in self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __contains__(self, day: int) -> bool:
        return self.covers(day, day + 1)

    def __or__(self, other: DaySet) -> DaySet:
        return DaySet((*self.ranges, *other.ranges))

    def __sub__(self, other: DaySet) -> DaySet:
        return DaySet(_without(self.ranges, other.ranges))

    def __and__(self, other: DaySet) -> DaySet:
        return DaySet(_common(self.ranges, other.ranges))

    def covers(self, first: int, past: int) -> bool:
        """Whether every day of [first, past) is in the set."""
        if past <= first:
            return True
        at = bisect_right(self.ranges, first, key=lambda each: each[0]) - 1
        return at >= 0 and past <= self.ranges[at][1]


def _merged(ranges: Iterable[DayRange]) -> tuple[DayRange, ...]:
    made: list[DayRange] = []
    for first, past in sorted(ranges):
        if past <= first:
            continue
        if made and first <= made[-1][1]:
            made[-1] = (made[-1][0], max(made[-1][1], past))
        else:
            made.append((first, past))
    return tuple(made)


# Both walk the two tuples side by side: ten years of closed weekends are 520 ranges, and a plan
# takes them away once for each symbol.
def _without(ranges: Sequence[DayRange], cut: Sequence[DayRange]) -> Iterator[DayRange]:
    behind = 0
    for first, past in ranges:
        at = first
        while behind < len(cut) and cut[behind][0] < past:
            low, high = cut[behind]
            if at < low:
                yield at, low
            at = max(at, high)
            if past <= high:
                break  # it may reach into the next range, too
            behind += 1
        if at < past:
            yield at, past


def _common(ranges: Sequence[DayRange], others: Sequence[DayRange]) -> Iterator[DayRange]:
    at = other = 0
    while at < len(ranges) and other < len(others):
        (first, past), (low, high) = ranges[at], others[other]
        if max(first, low) < min(past, high):
            yield max(first, low), min(past, high)
        if past <= high:
            at += 1
        else:
            other += 1


def day_of(date: dt.date) -> int:
    """The number of a date."""
    return (date - EPOCH).days


def date_of_day(day: int) -> dt.date:
    """The date of a number."""
    return EPOCH + dt.timedelta(days=day)


def midnight(day: int) -> int:
    """UTC nanoseconds since 1970 at which the day begins."""
    return day * DAY_NS
