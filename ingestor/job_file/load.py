"""A job file, read, checked as a whole, its days and symbols resolved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from ingestor.dates import LAST_DAY
from ingestor.days import day_of, midnight
from ingestor.documents import Document, Fault, Loc, empty_faults, wrong
from ingestor.errors import Usage
from ingestor.job_file.document import read_document
from ingestor.job_file.faults import model_faults
from ingestor.job_file.job_settings import by_dotted_name, setting_faults
from ingestor.job_file.model import WrittenJob, WrittenRequest
from ingestor.model import STORED
from ingestor.symbol_list import SymbolList, as_symbol_list, read_symbol_file
from ingestor.vocabulary import Dataset, Priority, Schema, SType


@dataclass(frozen=True, slots=True)
class JobRequest:
    """One schema of a job file over its days.

    Attributes:
        start: First day, UTC nanoseconds at midnight; None for the first that the provider has.
        end: Day after the last; None for the end of what the provider has.
        chunk_days: Days per chunk; None for the schema's default.
    """

    schema: Schema
    start: int | None
    end: int | None
    chunk_days: int | None


@dataclass(frozen=True, slots=True)
class JobFile:
    """What a job file asks for.

    Attributes:
        name: As written, else the file's own name without its suffix.
        symbols: Each once, or ``(ALL_SYMBOLS,)``.
        requests: In the order of the file; no two of one schema share a day.
        max_usd: Most US dollars; None for what the settings say.
        chunk_symbols: Symbols per chunk; None for the source's default.
        settings: By dotted name, as text, for `load_settings(job=…)`.
        notes: Lines that a person should read before the job runs.
    """

    name: str
    source: str
    dataset: Dataset
    symbols: tuple[str, ...]
    stype_in: SType
    requests: tuple[JobRequest, ...]
    priority: Priority
    max_usd: float | None
    chunk_symbols: int | None
    settings: Mapping[str, Any]
    notes: tuple[str, ...]


def load_job_file(path: Path, *, today: dt.date) -> JobFile:
    """Reads and checks a job file.

    Args:
        path: A YAML file; a relative ``symbols_file`` in it begins at its folder.
        today: The day, UTC, that ``today``, ``-2y`` and the like are counted from.

    Raises:
        BadJob: It cannot be read or is wrong. The message names every fault with line, key, what
            was found and what is allowed.
    """
    document = read_document(path)
    written = _checked(document, today)
    symbols = _symbols(document, written)
    return JobFile(
        name=written.name or path.stem,
        source=written.source,
        dataset=Dataset(written.dataset),
        symbols=symbols.symbols,
        stype_in=written.stype_in,
        requests=tuple(each for _, each in _requests(written)),
        priority=written.priority,
        max_usd=written.budget.max_usd if written.budget is not None else None,
        chunk_symbols=written.chunk_symbols,
        settings=MappingProxyType(by_dotted_name(written.settings)),
        notes=(f"symbols {symbols.note}",) if symbols.note else (),
    )


def _checked(document: Document, today: dt.date) -> WrittenJob:
    faults = [*document.faults, *_either_faults(document.values), *setting_faults(document.values)]
    try:
        written = WrittenJob.model_validate(document.values, context={"today": today})
    except ValidationError as error:
        # `from None`: pydantic's error holds every value.
        raise wrong(document, [*faults, *model_faults(error), *empty_faults(document)]) from None
    faults += [*empty_faults(document), *_overlaps(written)]
    if faults:
        raise wrong(document, faults)
    return written


def _either_faults(values: Mapping[str, Any]) -> Iterator[Fault]:
    """Looked for beside the model, so that they are told together with other faults."""
    yield from _unless_one(values, (), "symbols", "symbols_file")
    requests = values.get("requests")
    for number, request in enumerate(requests if isinstance(requests, list) else ()):
        if isinstance(request, Mapping):
            yield from _unless_one(request, ("requests", number), "schema", "schemas")


def _unless_one(values: Mapping[str, Any], loc: Loc, one: str, other: str) -> Iterator[Fault]:
    if one in values and other in values:
        yield Fault((*loc, other), f"excludes {one}; give one of them")
    elif one not in values and other not in values:
        yield Fault((*loc, one), f"is missing; give {one} or {other}")


def _requests(written: WrittenJob) -> Iterator[tuple[Loc, JobRequest]]:
    for number, request in enumerate(written.requests):
        for schema in request.every_schema:
            yield ("requests", number), _request(request, schema)


def _request(request: WrittenRequest, schema: Schema) -> JobRequest:
    return JobRequest(schema, _midnight(request.start), _midnight(request.end), request.chunk_days)


def _midnight(day: dt.date | None) -> int | None:
    return None if day is None else midnight(day_of(day))


def _overlaps(written: WrittenJob) -> Iterator[Fault]:
    """Days that two requests of one schema share would be bought twice."""
    for schema in STORED:
        asked = [(loc, each) for loc, each in _requests(written) if each.schema is schema]
        asked.sort(key=lambda item: item[1].start or 0)
        yield from _shared(asked)


_PAST_ALL = midnight(day_of(LAST_DAY)) + 1


def _shared(asked: Iterable[tuple[Loc, JobRequest]]) -> Iterator[Fault]:
    for (one, before), (other, after) in pairwise(asked):
        if (after.start or 0) < (_PAST_ALL if before.end is None else before.end):
            first, second = sorted((one, other))
            yield Fault(
                second,
                f"asks for {after.schema} of days that requests[{first[1]}] asks for too",
            )


def _symbols(document: Document, written: WrittenJob) -> SymbolList:
    try:
        if written.symbols_file is None:
            return as_symbol_list(written.symbols or ())
        given = Path(written.symbols_file).expanduser()
        return read_symbol_file(Path(document.name).parent / given)
    except (Usage, RuntimeError) as error:  # RuntimeError: no home for ~
        key = "symbols" if written.symbols_file is None else "symbols_file"
        raise wrong(document, [Fault((key,), str(error))]) from error
