"""Types of command-line values: days, schemas, datasets, symbols, jobs. They load click alone.

What a value needs is loaded when there is one: help only prints. A value that is refused is named
with what was found and what is allowed; near misses are suggested.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

import click

from ingestor.errors import Usage
from ingestor.vocabulary import Dataset, Schema, is_dataset

if TYPE_CHECKING:
    from uuid import UUID

    from click.shell_completion import CompletionItem

    from ingestor.symbol_list import SymbolList

_TODAY = "ingestor.today"


def today(ctx: click.Context | None) -> dt.date:
    """Which day it is, UTC: the same for all values of a command line, midnight or not."""
    now = dt.datetime.now(dt.UTC).date()
    return now if ctx is None else ctx.meta.setdefault(_TODAY, now)


class DayType(click.ParamType[int | None]):
    """A whole UTC day as the nanoseconds since 1970 of its midnight.

    Written ``2024-03-11``, before today ``-10d -3w -6m -2y``, ``today`` or ``yesterday``; with
    `latest` also ``latest``, which is None: the end of what the provider has.
    """

    name = "YYYY-MM-DD|-10d|today"

    def __init__(self, *, latest: bool = False) -> None:
        self._latest = latest
        if latest:
            self.name = f"{self.name}|latest"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """As it is: click would write it in capitals, and -10D is no day."""
        return self.name

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        if value is None or isinstance(value, int):
            return value
        from ingestor.dates import parse_day, parse_end
        from ingestor.days import day_of, midnight

        parse = parse_end if self._latest else parse_day
        try:
            day = parse(str(value), today=today(ctx))
        except Usage as error:
            self.fail(_sentence(error.message), param, ctx)
        return None if day is None else midnight(day_of(day))


def _sentence(text: str) -> str:
    return text if text.endswith("?") else f"{text}."


def date_of(ns: int) -> dt.date:
    """The UTC day that holds an instant."""
    from ingestor.days import DAY_NS, date_of_day

    return date_of_day(ns // DAY_NS)


class SchemaType(click.ParamType[Schema]):
    """One record schema."""

    name = "schema"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Schema:
        from ingestor.model import STORED

        text = str(value).strip()
        if text.lower() not in STORED:
            near = meant(text.lower(), list(STORED))
            self.fail(f"{text!r} is no schema; there are {', '.join(STORED)}.{near}", param, ctx)
        return Schema(text.lower())

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from ingestor.model import STORED

        return completions(STORED, incomplete)


class SourceType(click.ParamType[str]):
    """The name of an installed source. Only what is given is looked up."""

    name = "source"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        text, installed = str(value), _installed_sources()
        if text not in installed:
            near = meant(text, installed)
            self.fail(
                f"{text!r} is unknown; installed are {', '.join(installed)}.{near}", param, ctx
            )
        return text

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return completions(_installed_sources(), incomplete)


def _installed_sources() -> list[str]:
    """By name alone: to load one would load what it needs."""
    from importlib.metadata import entry_points

    return sorted({point.name for point in entry_points(group="hdi.sources")})


class SchemasType(click.ParamType[tuple[Schema, ...]]):
    """Record schemas with commas, each once, in the order given."""

    name = "schema,…"
    _one = SchemaType()

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Schema, ...]:
        if isinstance(value, tuple):
            return value
        words = [word.strip() for word in str(value).split(",")]
        if not all(words):
            self.fail(f"{value!r} holds an empty schema.", param, ctx)
        return tuple(dict.fromkeys(self._one.convert(word, param, ctx) for word in words))

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        before, comma, last = incomplete.rpartition(",")
        found = self._one.shell_complete(ctx, param, last)
        return completions([f"{before}{comma}{item.value}" for item in found])


class DatasetType(click.ParamType[Dataset]):
    """A dataset code. Its form is checked here, its existence by who knows datasets."""

    name = "dataset"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Dataset:
        text = str(value).strip()
        if not is_dataset(text):
            near = f" Did you mean {text.upper()!r}?" if is_dataset(text.upper()) else ""
            self.fail(f"{text!r} is no dataset code; one looks like GLBX.MDP3.{near}", param, ctx)
        return Dataset(text)


class SymbolsType(click.ParamType[tuple[str, ...]]):
    """``A,B``, ``@FILE`` with one symbol per line, or ``-`` for standard input; each once."""

    name = "A,B | @FILE | -"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return _named(str(value)).symbols
        except Usage as error:
            self.fail(_sentence(error.message), param, ctx)


def _named(text: str) -> SymbolList:
    from ingestor.symbol_list import as_symbol_list, read_symbol_file, read_symbols

    if text == "-":
        return read_symbols(sys.stdin.buffer, "standard input")
    if text.startswith("@"):
        from pathlib import Path

        return read_symbol_file(Path(text[1:]))
    # Letter for letter, but for blanks beside a comma. Symbols hold them inside:
    # `AAPL  250221C00250000`.
    return as_symbol_list(re.split(r"\s*,\s*", text))


class JobType(click.ParamType[str]):
    """A job as people call it: a unique prefix of its id, its name, or ``@last``.

    Which job that is, the ledger says (`ingestor.insights.resolve_job`).
    """

    name = "job"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        text = str(value).strip()
        if not text:
            self.fail("a job is a prefix of its id, its name, or @last.", param, ctx)
        return text

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        known = {"@last": "the job submitted last"}
        if not "@last".startswith(incomplete or "-"):
            known |= _known_jobs()
        return completions(known, incomplete, about=known)


def _known_jobs() -> dict[str, str]:
    """Names and short ids of recent jobs; none where the database is away: a shell stays silent."""
    from ingestor.cli.connect import run
    from ingestor.insights import job_names
    from ingestor.vocabulary import Role

    try:
        found: list[tuple[UUID, str]] = run(job_names, role=Role.READER, patience_s=2)
    except Exception:  # noqa: BLE001 - whatever it is, a press of the tab key is no place to tell it
        return {}
    ids = {str(job_id)[:8]: name for job_id, name in found}
    return ids | {name: short for short, name in ids.items() if name and " " not in name}


def completions(
    words: Iterable[str], incomplete: str = "", *, about: Mapping[str, str] | None = None
) -> list[CompletionItem]:
    """Those that begin as what was typed, with what each is about."""
    from click.shell_completion import CompletionItem

    told = about or {}
    return [
        CompletionItem(str(word), help=told.get(word))
        for word in words
        if word.startswith(incomplete)
    ]


def meant(word: str, allowed: Collection[str]) -> str:
    """`` Did you mean 'x'?`` where something allowed is near, else nothing."""
    from difflib import get_close_matches

    near = get_close_matches(word, [str(each) for each in allowed], n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""


def exactly_one(given: Mapping[str, bool]) -> None:
    """Of these options (spelling → whether given) one must be there, and only one.

    Raises:
        click.UsageError: None is, or several are.
    """
    names = list(given)
    if not any(given.values()):
        raise click.UsageError(f"give one of {' and '.join(names)}.")
    at_most_one(given)


def at_most_one(given: Mapping[str, bool]) -> None:
    """Of these options (spelling → whether given) no two make sense together.

    Raises:
        click.UsageError: Several are there.
    """
    found = [name for name, there in given.items() if there]
    if len(found) > 1:
        raise click.UsageError(f"{' and '.join(found)} exclude each other; give one of them.")


def whole_range(start: int, end: int) -> None:
    """The range must hold a day.

    Raises:
        click.UsageError: It holds none.
    """
    if end <= start:
        raise click.UsageError(
            f"--end {date_of(end)} must be after --start {date_of(start)}; it is exclusive."
        )
