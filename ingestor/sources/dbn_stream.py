"""One pass over a DBN file: header, whole records of one kind, and the digest of its bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ingestor import dbn
from ingestor.errors import CorruptPayload
from ingestor.sources.payload_file import HashedFile
from ingestor.sources.zstd import Decompressed, Readable, is_zstd

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_DRAIN_BYTES = 1 << 20


class DbnStream:
    """A DBN file being read, compressed or not (its first bytes tell, not its name).

    Attributes:
        header: Its metadata.
        layout: Wire dtype of its records.

    Raises:
        CorruptPayload: It is no DBN, damaged, of mixed records, or ends inside a record.
        UnlikeRequest: HDI stores no records of its schema.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = HashedFile(path)
        try:
            self._content: Readable = self._file
            if is_zstd(self._file.head()):
                self._content = Decompressed(path, self._file)
            self.header = dbn.decode_header(read_metadata(self._content, path), path)
        except BaseException:
            self._file.close()
            raise
        self.layout = dbn.layout(self.header.schema, self.header.version)
        self._word = dbn.rtype(self.header.schema) << 8 | self.layout.itemsize // 4

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def arrays(self, count: int) -> Iterator[npt.NDArray[np.void]]:
        """The records in file order, in fresh arrays of `count`; the last may hold fewer."""
        import numpy as np

        width = self.layout.itemsize
        done = 0
        while True:
            buffer = np.empty(count * width, np.uint8)
            filled = _fill(self._content, memoryview(buffer.data))
            whole, rest = divmod(filled, width)
            if rest:
                raise CorruptPayload(
                    f"{self.path} ends inside record {done + whole}: {rest} bytes of {width}",
                    hint="fetch or copy the file again",
                )
            if whole:
                records = buffer[:filled].view(self.layout)
                self._check(records, done)
                yield records
            done += whole
            if whole < count:
                return

    def seal(self) -> tuple[str, int]:
        """The sha256 and the size of the whole file; reads what is left of it."""
        while self._file.read(_DRAIN_BYTES):
            pass
        return self._file.sha256.hexdigest(), self._file.size

    def _check(self, records: npt.NDArray[np.void], done: int) -> None:
        """Every record begins with the length and the rtype of the schema (two bytes)."""
        words = records.view("<u2").reshape(len(records), -1)[:, 0]
        right = words == self._word
        if right.all():
            return
        at = int(right.argmin())
        length, rtype = int(words[at]) & 0xFF, int(words[at]) >> 8
        schema = self.header.schema
        raise CorruptPayload(
            f"record {done + at} of {self.path} has rtype {rtype} ({dbn.rtype_name(rtype)}) and "
            f"{length * 4} bytes; {schema} records have rtype {dbn.rtype(schema)} and "
            f"{self.layout.itemsize} bytes: mixed records or damage",
            hint="split the file by schema with Databento's `dbn` tool, or fetch it again",
        )


def read_header(path: Path) -> dbn.DbnHeader:
    """The header of a file, without its records.

    Raises:
        CorruptPayload: It is no DBN, damaged, a live recording or has ts_out.
        UnlikeRequest: HDI stores no records of its schema.
    """
    with DbnStream(path) as stream:
        return stream.header


def read_schema(path: Path) -> str | None:
    """Name of a file's schema, supported or not; None for a live recording.

    Raises:
        CorruptPayload: It is no DBN, or damaged.
    """
    file = HashedFile(path)
    try:
        content = Decompressed(path, file) if is_zstd(file.head()) else file
        return dbn.decode_schema(read_metadata(content, path), path)
    finally:
        file.close()


def read_metadata(content: Readable, path: Path) -> bytes:
    """Prefix and metadata, as they stand at the head of a DBN stream.

    Raises:
        CorruptPayload: This is no DBN, or ends inside its metadata.
    """
    prefix = _take(content, dbn.PREFIX_BYTES)
    size = dbn.metadata_size(prefix, path)
    metadata = _take(content, size)
    if len(metadata) < size:
        raise dbn.truncated(path)
    return prefix + metadata


def _take(content: Readable, count: int) -> bytes:
    """Up to `count` bytes, grown as they come: a false length costs no memory by itself."""
    taken = bytearray()
    while len(taken) < count:
        piece = bytearray(min(count - len(taken), _DRAIN_BYTES))
        filled = _fill(content, memoryview(piece))
        taken += piece[:filled]
        if filled < len(piece):
            break
    return bytes(taken)


def _fill(content: Readable, buffer: memoryview) -> int:
    """Fills `buffer`, however small the pieces are that come; less only at the end."""
    filled = 0
    while filled < len(buffer):
        count = content.readinto(buffer[filled:])
        if not count:
            break
        filled += count
    return filled
