"""A DBN file, written as a stream: whole under its name, or not there at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from ingestor.dbn.metadata import Header
from ingestor.errors import LocalFault, Usage

SUFFIXES: Final = (".dbn.zst", ".dbn")
"""Endings of names that can be written; the first is compressed."""


def check_target(path: Path, *, overwrite: bool) -> None:
    """Refuses what `DbnWriter` could not put in its place in the end.

    Raises:
        Usage: Another suffix, a folder that is not there, or a file that is.
    """
    if not path.name.endswith(SUFFIXES):
        raise Usage(
            f"{path} is no name of a DBN file; it may end in {' or '.join(SUFFIXES)}",
            hint=f"-o {path.with_suffix('').name or 'x'}{SUFFIXES[0]} writes compressed DBN",
        )
    if not path.parent.is_dir():
        raise Usage(f"the folder {path.parent} does not exist", hint="make it first")
    if path.is_dir():
        raise Usage(f"{path} is a folder", hint="name a file in it")
    if path.exists() and not overwrite:
        raise Usage(f"{path} exists", hint="--overwrite replaces it; or choose another name")


class DbnWriter:
    """Writes beside the target, as ``FILE.part``; takes its place when the block ends well.

    After an error the part is removed, and the target is what it was.

    Attributes:
        size: Bytes of the file, once it is in its place.

    Raises:
        Usage: See `check_target`; or another process writes the same file.
        LocalFault: The disk is full, or something else of this host failed.
    """

    def __init__(self, path: Path, header: Header, *, overwrite: bool = False) -> None:
        check_target(path, overwrite=overwrite)
        self.path = path
        self.size = 0
        self._placed = False
        self._overwrite = overwrite
        self._part = path.with_name(f"{path.name}.part")
        self._header = header

    def __enter__(self) -> Self:
        try:
            self._file = _alone(self._part)
        except OSError as error:
            raise self._fault(error) from error
        try:
            self._file.truncate(0)
            self._stream = self._opened()
            self.write(self._header.encode())
        except BaseException:
            self._drop()
            raise
        return self

    def _opened(self) -> Any:
        if not self.path.name.endswith(SUFFIXES[0]):
            return self._file
        from zstandard import ZstdCompressor

        # Closed in __exit__, after which the file is synced.
        return ZstdCompressor(write_checksum=True).stream_writer(self._file, closefd=False)

    def write(self, records: bytes | memoryview) -> None:
        """Appends whole records, as bytes."""
        try:
            self._stream.write(records)
        except OSError as error:
            raise self._fault(error) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        except OSError as fault:
            raise self._fault(fault) from fault
        finally:
            self._drop()

    def _finish(self) -> None:
        if self._stream is not self._file:
            self._stream.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self.size = self._file.tell()
        check_target(self.path, overwrite=self._overwrite)
        self._part.replace(self.path)
        self._placed = True
        _sync_folder(self.path.parent)

    def _drop(self) -> None:
        """Closes the part, and removes it unless it is in its place. Its lock ends with it."""
        if not self._placed:
            self._part.unlink(missing_ok=True)
        # What a full disk leaves in the buffer belongs to a file that is gone.
        with contextlib.suppress(OSError):
            self._file.close()

    def _fault(self, error: OSError) -> LocalFault:
        return LocalFault(
            f"{self.path} cannot be written: {error.strerror or error}",
            hint="choose another place with -o; nothing was left behind",
        )


def _alone(part: Path) -> IO[bytes]:
    """The part, held by nobody else; one that a killed process left is taken over."""
    file = part.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between the two lines it may have become somebody else's finished file.
        if os.path.samestat(os.fstat(file.fileno()), part.stat()):
            return file
    except (BlockingIOError, FileNotFoundError):
        pass
    file.close()
    raise Usage(
        f"{part} is being written by another process", hint="wait for it, or name another file"
    )


def _sync_folder(folder: Path) -> None:
    """Makes the new name outlive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
