"""Reads a slice of a DBN payload, and proves at its end that the bytes were the right ones."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestor.errors import CorruptPayload, PayloadMissing, SourceUnavailable
from ingestor.sources.dbn_stream import DbnStream
from ingestor.sources.microseconds import together
from ingestor.sources.wire import chosen

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.job import PayloadRef
    from ingestor.sources.tally import Window

    Pieces = Iterator[tuple[npt.NDArray[np.void], npt.NDArray[np.uint64]]]

IN_VAULT: Final = "vault:"
"""How the uri of a payload begins that the vault keeps."""

# A smaller read costs more than the records in it.
_LEAST_READ: Final = 4_096


def slice_records(
    path: Path, ref: PayloadRef, window: Window, index_column: str, *, ordered: bool, count: int
) -> Pieces:
    """The records of `window` in delivery order, with their places in the payload.

    Arrays of about `count` records, none of which ends inside an index microsecond. Nothing may be
    committed before the iterator has ended: only its end proves the sha256 of what was read.

    Args:
        path: Where the bytes of `ref` are on this host.
        ordered: Whether the index timestamp never decreases in the whole payload: reading then
            stops after the window, and the rest is only hashed.

    Raises:
        CorruptPayload: The bytes are not those of `ref`; raised after the last array.
        PayloadMissing: This host cannot see or read the path.
        SourceUnavailable: The disk or share does not answer.
    """
    with visible(path, ref), DbnStream(path) as stream:
        arrays = stream.arrays(max(count, _LEAST_READ))
        yield from together(_inside(arrays, window, index_column, ordered), index_column, count)
        check_same(path, stream.seal()[0], ref)


def _inside(
    arrays: Iterator[npt.NDArray[np.void]], window: Window, index_column: str, ordered: bool
) -> Pieces:
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


def check_size(path: Path, ref: PayloadRef) -> None:
    """Compares sizes: the cheap half of the check.

    Raises:
        CorruptPayload: It has another size than was recorded.
    """
    size = path.stat().st_size
    if size != ref.size:
        raise _changed(path, f"{size:,} bytes, {ref.size:,} then", ref)


def check_same(path: Path, sha256: str, ref: PayloadRef) -> None:
    """Compares digests.

    Raises:
        CorruptPayload: The bytes of `path` have another sha256 than was recorded.
    """
    if sha256 != ref.sha256:
        raise _changed(path, f"sha256 {sha256}, {ref.sha256} then", ref)


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
