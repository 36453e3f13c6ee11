"""Files that outlast a power cut once they are there, and are whole or absent until then."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

_FILE_MODE: Final = 0o640
_FOLDER_MODE: Final = 0o750
_PIECE: Final = 1 << 20
FORGOTTEN_S: Final = 7 * 86_400.0
"""Nobody writes to a file that has not changed for so long, whatever this host's clock says."""


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it that are missing, for owner and group only."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Makes a rename in the folder outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Makes the bytes of a file that another wrote outlast it too, and closes it to strangers."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fchmod(descriptor, stat.S_IMODE(os.fstat(descriptor).st_mode) & _FILE_MODE)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_new(path: Path, content: bytes) -> None:
    """Writes a file that must not be there yet."""
    with _created(path) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def copy_new(source: Path, path: Path) -> tuple[str, int]:
    """Copies a file to one that must not be there yet; sha256 and size of what was read."""
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as read, _created(path) as written:
        while piece := read.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            written.write(piece)
        written.flush()
        os.fsync(written.fileno())
    return digest.hexdigest(), size


def measured(path: Path) -> tuple[str, int]:
    """sha256 and size of a file, from one read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()


def unchanged_s(path: Path) -> float:
    """Seconds since the file was written to; below zero where it is gone."""
    with suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime
    return -1.0


def _created(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE), "wb")
