"""A vault in an object store, or on anything else that fsspec reaches.

Object stores make an object visible once it is complete; elsewhere it is sent under a temporary
name and renamed. An upload to S3 that its process did not survive is no object, but its parts cost
money until a lifecycle rule of the bucket (AbortIncompleteMultipartUpload) removes them.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ingestor.errors import BadSettings, CorruptPayload, IngestError, LocalFault, VaultUnavailable
from ingestor.vault.durable import make_folder, measured, sync_file, sync_folder
from ingestor.vault.local import missing, writing
from ingestor.vault.temporary import temporary_name

if TYPE_CHECKING:
    from ingestor.job import PayloadRef

_OBJECT_STORES: Final = frozenset(
    {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oci", "oss", "memory"}
)
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_EXTRAS: Final = {"s3": "s3", "s3a": "s3"}
"""The extra of hist-data-ingestor that brings a protocol's package."""


class Bucket:
    """Storage behind a URL. Blocking; safe to use from several threads and after a fork."""

    def __init__(self, url: str, home: Path) -> None:
        self.place = url.rstrip("/")
        self.incoming = home / "incoming"
        self._cache = home / "cache"
        self._protocol = url.partition("://")[0]
        self._opened: tuple[int, Any, str] | None = None

    def size(self, name: str) -> int | None:
        with self._answering(name):
            fs, path = self._at(name)
            try:
                fs.invalidate_cache()
                return int(fs.info(path)["size"])
            except FileNotFoundError:
                return None

    def read(self, name: str) -> bytes | None:
        with self._answering(name):
            fs, path = self._at(name)
            try:
                content: bytes = fs.cat_file(path)
            except FileNotFoundError:
                return None
            return content

    def write(self, name: str, content: bytes) -> None:
        with self._answering(name):
            fs, _ = self._at(name)
            self._whole(name, lambda path: fs.pipe_file(path, content))

    def create(self, name: str, content: bytes) -> None:
        """Who comes second is told so in as many ways as there are stores: a look decides."""
        with self._answering(name):
            fs, path = self._at(name)
            if fs.exists(path):
                return
            self._make_folder(fs, path)
            try:
                fs.pipe_file(path, content, mode="create")
            except Exception:
                fs.invalidate_cache()
                if not fs.exists(path):
                    raise

    def take(self, part: Path, name: str) -> None:
        with writing(part):
            sync_file(part)
            size = part.stat().st_size
        with self._answering(name):
            fs, _ = self._at(name)
            self._whole(name, lambda path: fs.put_file(str(part), path))
        sent = self.size(name)
        if sent != size:
            self.remove(name)
            raise VaultUnavailable(
                f"{self.place}/{name} has {sent} bytes after {size:,} were sent",
                hint="it is sent again",
            )

    def holds(self, name: str, ref: PayloadRef) -> bool:
        return self.size(name) == ref.size

    def remove(self, name: str) -> None:
        with self._answering(name), suppress(FileNotFoundError):
            fs, path = self._at(name)
            fs.rm_file(path)

    def move(self, name: str, to: str) -> None:
        with self._answering(name), suppress(FileNotFoundError):
            fs, path = self._at(name)
            _, target = self._at(to)
            self._make_folder(fs, target)
            fs.mv(path, target)

    def names(self, prefix: str) -> Sequence[str]:
        folder, _, start = prefix.rpartition("/")
        with self._answering(folder):
            fs, path = self._at(folder)
            fs.invalidate_cache()
            try:
                found = sorted(each.rpartition("/")[2] for each in fs.ls(path, detail=False))
            except FileNotFoundError:
                return []
        return [f"{folder}/{name}" for name in found if name.startswith(start)]

    def local(self, name: str, ref: PayloadRef) -> Path:
        """The cached copy, if it is sound: a damaged one says nothing of the payload itself."""
        path = self._cache / ref.sha256[:2] / name.rpartition("/")[2]
        with writing(path):
            if path.is_file() and measured(path) == (ref.sha256, ref.size):
                return path
            make_folder(path.parent)
            make_folder(self.incoming)
        temporary = self.incoming / temporary_name()
        try:
            self._downloaded(name, temporary, ref)
            with writing(path):
                sync_file(temporary)
                temporary.replace(path)
                sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)
        return path

    def _downloaded(self, name: str, temporary: Path, ref: PayloadRef) -> None:
        """Damage is believed at the second download only: the first may have gone wrong."""
        self._download(name, temporary)
        try:
            _check(temporary, ref, f"{self.place}/{name}")
        except CorruptPayload:
            self._download(name, temporary)
            _check(temporary, ref, f"{self.place}/{name}")

    def _download(self, name: str, path: Path) -> None:
        if self.size(name) is None:
            raise missing(f"{self.place}/{name}")
        with self._answering(name):
            fs, source = self._at(name)
            fs.get_file(source, str(path))

    def _whole(self, name: str, send: Callable[[str], None]) -> None:
        fs, path = self._at(name)
        if self._protocol in _OBJECT_STORES:
            send(path)
            return
        self._make_folder(fs, path)
        temporary = f"{path}.{temporary_name()}"
        try:
            send(temporary)
            fs.mv(temporary, path)
        finally:
            with suppress(FileNotFoundError):
                fs.rm_file(temporary)

    def _make_folder(self, fs: Any, path: str) -> None:
        if self._protocol not in _OBJECT_STORES:  # there, it would make buckets
            fs.makedirs(path.rpartition("/")[0], exist_ok=True)

    def _at(self, name: str) -> tuple[Any, str]:
        """The file system, opened once in each process, and where it has `name`."""
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = (os.getpid(), *self._open())
        _, fs, root = self._opened
        return fs, f"{root}/{name}"

    def _open(self) -> tuple[Any, str]:
        import fsspec

        try:
            fs, root = fsspec.core.url_to_fs(self.place, skip_instance_cache=True)
        except ImportError as error:
            extra = _EXTRAS.get(self._protocol)
            raise BadSettings(
                f"HDI_VAULT_URL is {self.place}; the package for {self._protocol}:// is missing",
                hint=f"pip install 'hist-data-ingestor[{extra}]'" if extra else str(error),
            ) from error
        except ValueError as error:
            raise BadSettings(
                f"HDI_VAULT_URL is {self.place}; fsspec knows no {self._protocol}://",
                hint="name a folder, or a URL that fsspec understands",
            ) from error
        return fs, root

    @contextmanager
    def _answering(self, name: str) -> Iterator[None]:
        """Translates what comes out of fsspec and the libraries below it.

        Raises:
            LocalFault: This host's credentials do not allow it, or its disk is full.
            VaultUnavailable: Anything else.
        """
        host, what = socket.gethostname(), f"{self.place}/{name}"
        try:
            yield
        except IngestError:
            raise
        except PermissionError as error:
            raise LocalFault(
                f"{host} may not do this with {what}",
                hint="check the credentials of this host, and what they allow",
            ) from error
        except OSError as error:
            if error.errno in _FULL:
                raise LocalFault(
                    f"{host} has no room for {what}: {error.strerror}", hint="make room in HDI_HOME"
                ) from error
            raise _away(what, error) from error
        except Exception as error:  # each protocol's package has errors of its own
            raise _away(what, error) from error


def _away(what: str, error: Exception) -> VaultUnavailable:
    return VaultUnavailable(
        f"{socket.gethostname()} gets no answer for {what}: {type(error).__name__}",
        hint="check address, network and credentials of the vault",
    )


def _check(path: Path, ref: PayloadRef, what: str) -> None:
    with writing(path):
        sha256, size = measured(path)
    if (sha256, size) != (ref.sha256, ref.size):
        raise CorruptPayload(
            f"{what} has sha256 {sha256} and {size:,} bytes; {ref.sha256} and {ref.size:,} were "
            "taken in",
            hint="it must be fetched or submitted again",
        )
