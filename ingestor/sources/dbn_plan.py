"""Plans DBN files: which files, which days of them, which part follows which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingestor.job import ChunkPlan, JobPlan, RequestPlan
from ingestor.sources.dbn_folder import SUFFIXES
from ingestor.sources.dbn_intake import (
    beside,
    check_datasets,
    check_manifests,
    of_schemas,
    surveyed,
)
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
from ingestor.sources.files import find_files
from ingestor.sources.slices import whole_days
from ingestor.sources.source import Ask, PayloadStore
from ingestor.sources.survey import Survey, date_of
from ingestor.sources.tally import DAY
from ingestor.vocabulary import Dataset


@dataclass(frozen=True, slots=True)
class _Planned:
    """One file and the chunks that were cut from it."""

    file: Survey
    chunks: tuple[ChunkPlan, ...]


def plan_files(source: str, ask: Ask, vault: PayloadStore | None = None) -> JobPlan:
    """Surveys every file that was asked for, and cuts each into chunks.

    Files that some chunk reads are copied into `vault` where the ask says so.

    Raises:
        BadJob: The ask makes no sense for these files.
        CorruptPayload: One of them is damaged, or unlike its delivery's manifest.
    """
    path = checked_path(ask)
    keep = keeper(ask, vault)
    notes: list[str] = []
    files = of_schemas(find_files(path, SUFFIXES), ask, notes)
    surveys = surveyed(files)
    check_datasets(surveys, ask)
    proven = check_manifests(surveys, notes)
    context = beside(surveys[0], notes) if path.is_file() else []
    places = places_of([*surveys, *context])
    planned = [
        _planned(file, places[file.path], ask, keep, proven=file.path in proven) for file in surveys
    ]
    note_outside([item.file for item in planned if not item.chunks], ask, notes)
    note_copies(surveys, places, notes)
    _note_symbols(surveys, notes)
    requests = _requests(planned)
    return JobPlan(
        key=key_of(source, requests, ask),
        name=ask.name or path.name,
        source=source,
        priority=ask.priority,
        spec=_spec(source, path, ask, planned),
        requests=requests,
        notes=tuple(notes),
    )


def _planned(file: Survey, place: Delivery, ask: Ask, keep: Keep, *, proven: bool) -> _Planned:
    partial = _partial(file, place, proven=proven)
    return _Planned(file, chunks_of(file, place, whole_days(file), ask, keep, partial))


def _partial(file: Survey, place: Delivery, *, proven: bool) -> str:
    """Why the file proves no coverage of its range."""
    header = file.header
    reasons = []
    if header.limit is not None:
        reasons.append(f"limit {header.limit} in the metadata")
    if header.end is None:
        reasons.append("no end in the metadata")
    if header.start % DAY or (header.end or 0) % DAY:
        reasons.append("bounds are no whole days")
    if header.intervals and not header.symbols:
        reasons.append("the metadata map symbols and name none")
    if place.parts > 1:
        reasons.append(f"one of {place.parts} parts of a delivery")
    if not (file.sealed or proven):
        reasons.append("nothing proves that the file is whole")
    return "; ".join(reasons)


def _requests(planned: Sequence[_Planned]) -> tuple[RequestPlan, ...]:
    """One request for all files that asked for the same symbols of a dataset and schema."""
    groups: dict[tuple[Any, ...], list[ChunkPlan]] = defaultdict(list)
    for item in planned:
        header = item.file.header
        if item.chunks:
            key = (header.dataset, header.schema, header.stype_in, header.symbols)
            groups[key].extend(item.chunks)
    return tuple(
        RequestPlan(
            dataset=Dataset(dataset),
            schema=schema,
            stype_in=stype_in,
            symbols=symbols,
            start=min(chunk.start for chunk in chunks),
            end=max(chunk.end for chunk in chunks),
            chunks=tuple(chunks),
        )
        for (dataset, schema, stype_in, symbols), chunks in groups.items()
    )


def _spec(source: str, path: Path, ask: Ask, planned: Sequence[_Planned]) -> dict[str, Any]:
    headers = [item.file.header for item in planned]
    return {
        "source": source,
        "path": str(path.absolute()),
        "datasets": sorted({header.dataset for header in headers}),
        "schemas": sorted({header.schema.value for header in headers}),
        "start": None if ask.start is None else date_of(ask.start),
        "end": None if ask.end is None else date_of(ask.end),
        "chunk_days": ask.chunk_days,
        "force": ask.force,
        "accept_removals": ask.accept_removals,
        "files": len(planned),
    }


def _note_symbols(surveys: Iterable[Survey], notes: list[str]) -> None:
    unknown = sorted({symbol for file in surveys for symbol in file.header.not_found})
    if unknown:
        notes.append(f"the provider found no instrument for {names(unknown)}")
