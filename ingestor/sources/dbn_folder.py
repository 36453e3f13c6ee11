"""A folder of DBN files: which ones there are, and what its manifest says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingestor.errors import BadJob, CorruptPayload, SourceUnavailable
from ingestor.job import PayloadRef
from ingestor.sources.deliveries import natural

SUFFIXES: Final = (".dbn", ".dbn.zst")
MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class Listed:
    """What a delivery's manifest says of one file; `sha256` is empty where it says nothing."""

    size: int
    sha256: str


def find_files(path: Path) -> list[Path]:
    """The DBN files at `path`, a file or a folder with all below it, in natural order.

    Raises:
        BadJob: There is nothing of that name, or no DBN file in it.
    """
    with readable(path):
        if not path.exists():
            raise BadJob(f"there is no {path}", hint="give --path a DBN file or a folder of them")
        if path.is_file():
            return [_nameable(path.absolute())]
        found = [file.absolute() for file in path.rglob("*") if is_dbn_name(file)]
        files = sorted((file for file in found if file.is_file()), key=natural)
    if not files:
        raise BadJob(
            f"no .dbn or .dbn.zst files in {path}", hint="give --path a DBN file or their folder"
        )
    return [_nameable(file) for file in files]


def _nameable(path: Path) -> Path:
    """The ledger is UTF-8; a name of other bytes could not be found again."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise BadJob(f"the name of {path!a} is not UTF-8", hint="rename the file") from None
    return path


def is_dbn_name(path: Path) -> bool:
    """Whether the name ends as DBN files' names do; hidden files are other programs' own."""
    return path.name.endswith(SUFFIXES) and not path.name.startswith(".")


def siblings(path: Path) -> list[Path]:
    """The other DBN files of a file's own folder, in natural order."""
    found = [other for other in path.parent.iterdir() if is_dbn_name(other) and other != path]
    return sorted((other for other in found if other.is_file()), key=natural)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Translates what the file system says while a job is planned.

    Raises:
        BadJob: The path is missing or may not be read.
        SourceUnavailable: The disk or share does not answer.
    """
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BadJob(f"there is no {error.filename or path}", hint="check --path") from error
    except PermissionError as error:
        raise BadJob(
            f"{error.filename or path} may not be read by this user",
            hint="change its owner or mode, or run as another user",
        ) from error
    except OSError as error:
        raise SourceUnavailable(
            f"{error.filename or path} cannot be read: {error.strerror}",
            hint="check the disk or the share it is on",
        ) from error


def read_manifest(folder: Path) -> tuple[Mapping[str, Listed], str]:
    """What a Databento batch delivery says of its files, and a note where it cannot be used.

    A plain .dbn that was cut on a record boundary is sound in itself; only the manifest tells.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return {}, ""
    try:
        entries = json.loads(path.read_bytes())["files"]
        listed = {
            str(entry["filename"]): Listed(int(entry["size"]), _sha256(str(entry.get("hash", ""))))
            for entry in entries
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}, f"{path} is no Databento manifest; sizes and hashes were not compared"
    return listed, ""


def _sha256(told: str) -> str:
    """The digest in ``sha256:…``; empty for another kind of hash."""
    kind, _, digest = told.partition(":")
    return digest.lower() if kind == "sha256" else ""


def check_listed(ref: PayloadRef, listed: Mapping[str, Listed]) -> None:
    """Compares a file with its line in the manifest.

    Raises:
        CorruptPayload: Size or hash differ.
    """
    told = listed.get(Path(ref.uri).name)
    if told is None:
        return
    hint = "download the file again"
    if told.size != ref.size:
        raise CorruptPayload(
            f"{ref.uri} has {ref.size:,} bytes; the delivery's {MANIFEST} says {told.size:,}",
            hint=hint,
        )
    if told.sha256 and told.sha256 != ref.sha256:
        raise CorruptPayload(
            f"{ref.uri} has sha256 {ref.sha256}; the delivery's {MANIFEST} says {told.sha256}",
            hint=hint,
        )


def missing_files(folder: Path, listed: Mapping[str, Listed]) -> Sequence[str]:
    """DBN files that the manifest lists and the folder does not hold."""
    return [name for name in listed if name.endswith(SUFFIXES) and not (folder / name).is_file()]
