"""Which records of quarantine a command means: ids, or filters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from ingestor.cli.arguments import DatasetType, DayType, JobType, at_most_one, whole_range
from ingestor.days import DAY_NS

if TYPE_CHECKING:
    from ingestor.store.database import Database
    from ingestor.store.refused import Filters

F = TypeVar("F", bound=Callable[..., Any])
Given = dict[str, Any]
"""The values of the filter options by name; None for those that are not given."""
Checked = Callable[["Database", tuple[int, ...]], Awaitable[list[int]]]

_FILTERS: Final = (
    click.option("--job", type=JobType(), help="Records of this job's chunks."),
    click.option("--rule", help="Records that broke this rule, e.g. high-not-below-low."),
    click.option(
        "--symbol", help="Records of an instrument, by any of its symbols on that day or its id."
    ),
    click.option("--dataset", type=DatasetType(), help="Records of a dataset, e.g. GLBX.MDP3."),
    click.option("--date", type=DayType(), help="One UTC day of the index timestamp."),
    click.option("--start", type=DayType(), help="First day of the index timestamp, UTC."),
    click.option("--end", type=DayType(), help="Day after the last, UTC."),
)


def filters(command: F) -> F:
    """Adds the filter options; the command gets them as `given`."""
    for option in reversed(_FILTERS):
        command = option(command)
    return command


def check(given: Given) -> None:
    """The filters must make sense together.

    Raises:
        click.UsageError: They do not.
    """
    for name in ("start", "end"):
        at_most_one({"--date": given["date"] is not None, f"--{name}": given[name] is not None})
    if given["start"] is not None and given["end"] is not None:
        whole_range(given["start"], given["end"])
    for name in ("rule", "symbol"):
        if given[name] is not None and (not given[name].strip() or "\0" in given[name]):
            raise click.UsageError(f"--{name} is empty.")


def check_choice(ids: tuple[int, ...], given: Given, *, all_matching: bool | None = None) -> None:
    """Ids or filters must be given, never both; without either, somebody must say so.

    Args:
        all_matching: Whether somebody did; None where the command has no such option.

    Raises:
        click.UsageError: It is not so.
    """
    check(given)
    filtered = any(value is not None for value in given.values())
    if ids and (filtered or all_matching):
        raise click.UsageError("ids and filters exclude each other; give one of them.")
    if not (ids or filtered or all_matching):
        more = "" if all_matching is None else ", or --all-matching for everything"
        raise click.UsageError(f"give ids or filters (--job, --rule, --date, …){more}.")


async def wanted(database: Database, given: Given, *, everything: bool = False) -> Filters:
    """The filters, as the store takes them.

    Raises:
        UnknownJob: No job, or more than one, is called that.
    """
    from ingestor.insights import resolve_job
    from ingestor.store.refused import Filters

    start, end = given["start"], given["end"]
    if (day := given["date"]) is not None:
        start, end = day, day + DAY_NS
    job_id = None if given["job"] is None else await resolve_job(database, given["job"])
    return Filters(
        job_id, given["rule"], given["dataset"], given["symbol"], start, end, everything=everything
    )


async def chosen(
    database: Database, ids: tuple[int, ...], given: Given, checked: Checked
) -> list[int]:
    """The ids that `checked` lets pass, or those of records that filters match and that wait."""
    from ingestor.store import refused

    if ids:
        return await checked(database, ids)
    return await refused.ids(database, await wanted(database, given))
