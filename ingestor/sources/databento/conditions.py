"""What the provider says of a dataset's days.

Never remembered: a day that was pending a minute ago may have come, and one believed to be there
would be covered without its records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingestor.days import DaySet, date_of_day, day_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestor.manifest import DayCondition
    from ingestor.sources.databento.provider import Provider


def conditions_of(provider: Provider, dataset: str, days: DaySet) -> tuple[DayCondition, ...]:
    """Conditions of those of the days that the provider lists, ascending; asked in one call."""
    if not days:
        return ()
    first, past = days.ranges[0][0], days.ranges[-1][1]
    listed = provider.conditions(dataset, date_of_day(first), date_of_day(past))
    return tuple(each for each in listed if day_of(each.day) in days)


def unavailable(conditions: Sequence[DayCondition]) -> DaySet:
    """The days that the provider does not have (yet): pending, missing, or a word we do not know.

    A day that it does not list at all (a weekend) is nothing to wait for.
    """
    return DaySet.of(day_of(each.day) for each in conditions if not each.held)
