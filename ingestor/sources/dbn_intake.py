"""Takes in the DBN files that a job names: finds, chooses, surveys and compares them."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from ingestor.errors import BadJob, IngestError, UnlikeRequest
from ingestor.model import STORED
from ingestor.sources.dbn_folder import SUFFIXES, check_listed, missing_files, read_manifest
from ingestor.sources.dbn_stream import read_header, read_schema
from ingestor.sources.file_plan import names, ref_of
from ingestor.sources.files import readable, siblings
from ingestor.sources.source import Ask
from ingestor.sources.survey import Survey, one_delivery, survey
from ingestor.steps import counted

# Decompression and hashing release the interpreter; more threads only queue for the rest.
_THREADS: Final = min(4, os.cpu_count() or 1)
# Below this mean size, threads only wait for the interpreter: 0.3 ms a file alone, 0.5 with four.
_SMALL: Final = 1 << 20
_READ: Final = "files read"


def of_schemas(files: Sequence[Path], ask: Ask, notes: list[str]) -> Sequence[Path]:
    """The files of the wanted schemas; of a folder the others are left out, with a note.

    Raises:
        BadJob: None is left.
    """
    if not ask.schemas:
        return files
    wanted = ", ".join(ask.schemas)
    found: dict[Path, str] = {}
    for path in files:
        with readable(path):
            found[path] = read_schema(path) or "mixed"
    kept = [path for path in files if found[path] in ask.schemas]
    if not kept:
        raise BadJob(
            f"{ask.path} holds {', '.join(sorted(set(found.values())))}; {wanted} was asked for",
            hint="name a schema it holds with --schema, or leave --schema out",
        )
    left = Counter(found[path] for path in files if found[path] not in ask.schemas)
    if left:
        kinds = ", ".join(f"{count} of {schema}" for schema, count in sorted(left.items()))
        notes.append(f"left out {left.total()} files of other schemas: {kinds}")
    return kept


def surveyed(files: Sequence[Path]) -> list[Survey]:
    """Every file's survey, in the order given.

    Raises:
        BadJob: One of them holds records that HDI does not store.
        CorruptPayload: One of them is damaged.
    """
    if sum(_size(path) for path in files) < _SMALL * len(files):
        return list(counted(_READ, map(_survey, files), len(files)))
    with ThreadPoolExecutor(_THREADS, "survey") as threads:
        return list(counted(_READ, threads.map(_survey, files), len(files)))


def _size(path: Path) -> int:
    with readable(path):
        return path.stat().st_size


def _survey(path: Path) -> Survey:
    with readable(path):
        try:
            return survey(path)
        except UnlikeRequest as error:
            if read_schema(path) in STORED:
                raise
            raise BadJob(error.message, hint=error.hint) from error


def check_datasets(surveys: Iterable[Survey], ask: Ask) -> None:
    """Holds every file against the dataset that was asked for.

    Raises:
        BadJob: One is of another.
    """
    for file in surveys:
        if ask.dataset is not None and file.header.dataset != ask.dataset:
            raise BadJob(
                f"{file.path} holds {file.header.dataset}; --dataset says {ask.dataset}",
                hint="leave --dataset out, or give --path files of that dataset",
            )


def check_manifests(surveys: Sequence[Survey], notes: list[str]) -> frozenset[Path]:
    """Holds every file against the manifest of its folder, where a delivery brought one.

    Returns the files that a manifest proves to be whole.

    Raises:
        CorruptPayload: Size or hash differ.
    """
    proven: set[Path] = set()
    folders: dict[Path, list[Survey]] = defaultdict(list)
    for file in surveys:
        folders[file.path.parent].append(file)
    for folder, files in folders.items():
        listed, note = read_manifest(folder)
        if note:
            notes.append(note)
        for file in files:
            check_listed(ref_of(file), listed)
            proven |= {file.path} if file.path.name in listed else set()
        if missing := missing_files(folder, listed):
            notes.append(f"{folder}: its manifest also lists {names(missing)}, not here")
    return frozenset(proven)


def beside(file: Survey, notes: list[str]) -> list[Survey]:
    """The parts beside a single file: not loaded, but its ordinals may go on from theirs."""
    found = []
    for path in siblings(file.path, SUFFIXES):
        try:
            if one_delivery(file.header, read_header(path)):
                found.append(survey(path))
        except (IngestError, OSError) as error:
            if not isinstance(error, UnlikeRequest):
                notes.append(f"{path.name} beside it was not looked at: {error}")
    return found
