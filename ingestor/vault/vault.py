"""Class Vault: finds, takes in and hands out payloads, wherever they are kept."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urlsplit

from ingestor import failpoint
from ingestor.errors import (
    BadSettings,
    CorruptPayload,
    LocalFault,
    PayloadMissing,
    SourceRefused,
    VaultUnavailable,
)
from ingestor.job import PayloadRef
from ingestor.logs import get_logger
from ingestor.vault import identity
from ingestor.vault.durable import copy_new, make_folder, measured
from ingestor.vault.index import Index
from ingestor.vault.layout import (
    PART,
    SCHEME,
    damaged_name,
    is_kept,
    name_of,
    payload_name,
    suffix_of,
)
from ingestor.vault.local import Folder, reading, writing
from ingestor.vault.remote import Bucket
from ingestor.vault.storage import Storage
from ingestor.vault.temporary import sweep, temporary_name

if TYPE_CHECKING:
    from ingestor.manifest import Manifest, PayloadRequest
    from ingestor.settings import Settings

log = get_logger(__name__)


class Vault:
    """A vault; nothing is read or written until it is used. Blocking; safe in several threads.

    Attributes:
        place: Folder or URL, for people to read.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._index = Index(storage)
        self._id: str | None = None
        self.place = storage.place

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The vault that the settings name.

        Raises:
            BadSettings: It is on another host.
        """
        url = settings.vault_url
        scheme = url.partition("://")[0] if "://" in url else "file"
        if scheme in ("file", "local"):
            return cls(Folder(_folder(url)))
        return cls(Bucket(url, settings.home))

    def identify(self) -> str:
        """The vault's id, made if it is opened for the first time.

        Raises:
            BadSettings: What lies there is no vault of HDI.
            VaultUnavailable: It is another vault than before, or gone: a share that is not mounted
                any more looks like an empty folder.
        """
        found = identity.known(self._storage)
        if found is None and self._id is None:
            found = identity.settled(self._storage)
        return self._same(found)

    def find(self, request: PayloadRequest) -> Manifest | None:
        """The manifest of a payload that answers the request, if its bytes are there too.

        Raises:
            VaultUnavailable: The vault is away: what it holds must not be bought again.
        """
        found = self._index.find(request)
        if found is None:
            self._look_again()
        return found

    def has(self, ref: PayloadRef) -> bool:
        """Whether the payload is where it was recorded, in its size; its bytes are not read.

        Raises:
            SourceRefused: The uri is none that a vault gives.
            VaultUnavailable: The vault does not answer, or is not mounted.
        """
        if not is_kept(ref):
            path = Path(ref.uri)
            with reading(path):
                return path.is_file() and path.stat().st_size == ref.size
        if self._storage.size(name_of(ref)) == ref.size:
            return True
        self._look_again()
        return False

    def manifests(self, ref: PayloadRef) -> Sequence[Manifest]:
        """What stands beside a payload, oldest first: one per request that it answers.

        None stands beside a file that was copied in. The payload itself may be gone.

        Raises:
            SourceRefused: The uri is none that a vault gives.
            VaultUnavailable: The vault does not answer.
        """
        return self._index.beside(name_of(ref))

    def part(self, name: str) -> Path:
        """A local path to download to, in a folder made for it: ``<name>.part``."""
        if not name or "/" in name or name.startswith("."):
            raise SourceRefused(f"{name!r} is no name of a download")
        return self._incoming() / f"{name}{PART}"

    def parts(self, prefix: str) -> Sequence[Path]:
        """Downloads begun under names that begin with `prefix`, oldest first."""
        found = []
        with reading(self._storage.incoming):
            for path in self._storage.incoming.glob(f"*{PART}"):
                if path.name.startswith(prefix):
                    with suppress(FileNotFoundError):
                        found.append((path.stat().st_mtime_ns, path))
        return [path for _, path in sorted(found)]

    def sweep(self) -> int:
        """Removes temporary files of processes that were killed while they wrote; how many.

        Raises:
            VaultUnavailable: The folder cannot be read.
        """
        with reading(self._storage.incoming):
            return sweep(self._storage.incoming)

    def keep(self, part: Path, manifest: Manifest) -> PayloadRef:
        """Takes a checked download in, once, under its sha256; `part` is gone afterwards.

        Until then the part stays, whatever fails: it was paid for, and another attempt finds it.

        Raises:
            CorruptPayload: It is not what the manifest says; it is removed.
            LocalFault: It cannot be written.
        """
        ref = self.ref(manifest)
        self.identify()
        self._take(part, ref)
        failpoint.reach("vault_payload")
        self._index.record(manifest)
        with writing(part):
            part.unlink(missing_ok=True)
        return ref

    def adopt(self, ref: PayloadRef) -> PayloadRef:
        """Copies a file that lies elsewhere in, once; where it is kept.

        Raises:
            CorruptPayload: It changed while it was copied.
            LocalFault: The copy cannot be written.
        """
        if is_kept(ref):
            return ref
        name = payload_name(ref.sha256, suffix_of(ref.uri))
        self.identify()
        if not self._storage.holds(name, ref):
            copy = self._incoming() / temporary_name()
            try:
                with writing(copy):
                    found = copy_new(Path(ref.uri), copy)
                _check(found, ref, f"{ref.uri} changed while it was copied")
                self._storage.take(copy, name)
            finally:
                copy.unlink(missing_ok=True)
        return PayloadRef(f"{SCHEME}{name}", ref.sha256, ref.size)

    def ref(self, manifest: Manifest) -> PayloadRef:
        """Where the payload of a manifest is kept."""
        return manifest.ref(f"{SCHEME}{payload_name(manifest.sha256)}")

    def path(self, ref: PayloadRef) -> Path:
        """A local path of the payload's bytes, fetched from a remote vault where need be.

        Raises:
            PayloadMissing: It is not there.
            CorruptPayload: A remote vault gave other bytes.
            SourceRefused: The uri is none that a vault gives.
            VaultUnavailable: The vault does not answer.
        """
        if not is_kept(ref):
            return Path(ref.uri)
        try:
            return self._storage.local(name_of(ref), ref)
        except PayloadMissing:
            self._look_again()
            raise

    def set_aside(self, ref: PayloadRef) -> None:
        """Moves a damaged payload to ``damaged/``, with its manifests: no request finds it now."""
        name = name_of(ref)
        now = dt.datetime.now(dt.UTC)
        self._storage.move(name, damaged_name(name, now))
        for each in self._storage.names(f"{name.partition('.')[0]}."):
            if each.endswith(".json"):
                self._storage.move(each, damaged_name(each, now))
        log.warning("payload set aside", payload=ref.uri, vault=self.place)

    def _incoming(self) -> Path:
        folder = self._storage.incoming
        with writing(folder):
            make_folder(folder)
        return folder

    def _take(self, part: Path, ref: PayloadRef) -> None:
        """Puts the part's bytes into place; another process may have done it, and removed it."""
        name = name_of(ref)
        try:
            with writing(part):
                found = measured(part)
            _check_part(part, found, ref)
            if not self._storage.holds(name, ref):
                self._storage.take(part, name)
        except LocalFault:
            if part.exists() or not self._storage.holds(name, ref):
                raise

    def _look_again(self) -> None:
        """Tells a vault that does not hold something from one that is away."""
        found = identity.known(self._storage)
        if found is not None or self._id is not None:
            self._same(found)

    def _same(self, found: str | None) -> str:
        if found is None or self._id not in (None, found):
            raise VaultUnavailable(
                f"{socket.gethostname()} finds {'no vault' if found is None else f'vault {found}'} "
                f"at {self.place}; it was {self._id}",
                hint="check that the share is mounted; restart after moving to another vault",
            )
        self._id = found
        return found


def _folder(url: str) -> Path:
    if "://" not in url:
        return Path(url).expanduser().absolute()
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise BadSettings(
            f"HDI_VAULT_URL is {url}: a folder on host {parts.netloc}",
            hint="mount it here, and write file:/// and the path",
        )
    return Path(unquote(parts.path)).absolute()


def _check(found: tuple[str, int], ref: PayloadRef, what: str) -> None:
    if found != (ref.sha256, ref.size):
        raise CorruptPayload(
            f"{what}: sha256 {found[0]}, {found[1]:,} bytes; {ref.sha256}, {ref.size:,} before",
            hint="submit again once nothing writes to the file",
        )


def _check_part(part: Path, found: tuple[str, int], ref: PayloadRef) -> None:
    try:
        _check(found, ref, f"{part} is not what its manifest says")
    except CorruptPayload:
        part.unlink(missing_ok=True)
        raise
