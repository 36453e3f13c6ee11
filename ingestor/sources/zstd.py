"""zstd: complete frames proven from their headers, and decompression in bounded memory.

The decompressors at hand end quietly where a file ends: half a file reads as fewer records. So the
frame structure (RFC 8878, section 3.1) is walked first; it costs one small read per 128 kB block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import SEEK_CUR
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from ingestor.errors import CorruptPayload

MAGIC: Final = b"\x28\xb5\x2f\xfd"
_SKIPPABLE: Final = range(0x184D2A50, 0x184D2A60)
_CHECKSUM = 0x04
_SINGLE_SEGMENT = 0x20
_RESERVED_BIT = 0x08
_DICTIONARY_ID_BYTES = (0, 1, 2, 4)
_CONTENT_SIZE_BYTES = (0, 2, 4, 8)
_RLE_BLOCK = 1
_RESERVED_BLOCK = 3
# What `zstd --long` may ask for; a header that asks for more is refused, so no file can take more.
_WINDOW_LIMIT = 1 << 27
_READ_SIZE = 1 << 18
_DAMAGED = "fetch or copy the file again"


class ByteSource(Protocol):
    """What compressed bytes are read from."""

    def read(self, count: int, /) -> bytes: ...


class Readable(Protocol):
    """What fills a buffer; fewer bytes than it holds mean little, none mean the end."""

    def readinto(self, buffer: memoryview, /) -> int: ...


@dataclass(frozen=True, slots=True)
class Frames:
    """What the walk over a file's frames found.

    Attributes:
        count: Data frames; skippable ones are not counted.
        checksummed: Whether every one of them ends with a checksum of its content.
    """

    count: int
    checksummed: bool


def is_zstd(head: bytes) -> bool:
    """Whether a file that begins with `head` (4 bytes or more) holds zstd frames."""
    return head[:4] == MAGIC or int.from_bytes(head[:4], "little") in _SKIPPABLE


def check_frames(path: Path) -> Frames:
    """Proves from the headers alone that `path` ends exactly at the end of a zstd frame.

    Raises:
        CorruptPayload: It ends inside a frame, or holds something else than frames.
    """
    with path.open("rb") as file:
        walk = _Walk(path, file)
        checksummed = [checksum for checksum in walk.frames() if checksum is not None]
    if not checksummed:
        raise CorruptPayload(f"{path} holds no zstd data frame", hint=_DAMAGED)
    return Frames(len(checksummed), all(checksummed))


def check_content(path: Path, *, most: int) -> None:
    """Decompresses all of a file and keeps nothing: checksums are at the end of the content.

    Args:
        most: Bytes that the content may have: one that expands without end is left after so many.

    Raises:
        CorruptPayload: It cannot be decompressed, a checksum differs, or it has more than `most`.
    """
    buffer = memoryview(bytearray(_READ_SIZE))
    seen = 0
    with path.open("rb") as file:
        content = Decompressed(path, file)
        while filled := content.readinto(buffer):
            seen += filled
            if seen > most:
                raise CorruptPayload(
                    f"{path} expands to more than the {most:,} bytes that it may", hint=_DAMAGED
                )


class _Walk:
    """Steps from header to header of one open file."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._size = path.stat().st_size
        self._at = 0

    def frames(self) -> Iterator[bool | None]:
        """Walks each frame; yields whether it has a checksum, None for a skippable one."""
        while self._at < self._size:
            magic = self._take(4)
            if magic == MAGIC:
                yield self._data_frame()
            elif int.from_bytes(magic, "little") in _SKIPPABLE:
                self._skip(int.from_bytes(self._take(4), "little"))
                yield None
            else:
                raise self._corrupt(
                    f"holds {magic.hex()} at byte {self._at - 4}, where a frame begins"
                )

    def _data_frame(self) -> bool:
        descriptor = self._take(1)[0]
        if descriptor & _RESERVED_BIT:
            raise self._corrupt(f"sets a reserved bit in the frame header at byte {self._at - 1}")
        single = bool(descriptor & _SINGLE_SEGMENT)
        content_size = _CONTENT_SIZE_BYTES[descriptor >> 6] or int(single)
        self._take((not single) + _DICTIONARY_ID_BYTES[descriptor & 3] + content_size)
        while not self._block():
            pass
        checksum = bool(descriptor & _CHECKSUM)
        self._skip(4 * checksum)
        return checksum

    def _block(self) -> bool:
        """Steps over one block; True where it was the last of its frame."""
        header = int.from_bytes(self._take(3), "little")
        kind = (header >> 1) & 3
        if kind == _RESERVED_BLOCK:
            raise self._corrupt(f"has a block of the reserved type at byte {self._at - 3}")
        self._skip(1 if kind == _RLE_BLOCK else header >> 3)
        return bool(header & 1)

    def _take(self, count: int) -> bytes:
        taken = self._file.read(count)
        self._at += count
        if len(taken) < count:
            raise self._cut()
        return taken

    def _skip(self, count: int) -> None:
        self._at += count
        if self._at > self._size:
            raise self._cut()
        self._file.seek(count, SEEK_CUR)

    def _cut(self) -> CorruptPayload:
        return self._corrupt(f"ends inside a zstd frame, after {self._size:,} bytes")

    def _corrupt(self, what: str) -> CorruptPayload:
        return CorruptPayload(f"{self._path} {what}", hint=_DAMAGED)


class Decompressed:
    """The content of all frames of a file, as much at a time as the reader's buffer holds.

    However far the content expands, no more than the window and one read is ever in memory.
    """

    def __init__(self, path: Path, file: ByteSource) -> None:
        from zstandard import ZstdDecompressor

        self._path = path
        self._reader = ZstdDecompressor(max_window_size=_WINDOW_LIMIT).stream_reader(
            file,  # type: ignore[arg-type]  # anything that reads will do
            read_size=_READ_SIZE,
            read_across_frames=True,
            closefd=False,
        )

    def readinto(self, buffer: memoryview, /) -> int:
        """Fills `buffer` from its start; 0 at the end.

        Raises:
            CorruptPayload: The content cannot be decompressed, or its checksum differs.
        """
        from zstandard import ZstdError

        try:
            return int(self._reader.readinto(buffer))
        except ZstdError as error:
            raise CorruptPayload(f"{self._path} is damaged: {error}", hint=_DAMAGED) from error
