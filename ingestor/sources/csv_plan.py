"""Plans vendors' files: nothing in them says whose they are, so that the ask must."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ingestor.errors import BadJob, IngestError
from ingestor.job import ChunkPlan, Claim, JobPlan, RequestPlan
from ingestor.sources.csv_survey import CsvSurvey, Reading, survey
from ingestor.sources.deliveries import Delivery
from ingestor.sources.file_plan import (
    Keep,
    checked_path,
    chunks_of,
    keeper,
    key_of,
    names,
    note_copies,
    note_outside,
    places_of,
)
from ingestor.sources.files import find_files, readable, siblings
from ingestor.sources.source import Ask, PayloadStore, Spellings
from ingestor.sources.survey import date_of
from ingestor.sources.tally import DAY
from ingestor.steps import counted
from ingestor.vocabulary import Dataset, Schema, SType

FOLDER: Final = "csv-files"
"""Of mapping files; each dataset has one in it."""

SUFFIXES: Final = (".csv", ".csv.gz", ".csv.zst", ".parquet")
PARTIAL: Final = "nothing in the file says which days and symbols it should hold"
_DIGITS: Final = re.compile(r"\d+")


def reading_of(dataset: str, schema: Schema, spellings: Spellings) -> Reading:
    """How files of a dataset's schema are read.

    Raises:
        BadRules: There is no mapping file for it, or it is wrong.
    """
    return Reading(dataset, schema, spellings(f"{FOLDER}/{dataset}", schema))


def plan_csv(
    source: str, ask: Ask, spellings: Spellings, vault: PayloadStore | None = None
) -> JobPlan:
    """Surveys every file that was asked for, and cuts each into chunks.

    Raises:
        BadJob: The ask makes no sense for these files.
        BadRules: No mapping file says how they are read.
        CorruptPayload: One of them is damaged, or has no header for its mapping.
    """
    path = checked_path(ask)
    reading = reading_of(*_named(ask), spellings)
    keep = keeper(ask, vault)
    notes: list[str] = []
    files = find_files(path, SUFFIXES)
    surveys = [_surveyed(file, reading) for file in counted("files read", files, len(files))]
    context = _beside(surveys[0], notes) if path.is_file() else []
    places = places_of([*surveys, *context])
    planned = [(file, _chunks(file, places[file.path], ask, keep)) for file in surveys]
    _note_left_out([file for file, chunks in planned if not chunks], ask, notes)
    _note_unread(surveys, notes)
    note_copies(surveys, places, notes)
    requests = _requests(reading, [chunk for _, chunks in planned for chunk in chunks])
    return JobPlan(
        key=key_of(source, requests, ask),
        name=ask.name or path.name,
        source=source,
        priority=ask.priority,
        spec=_spec(source, path, reading, ask, len(surveys)),
        requests=requests,
        notes=tuple(notes),
    )


def _named(ask: Ask) -> tuple[Dataset, Schema]:
    if ask.dataset is None:
        raise BadJob(
            "a vendor's files do not say of which dataset they are",
            hint=f"name it with --dataset: the folder of its mapping files under mappings/{FOLDER}",
        )
    if len(ask.schemas) != 1:
        given = ", ".join(ask.schemas) or "none"
        raise BadJob(
            f"a vendor's files do not say of which schema they are: {given} was given, and it must "
            "be one",
            hint="name it with --schema, and submit files of other schemas by themselves",
        )
    return Dataset(ask.dataset), ask.schemas[0]


def _surveyed(path: Path, reading: Reading) -> CsvSurvey:
    with readable(path):
        return survey(path, reading)


def _beside(file: CsvSurvey, notes: list[str]) -> list[CsvSurvey]:
    """The parts beside a single file: not loaded, but its ordinals may go on from theirs.

    Their names differ in digits alone: what else is in the folder may be of any schema.
    """
    found = []
    stem = _DIGITS.sub("", file.path.name)
    for path in siblings(file.path, SUFFIXES):
        if _DIGITS.sub("", path.name) != stem:
            continue
        try:
            found.append(survey(path, file.reading))
        except (IngestError, OSError) as error:
            notes.append(f"{path.name} beside it was not looked at: {error}")
    return found


def _chunks(file: CsvSurvey, place: Delivery, ask: Ask, keep: Keep) -> tuple[ChunkPlan, ...]:
    if not file.contents.records:
        return ()
    chunks = chunks_of(file, place, _bounds(file, ask), ask, keep, PARTIAL)
    return tuple(replace(chunk, cut_by=file.reading.spelling.digest) for chunk in chunks)


def whole(file: CsvSurvey, claims: Sequence[Claim]) -> ChunkPlan:
    """One slice of the file that the claims name: their days, and those that it has today."""
    spans = [(claim.start, claim.end) for claim in claims]
    if file.index_range is not None:
        low, high = file.index_range
        spans.append((low // DAY * DAY, high // DAY * DAY + DAY))
    return ChunkPlan(
        start=min(start for start, _ in spans),
        end=max(end for _, end in spans),
        payload=claims[0].payload,
        contents=file.contents,
        predecessors=tuple(dict.fromkeys(ref for each in claims for ref in each.predecessors)),
        partial=claims[0].partial,
        cut_by=file.reading.spelling.digest,
    )


def _bounds(file: CsvSurvey, ask: Ask) -> tuple[int, int]:
    """Whole days that hold the records.

    Where no time can be read: the first day of all, or of the ask, so that a worker tells why.
    """
    if file.index_range is not None:
        low, high = file.index_range
        return low // DAY * DAY, high // DAY * DAY + DAY
    first = ask.start if ask.start is not None else max(0, (ask.end or 0) - DAY)
    return first, first + DAY


def _requests(reading: Reading, chunks: Sequence[ChunkPlan]) -> tuple[RequestPlan, ...]:
    if not chunks:
        return ()
    return (
        RequestPlan(
            dataset=Dataset(reading.dataset),
            schema=reading.schema,
            stype_in=SType.RAW_SYMBOL,
            symbols=(),
            start=min(chunk.start for chunk in chunks),
            end=max(chunk.end for chunk in chunks),
            chunks=tuple(chunks),
        ),
    )


def _spec(source: str, path: Path, reading: Reading, ask: Ask, files: int) -> dict[str, Any]:
    return {
        "source": source,
        "path": str(path.absolute()),
        "datasets": [reading.dataset],
        "schemas": [reading.schema.value],
        "start": None if ask.start is None else date_of(ask.start),
        "end": None if ask.end is None else date_of(ask.end),
        "chunk_days": ask.chunk_days,
        "force": ask.force,
        "accept_removals": ask.accept_removals,
        "files": files,
    }


def _note_left_out(files: Sequence[CsvSurvey], ask: Ask, notes: list[str]) -> None:
    empty = [file.path.name for file in files if not file.contents.records]
    if empty:
        notes.append(f"left out, a header and no records: {names(empty)}")
    note_outside([file for file in files if file.contents.records], ask, notes)


def _note_unread(files: Sequence[CsvSurvey], notes: list[str]) -> None:
    notes += [
        f"{file.path.name}: {file.reading.table.index_column} cannot be read in "
        f"{file.undefined:,} of {file.contents.records:,} records; they will be quarantined"
        for file in files
        if file.undefined
    ]
