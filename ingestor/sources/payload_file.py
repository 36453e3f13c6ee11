"""One payload in a file of this host: hashed as it is read, cut to a slice, proven at its end."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from ingestor.errors import CorruptPayload, PayloadMissing, SourceUnavailable, UnlikeRequest
from ingestor.sources.microseconds import MICROSECOND, together
from ingestor.sources.wire import chosen

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.job import Claim, Contents, PayloadRef
    from ingestor.sources.source import PayloadStore
    from ingestor.sources.surveyed import Surveyed
    from ingestor.sources.tally import Window

    Records = npt.NDArray[np.void]
    Pieces = Iterator[tuple[Records, npt.NDArray[np.uint64]]]

IN_VAULT: Final = "vault:"
"""How the uri of a payload begins that the vault keeps."""

# A smaller read costs more than the records in it.
_LEAST_READ: Final = 4_096


class HashedFile:
    """A file that hashes and counts whatever is read from it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self.sha256 = sha256()
        self.size = 0

    def head(self) -> bytes:
        """The first four bytes, not counted as read."""
        head = self._file.read(4)
        self._file.seek(0)
        return head

    def read(self, count: int) -> bytes:
        """Up to `count` bytes; none at the end."""
        taken = self._file.read(count)
        self.sha256.update(taken)
        self.size += len(taken)
        return taken

    def readinto(self, buffer: memoryview, /) -> int:
        """Fills `buffer` from its start; 0 at the end."""
        count = self._file.readinto(buffer) or 0
        self.sha256.update(buffer[:count])
        self.size += count
        return count

    def close(self) -> None:
        self._file.close()


class Stream(Protocol):
    """A payload being read."""

    path: Path

    def arrays(self, count: int) -> Iterator[Records]:
        """Its records in delivery order, in arrays of about `count`."""
        ...

    def seal(self) -> tuple[str, int]:
        """The sha256 and the size of the whole file; reads what is left of it."""
        ...


def sliced(
    stream: Stream,
    ref: PayloadRef,
    window: Window,
    index_column: str,
    *,
    ordered: bool,
    count: int,
) -> Pieces:
    """The records of `window` in delivery order, with their places in the payload.

    Arrays of about `count` records, none of which ends inside an index microsecond. Nothing may be
    committed before the iterator has ended: only its end proves the sha256 of what was read.

    Args:
        ordered: Whether the index timestamp never decreases in the whole payload: reading then
            stops after the window, and the rest is only hashed.

    Raises:
        CorruptPayload: The bytes are not those of `ref`; raised after the last array.
    """
    arrays = stream.arrays(max(count, _LEAST_READ))
    yield from together(_inside(arrays, window, index_column, ordered), index_column, count)
    check_same(stream.path, stream.seal()[0], ref)


def _inside(arrays: Iterator[Records], window: Window, index_column: str, ordered: bool) -> Pieces:
    place = 0
    for records in arrays:
        index = records[index_column]
        positions = np.arange(place, place + len(records), dtype=np.uint64)
        place += len(records)
        inside = window.rows(index)
        if inside is None:
            yield records, positions
        elif inside.any():
            yield chosen(records, inside), positions[inside]
        elif ordered and not window.last and int(index.min()) >= window.end:
            return


@contextmanager
def visible(path: Path, ref: PayloadRef) -> Iterator[None]:
    """Translates what this host's file system says of a payload's path.

    Raises:
        PayloadMissing: This host cannot see or read it.
        SourceUnavailable: The disk or share does not answer.
    """
    host = socket.gethostname()
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
        raise PayloadMissing(
            f"{host} cannot see {path}: {error.strerror}",
            hint="look whether something cleans up the vault"
            if _kept(ref)
            else "share the folder with every worker under the same path, or submit again with "
            "--copy-to-vault and a vault that all workers share",
        ) from error
    except OSError as error:
        raise SourceUnavailable(
            f"{host} cannot read {path}: {error.strerror}",
            hint="check the disk or the share it is on",
        ) from error


def local_path(ref: PayloadRef, vault: PayloadStore | None) -> Path:
    """Where the bytes of a payload are on this host.

    Raises:
        PayloadMissing: The vault keeps it, and there is none or it does not have it.
    """
    if not _kept(ref):
        return Path(ref.uri)
    if vault is None:
        raise PayloadMissing(
            f"{ref.uri} is kept in a vault; this process was given none",
            hint="set HDI_VAULT_URL to the vault of whoever submitted it",
        )
    return vault.path(ref)


def check_size(path: Path, ref: PayloadRef) -> None:
    """Compares sizes: the cheap half of the check.

    Raises:
        CorruptPayload: It has another size than was recorded.
    """
    size = path.stat().st_size
    if size != ref.size:
        raise _changed(path, f"{size:,} bytes, {ref.size:,} then", ref)


def check_same(path: Path, digest: str, ref: PayloadRef) -> None:
    """Compares digests.

    Raises:
        CorruptPayload: The bytes of `path` have another sha256 than was recorded.
    """
    if digest != ref.sha256:
        raise _changed(path, f"sha256 {digest}, {ref.sha256} then", ref)


def check_count(found: Surveyed, claim: Claim, *, hint: str = "submit the file again") -> None:
    """The slice holds as many records as were planned.

    Raises:
        UnlikeRequest: It does not.
    """
    if found.contents.records != claim.expected:
        raise UnlikeRequest(
            f"{found.path} holds {found.contents.records:,} records of chunk {claim.chunk_id}; "
            f"{claim.expected:,} were planned",
            hint=hint,
        )


def ordered_after(before: Sequence[Surveyed], contents: Contents) -> Contents:
    """The contents, out of order where a predecessor reaches beyond their first microsecond."""
    first = contents.index_min
    if first is None:
        return contents
    reach = max((file.index_range[1] for file in before if file.index_range), default=0)
    in_order = reach // MICROSECOND <= first // MICROSECOND
    return replace(contents, ordered=contents.ordered and in_order)


def _changed(path: Path, how: str, ref: PayloadRef) -> CorruptPayload:
    if _kept(ref):
        return CorruptPayload(
            f"{path} changed since the vault took it in: {how}",
            hint="check the vault's disk; what is damaged must be fetched or submitted again",
        )
    return CorruptPayload(
        f"{path} changed since it was submitted: {how}", hint="submit it again as it is now"
    )


def _kept(ref: PayloadRef) -> bool:
    return ref.uri.startswith(IN_VAULT)
