"""`hdi datasets`, `hdi schemas`, `hdi conditions`: what a provider has, what is held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ingestor.cli.arguments import DatasetType, DayType, date_of, whole_range
from ingestor.model import STORED
from ingestor.vocabulary import Dataset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestor.query.holdings import Holdings
    from ingestor.settings import Settings

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
_DATASET = click.option(
    "--dataset", type=DatasetType(), required=True, help="Dataset, e.g. GLBX.MDP3."
)
_PATIENCE_S = 2


@click.command(epilog="\b\nExample:\n  hdi datasets --json")
@_AS_JSON
def datasets(as_json: bool) -> None:
    """List the provider's datasets; free of charge.

    Where a database is reachable, schemas of which it holds whole days stand beside.

    Exit codes: 0 ok, 4 no key or a wrong one, 6 the provider cannot be reached.
    """
    from ingestor.cli.provider import open_provider
    from ingestor.settings import load_settings

    settings = load_settings()
    listed = open_provider(settings).datasets()
    held = _held(settings)
    rows = [{"dataset": name, "held": _schemas_of(held, name)} for name in sorted(listed)]
    _print("datasets", ("dataset", "held"), rows, held, as_json=as_json)


@click.command(epilog="\b\nExample:\n  hdi schemas --dataset GLBX.MDP3")
@_DATASET
@_AS_JSON
def schemas(dataset: Dataset, as_json: bool) -> None:
    """List a dataset's schemas, the days the provider has of each, and which HDI stores.

    Start is inclusive, end exclusive, UTC. Where a database is reachable, the days it holds of a
    schema (of one symbol at least) are counted and their first and last shown.

    Exit codes: 0 ok, 2 no such dataset, 4 no key or a wrong one, 6 the provider cannot be reached.
    """
    from ingestor.cli.provider import open_provider, require_listed
    from ingestor.settings import load_settings

    settings = load_settings()
    provider = open_provider(settings)
    require_listed(provider, dataset)
    available, held = provider.available(dataset), _held(settings, dataset)
    rows = []
    for name in provider.schemas(dataset):
        there = available.per_schema.get(name, (available.start, available.end))
        rows.append({
            "schema": name, "stored": name in STORED, "start": _moment(there[0]),
            "end": _moment(there[1]), **_days_of(held, dataset, name),
        })  # fmt: skip
    columns = ("schema", "stored", "start", "end", "held_days", "held_first", "held_last")
    _print("schemas", columns, rows, held, as_json=as_json, dataset=dataset)


@click.command(
    epilog="\b\nExample:\n  hdi conditions --dataset GLBX.MDP3 --start 2024-03-01 --end 2024-04-01"
)
@_DATASET
@click.option("--start", type=DayType(), required=True, help="First day, UTC.")
@click.option("--end", type=DayType(), required=True, help="Day after the last, UTC.")
@_AS_JSON
def conditions(dataset: Dataset, start: int, end: int, as_json: bool) -> None:
    """Show what the provider says of each day: available, degraded, pending or missing.

    Days that it does not list (weekends, days to come) are left out; modified is the day on which
    it last changed the data. Where a database is reachable, the schemas that it holds of the day
    (of one symbol at least) stand beside.

    Exit codes: 0 ok, 2 no such dataset, 4 no key or a wrong one, 6 the provider cannot be reached.
    """
    from ingestor.cli.provider import open_provider, require_listed
    from ingestor.days import day_of
    from ingestor.settings import load_settings

    whole_range(start, end)
    settings = load_settings()
    provider = open_provider(settings)
    require_listed(provider, dataset)
    listed = provider.conditions(dataset, date_of(start), date_of(end))
    held = _held(settings, dataset)
    rows = [
        {"day": each.day, "condition": each.condition, "modified": each.modified,
         "held": _schemas_of(held, dataset, day_of(each.day))}
        for each in listed
    ]  # fmt: skip
    columns = ("day", "condition", "modified", "held")
    _print("conditions", columns, rows, held, as_json=as_json, dataset=dataset)


def _held(settings: Settings, dataset: Dataset | None = None) -> Holdings | None:
    """What the database holds; None where there is none to ask, which is no error here."""
    from ingestor.cli.connect import run
    from ingestor.cli.output import tell
    from ingestor.errors import IngestError, NotConfigured
    from ingestor.query.holdings import holdings
    from ingestor.vocabulary import Role

    try:
        return run(
            lambda database: holdings(database, dataset), role=Role.READER, settings=settings,
            patience_s=_PATIENCE_S,
        )  # fmt: skip
    except NotConfigured:
        return None
    except IngestError as error:
        tell(f"note: what is held is not shown: {error.message}")
        return None


def _schemas_of(held: Holdings | None, dataset: str, day: int | None = None) -> list[str] | None:
    """Schemas held of a dataset, on that day where one is named; None where nobody knows."""
    if held is None:
        return None
    return sorted(
        schema
        for (name, schema), days in held.items()
        if name == dataset and (day is None or day in days)
    )


def _moment(ns: int) -> str:
    from ingestor.query.selection import instant

    return instant(ns).isoformat().replace("+00:00", "Z")


def _days_of(held: Holdings | None, dataset: Dataset, schema: str) -> dict[str, Any]:
    from ingestor.days import DaySet, date_of_day

    days = DaySet() if held is None else held.get((dataset, schema), DaySet())
    return {
        "held_days": None if held is None else len(days),
        "held_first": date_of_day(days.ranges[0][0]) if days else None,
        "held_last": date_of_day(days.ranges[-1][1] - 1) if days else None,
    }


def _print(
    name: str,
    columns: Sequence[str],
    rows: list[dict[str, Any]],
    held: Holdings | None,
    *,
    as_json: bool,
    **facts: object,
) -> None:
    from ingestor.cli.output import print_json, print_table

    if as_json:
        print_json({"schema_version": 1, **facts, name: rows})
        return
    # Without a database there is nothing to say of what it holds.
    shown = [each for each in columns if held is not None or not each.startswith("held")]
    print_table(shown, ([_cell(row[each]) for each in shown] for row in rows), right=("held_days",))


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else None
    if isinstance(value, list):
        return ", ".join(value) or None
    return value
