"""Plans DBN files: which files, which days of them, which part follows which."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from ingestor.errors import BadJob
from ingestor.job import ChunkPlan, JobPlan, PayloadRef, RequestPlan
from ingestor.model import table_of
from ingestor.sources.dbn_folder import find_files
from ingestor.sources.dbn_intake import (
    beside,
    check_datasets,
    check_manifests,
    checked_path,
    names,
    of_schemas,
    ref_of,
    surveyed,
)
from ingestor.sources.deliveries import Delivery, deliveries, microseconds, natural
from ingestor.sources.slices import Slice, cut, whole_days
from ingestor.sources.source import Ask, PayloadStore
from ingestor.sources.survey import Survey, date_of
from ingestor.sources.tally import DAY
from ingestor.vocabulary import Dataset


@dataclass(frozen=True, slots=True)
class _Planned:
    """One file and the chunks that were cut from it."""

    file: Survey
    chunks: tuple[ChunkPlan, ...]


_Keep = Callable[[Survey], PayloadRef]
"""Where a file's bytes will be read: in place, or in the vault."""


def plan_files(source: str, ask: Ask, vault: PayloadStore | None = None) -> JobPlan:
    """Surveys every file that was asked for, and cuts each into chunks.

    Files that some chunk reads are copied into `vault` where the ask says so.

    Raises:
        BadJob: The ask makes no sense for these files.
        CorruptPayload: One of them is damaged, or unlike its delivery's manifest.
    """
    path = checked_path(ask)
    keep = _keeper(ask, vault)
    notes: list[str] = []
    files = of_schemas(find_files(path), ask, notes)
    surveys = surveyed(files)
    check_datasets(surveys, ask)
    proven = check_manifests(surveys, notes)
    context = beside(surveys[0], notes) if path.is_file() else []
    places = _places([*surveys, *context])
    planned = [
        _planned(file, places[file.path], ask, keep, proven=file.path in proven) for file in surveys
    ]
    _note_outside(planned, ask, notes)
    _note_copies(surveys, places, notes)
    _note_symbols(surveys, notes)
    requests = _requests(planned)
    return JobPlan(
        key=_key(source, requests, ask),
        name=ask.name or path.name,
        source=source,
        priority=ask.priority,
        spec=_spec(source, path, ask, planned),
        requests=requests,
        notes=tuple(notes),
    )


def _places(surveys: Sequence[Survey]) -> Mapping[Path, Delivery]:
    """Each file's place in its delivery: files of one folder, dataset and schema."""
    groups: dict[tuple[object, ...], list[Survey]] = defaultdict(list)
    for file in sorted(surveys, key=lambda file: natural(file.path)):
        groups[file.path.parent, file.header.dataset, file.header.schema].append(file)
    places: dict[Path, Delivery] = {}
    for group in groups.values():
        places |= deliveries(group, numbered=table_of(group[0].header.schema).numbered)
    return places


def _planned(file: Survey, place: Delivery, ask: Ask, keep: _Keep, *, proven: bool) -> _Planned:
    start, end = whole_days(file)
    start = start if ask.start is None else max(start, ask.start)
    end = end if ask.end is None else min(end, ask.end)
    if start >= end:
        return _Planned(file, ())
    table = table_of(file.header.schema)
    slices = cut(
        file,
        (start, end),
        table,
        chunk_days=ask.chunk_days,
        most=ask.max_hypertable_chunks,
    )
    partial = _partial(file, place, proven=proven)
    return _Planned(file, tuple(_chunk(file, piece, place, keep, partial) for piece in slices))


def _chunk(file: Survey, piece: Slice, place: Delivery, keep: _Keep, partial: str) -> ChunkPlan:
    before = [other for other in place.predecessors if _meet(other, piece)]
    return ChunkPlan(
        start=piece.start,
        end=piece.end,
        payload=keep(file),
        contents=piece.contents,
        predecessors=tuple(keep(other) for other in before),
        partial=partial,
        last=piece.last,
    )


def _meet(other: Survey, piece: Slice) -> bool:
    """Whether a predecessor has records in the microseconds that a slice spans."""
    span = microseconds(other.index_range)
    mine = microseconds((piece.contents.index_min, piece.contents.index_max))
    return span is not None and mine is not None and span[0] <= mine[1] and mine[0] <= span[1]


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


def _key(source: str, requests: Iterable[RequestPlan], ask: Ask) -> str:
    """Names the resolved job; the same files and days give the same key, in whatever order."""
    lines = sorted(_line(request, chunk) for request in requests for chunk in request.chunks)
    salt = uuid4().hex if ask.force else ""
    if not lines:  # nothing to load: only what was asked tells two such jobs apart
        lines = [json.dumps([str(ask.path), ask.schemas, ask.start, ask.end])]
    return hashlib.sha256("\n".join([source, salt, *lines]).encode()).hexdigest()


def _line(request: RequestPlan, chunk: ChunkPlan) -> str:
    payload, *before = chunk.refs
    return json.dumps([
        request.dataset, request.schema, payload.uri, payload.sha256, chunk.start, chunk.end,
        [[ref.uri, ref.sha256] for ref in before],
    ])  # fmt: skip


def _keeper(ask: Ask, vault: PayloadStore | None) -> _Keep:
    """Says where a file is kept, and copies it there the first time.

    Raises:
        BadJob: Copies are wanted and there is no vault.
    """
    if not ask.to_vault:
        return ref_of
    if vault is None:
        raise BadJob("files are to be copied, and there is no vault", hint="set HDI_VAULT_URL")
    adopt = cache(vault.adopt)
    return lambda file: adopt(ref_of(file))


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


def _note_outside(planned: Sequence[_Planned], ask: Ask, notes: list[str]) -> None:
    outside = [item.file.path.name for item in planned if not item.chunks]
    if outside:
        start = "the beginning" if ask.start is None else date_of(ask.start)
        end = "the end" if ask.end is None else date_of(ask.end)
        notes.append(f"left out, nothing between {start} and {end}: {names(outside)}")


def _note_copies(
    surveys: Iterable[Survey], places: Mapping[Path, Delivery], notes: list[str]
) -> None:
    for file in surveys:
        original = places[file.path].copy_of
        if original is not None:
            notes.append(f"{file.path.name} is a copy of {original.name}: it will be found stored")


def _note_symbols(surveys: Iterable[Survey], notes: list[str]) -> None:
    unknown = sorted({symbol for file in surveys for symbol in file.header.not_found})
    if unknown:
        notes.append(f"the provider found no instrument for {names(unknown)}")
