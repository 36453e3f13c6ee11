"""Plans files of any format: the slices of each, which part follows which, the job's key."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final
from uuid import uuid4

from ingestor.errors import BadJob
from ingestor.job import ChunkPlan, PayloadRef, RequestPlan
from ingestor.model import table_of
from ingestor.sources.deliveries import Delivery, deliveries, microseconds, natural
from ingestor.sources.slices import Slice, cut
from ingestor.sources.source import Ask, PayloadStore
from ingestor.sources.survey import date_of
from ingestor.sources.surveyed import Surveyed

_NAMES_IN_A_NOTE: Final = 5

Keep = Callable[[Surveyed], PayloadRef]
"""Where a file's bytes will be read: in place, or in the vault."""


def checked_path(ask: Ask) -> Path:
    """The path that was asked for.

    Raises:
        BadJob: There is none, or the ask holds something that files cannot obey.
    """
    if ask.path is None:
        raise BadJob("no files were named", hint="give --path a file or a folder of them")
    if ask.symbols:
        raise BadJob(
            "--symbols cannot choose within files: a file is loaded whole",
            hint="leave --symbols out; choose symbols when reading",
        )
    if ask.start is not None and ask.end is not None and ask.start >= ask.end:
        raise BadJob(
            f"--end {date_of(ask.end)} is not after --start {date_of(ask.start)}",
            hint="--end is exclusive: give the day after the last",
        )
    if ask.chunk_days is not None and ask.chunk_days < 1:
        raise BadJob(f"--chunk-days is {ask.chunk_days}; at least 1 is needed")
    return ask.path


def places_of(surveys: Sequence[Surveyed]) -> Mapping[Path, Delivery]:
    """Each file's place in its delivery: files of one folder, dataset and schema."""
    groups: dict[tuple[object, ...], list[Surveyed]] = defaultdict(list)
    for file in sorted(surveys, key=lambda file: natural(file.path)):
        groups[file.path.parent, file.dataset, file.schema].append(file)
    places: dict[Path, Delivery] = {}
    for group in groups.values():
        places |= deliveries(group, numbered=table_of(group[0].schema).numbered)
    return places


def chunks_of(
    file: Surveyed, place: Delivery, bounds: tuple[int, int], ask: Ask, keep: Keep, partial: str
) -> tuple[ChunkPlan, ...]:
    """The chunks of one file; none where it holds nothing of the days that were asked for.

    Args:
        bounds: Midnights between which its records are.
        partial: Why it proves no coverage; empty where it does.
    """
    start = bounds[0] if ask.start is None else max(bounds[0], ask.start)
    end = bounds[1] if ask.end is None else min(bounds[1], ask.end)
    if start >= end:
        return ()
    slices = cut(
        file,
        (start, end),
        table_of(file.schema),
        chunk_days=ask.chunk_days,
        most=ask.max_hypertable_chunks,
    )
    return tuple(_chunk(file, piece, place, keep, partial) for piece in slices)


def _chunk(file: Surveyed, piece: Slice, place: Delivery, keep: Keep, partial: str) -> ChunkPlan:
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


def _meet(other: Surveyed, piece: Slice) -> bool:
    """Whether a predecessor has records in the microseconds that a slice spans."""
    span = microseconds(other.index_range)
    mine = microseconds((piece.contents.index_min, piece.contents.index_max))
    return span is not None and mine is not None and span[0] <= mine[1] and mine[0] <= span[1]


def key_of(source: str, requests: Iterable[RequestPlan], ask: Ask) -> str:
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


def keeper(ask: Ask, vault: PayloadStore | None) -> Keep:
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


def ref_of(file: Surveyed) -> PayloadRef:
    """The file as a payload, by the bytes that were surveyed."""
    return PayloadRef(str(file.path), file.sha256, file.size)


def names(of: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    shown = ", ".join(of[:_NAMES_IN_A_NOTE])
    more = len(of) - _NAMES_IN_A_NOTE
    return f"{shown} and {more} more" if more > 0 else shown


def note_outside(outside: Sequence[Surveyed], ask: Ask, notes: list[str]) -> None:
    """Says which files hold nothing of the days that were asked for."""
    if outside:
        start = "the beginning" if ask.start is None else date_of(ask.start)
        end = "the end" if ask.end is None else date_of(ask.end)
        left = names([file.path.name for file in outside])
        notes.append(f"left out, nothing between {start} and {end}: {left}")


def note_copies(
    surveys: Iterable[Surveyed], places: Mapping[Path, Delivery], notes: list[str]
) -> None:
    """Says which files are copies of others."""
    for file in surveys:
        original = places[file.path].copy_of
        if original is not None:
            notes.append(f"{file.path.name} is a copy of {original.name}: it will be found stored")
