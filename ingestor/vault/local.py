"""A vault in a folder: of this host, or of a file system that several hosts share."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ingestor.errors import LocalFault, PayloadMissing, VaultUnavailable
from ingestor.vault.durable import (
    copy_new,
    make_folder,
    measured,
    sync_file,
    sync_folder,
    write_new,
)
from ingestor.vault.temporary import temporary_name

if TYPE_CHECKING:
    from ingestor.job import PayloadRef

# What file systems without hard links say, and the kernel of a file of another user or disk.
_NO_LINKS: Final = {
    errno.EPERM,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.EMLINK,
    errno.EXDEV,
}
_ABSENT: Final = (FileNotFoundError, NotADirectoryError)


class Folder:
    """Storage in a folder. Everything is written under `incoming` and renamed from there."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.place = str(root)
        self.incoming = root / "incoming"

    def size(self, name: str) -> int | None:
        with reading(self._root / name):
            try:
                return (self._root / name).stat().st_size
            except _ABSENT:
                return None

    def read(self, name: str) -> bytes | None:
        with reading(self._root / name):
            try:
                return (self._root / name).read_bytes()
            except _ABSENT:
                return None

    def write(self, name: str, content: bytes) -> None:
        with self._writing(name) as (temporary, target):
            write_new(temporary, content)
            temporary.replace(target)
            sync_folder(target.parent)

    def create(self, name: str, content: bytes) -> None:
        with self._writing(name) as (temporary, target), suppress(FileExistsError):
            write_new(temporary, content)
            try:
                os.link(temporary, target)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                write_new(target, content)  # one succeeds here, too, but is seen while it writes
            sync_folder(target.parent)

    def take(self, part: Path, name: str) -> None:
        """Links, so that the part stays until whoever takes it in has recorded it."""
        with self._writing(name) as (temporary, target):
            sync_file(part)
            try:
                os.link(part, temporary)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                copy_new(part, temporary)
            temporary.replace(target)
            sync_folder(target.parent)

    def holds(self, name: str, ref: PayloadRef) -> bool:
        with reading(self._root / name):
            try:
                return measured(self._root / name) == (ref.sha256, ref.size)
            except _ABSENT:
                return False

    def remove(self, name: str) -> None:
        with writing(self._root / name), suppress(*_ABSENT):
            (self._root / name).unlink()

    def move(self, name: str, to: str) -> None:
        target = self._root / to
        with writing(target), suppress(FileNotFoundError):
            make_folder(target.parent)
            (self._root / name).rename(target)
            sync_folder(target.parent)

    def names(self, prefix: str) -> Sequence[str]:
        folder, _, start = prefix.rpartition("/")
        with reading(self._root / folder):
            try:
                found = sorted(path.name for path in (self._root / folder).iterdir())
            except _ABSENT:
                return []
        return [f"{folder}/{name}" for name in found if name.startswith(start)]

    def local(self, name: str, ref: PayloadRef) -> Path:
        path = self._root / name
        try:
            with reading(path):
                path.stat()
        except (*_ABSENT, LocalFault) as error:
            raise missing(str(path)) from error
        return path

    @contextmanager
    def _writing(self, name: str) -> Iterator[tuple[Path, Path]]:
        """A temporary name and the final one; nothing is left under the first."""
        target = self._root / name
        temporary = self.incoming / temporary_name()
        with writing(target):
            make_folder(self.incoming)
            make_folder(target.parent)
            try:
                yield temporary, target
            finally:
                temporary.unlink(missing_ok=True)


def missing(where: str) -> PayloadMissing:
    """The error for a payload that is not where it was kept."""
    return PayloadMissing(
        f"{socket.gethostname()} cannot see {where}",
        hint="check that HDI_VAULT_URL is that of the other workers, and the share is mounted; "
        "what is gone must be fetched or submitted again",
    )


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Translates what the file system says of a read, but for what is not there.

    Raises:
        LocalFault: This user may not read it.
        VaultUnavailable: The disk or share does not answer.
    """
    try:
        yield
    except _ABSENT:
        raise
    except PermissionError as error:
        raise LocalFault(
            f"{path} may not be read by this user on {socket.gethostname()}",
            hint="change its owner or mode, or run as another user",
        ) from error
    except OSError as error:
        raise VaultUnavailable(
            f"{socket.gethostname()} cannot read {path}: {error.strerror}",
            hint="check the disk or the share that the vault is on",
        ) from error


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Translates what the file system says of a write.

    Raises:
        LocalFault: It cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise LocalFault(
            f"{socket.gethostname()} cannot write {path}: {error.strerror}",
            hint="check the space, and the owner of the vault's folder",
        ) from error
