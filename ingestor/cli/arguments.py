"""Types of command-line values: days, schemas, datasets, symbols, jobs. They load click alone.

A value that is refused is named with what was found and what is allowed; near misses are suggested.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
from click.shell_completion import CompletionItem

from ingestor.vocabulary import Dataset, Schema, is_dataset

if TYPE_CHECKING:
    from uuid import UUID

_EPOCH = dt.date(1970, 1, 1)
_DAY_NS = 86_400 * 10**9
# uint64 nanoseconds end on 2554-07-21; later days have no spelling on the wire.
_LAST_DAY = dt.date(2554, 7, 21)
_TIME_OF_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})[T ]([0-9:.]+)\s*(?:Z|[+-]00:?00)?")
_MIDNIGHT = re.compile(r"[0:.]+")


class DayType(click.ParamType[int]):
    """A whole UTC day, ``2024-03-11``, as the nanoseconds since 1970 of its midnight."""

    name = "YYYY-MM-DD"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        if isinstance(value, int):
            return value
        text = str(value).strip()
        if (timed := _TIME_OF_DAY.fullmatch(text)) is not None:
            self._refuse_time(text, timed[1], timed[2], param, ctx)
        day = _date(text)
        if day is None:
            self.fail(f"{text!r} is no day; write it as YYYY-MM-DD, e.g. 2024-03-11.", param, ctx)
        if not _EPOCH <= day <= _LAST_DAY:
            self.fail(f"{text!r} lies outside {_EPOCH} to {_LAST_DAY}.", param, ctx)
        return (day - _EPOCH).days * _DAY_NS

    def _refuse_time(
        self, text: str, date: str, time: str,
        param: click.Parameter | None, ctx: click.Context | None,
    ) -> NoReturn:  # fmt: skip
        day = _date(date)
        if day is None or day == dt.date.max:
            self.fail(f"{text!r} is no day; write it as YYYY-MM-DD.", param, ctx)
        if _MIDNIGHT.fullmatch(time):
            self.fail(f"{text!r} has a time of day; write {day}.", param, ctx)
        after = day + dt.timedelta(days=1)
        self.fail(
            f"{text!r} has a time of day, and requests are whole UTC days: give {day} or {after}.",
            param, ctx,
        )  # fmt: skip


def _date(text: str) -> dt.date | None:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def date_of(ns: int) -> dt.date:
    """The UTC day that holds an instant."""
    return _EPOCH + dt.timedelta(days=ns // _DAY_NS)


class SchemaType(click.ParamType[Schema]):
    """One record schema."""

    name = "schema"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Schema:
        text = str(value).strip()
        try:
            return Schema(text.lower())
        except ValueError:
            allowed = ", ".join(Schema)
            near = meant(text.lower(), list(Schema))
            self.fail(f"{text!r} is no schema; there are {allowed}.{near}", param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(str(each)) for each in Schema if each.startswith(incomplete)]


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
        return [CompletionItem(f"{before}{comma}{item.value}") for item in found]


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
        text = str(value)
        if text == "-":
            found, place = sys.stdin.read().splitlines(), "standard input"
        elif text.startswith("@"):
            found, place = self._lines(Path(text[1:]), param, ctx), text[1:]
        else:
            found, place = text.split(","), ""
        # Symbols may hold blanks inside: `AAPL  250221C00250000`.
        named = [line.strip() for line in found if line.strip()]
        if not named:
            self.fail(f"no symbol in {place or repr(text)}.", param, ctx)
        if not place and len(named) < len(found):
            self.fail(f"{text!r} holds an empty symbol.", param, ctx)
        return tuple(dict.fromkeys(named))

    def _lines(
        self, file: Path, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[str]:
        try:
            return file.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no UTF-8 text"
            self.fail(f"{str(file)!r} cannot be read: {why}.", param, ctx)


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
        return [
            CompletionItem(word, help=about)
            for word, about in known.items()
            if word.startswith(incomplete)
        ]


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


def meant(word: str, allowed: Collection[str]) -> str:
    """`` Did you mean 'x'?`` where something allowed is near, else nothing."""
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
