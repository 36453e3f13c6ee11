"""One pass over a vendor's file: its header, its records by the piece, the digest of its bytes."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, cast

from ingestor.errors import CorruptPayload
from ingestor.sources.csv_text import Rows, split
from ingestor.sources.csv_walk import DELIMITERS, MOST_RECORD, Record, record_at
from ingestor.sources.parquet_text import MAGIC as PARQUET
from ingestor.sources.parquet_text import parquet_text
from ingestor.sources.payload_file import HashedFile
from ingestor.sources.zstd import Decompressed, check_frames, is_zstd

if TYPE_CHECKING:
    from typing import BinaryIO

_GZIP: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
_PIECE: Final = 1 << 22
_DAMAGED: Final = "fetch or copy the file again"


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """The first record of a file.

    Attributes:
        names: Of the columns, without blanks at their ends; one that has none is ``column 3``.
        line: As it stands in the file, without its line end.
        delimiter: The byte between cells: the one that makes the most columns.
    """

    names: tuple[str, ...]
    line: str
    delimiter: int


class CsvStream:
    """A CSV file, compressed or not, or a Parquet file as CSV; its first bytes tell, not its name.

    Args:
        wanted: The columns to read of a Parquet file; all where None.

    Attributes:
        header: Its header.

    Raises:
        CorruptPayload: It is damaged, or has no header that names each column once.
    """

    def __init__(self, path: Path, wanted: Collection[str] | None = None) -> None:
        self.path = path
        self._file = HashedFile(path)
        try:
            self._pieces = _pieces(path, self._file, wanted)
            self._ended = False
            self._lines = 1
            self._text = self._more(b"").removeprefix(_BOM)
            self.header = self._head()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def rows(self) -> Iterator[Rows]:
        """The records, in pieces of about 4 MiB of text.

        Raises:
            CorruptPayload: The file is damaged, or has a line beyond all bounds.
        """
        columns, delimiter = len(self.header.names), self.header.delimiter
        while True:
            rows, taken = split(self._text, delimiter, columns, last=self._ended)
            self._check(rows, taken)
            if len(rows):
                yield rows
            self._lines += self._text.count(b"\n", 0, taken)
            self._text = self._text[taken:]
            if self._ended:
                return
            self._text = self._more(self._text)

    def seal(self) -> tuple[str, int]:
        """The sha256 and the size of the whole file; reads what is left of it."""
        while self._file.read(_PIECE):
            pass
        return self._file.sha256.hexdigest(), self._file.size

    def _more(self, text: bytes) -> bytes:
        """The text and the next piece of it; the last record gets the line end that it may lack."""
        piece = next(self._pieces, b"")
        if piece:
            return text + piece
        self._ended = True
        return text if not text or text.endswith(b"\n") else text + b"\n"

    def _head(self) -> CsvHeader:
        while (found := parse_header(self._text, self.path)) is None:
            if self._ended or len(self._text) > MOST_RECORD:
                _check_line_ends(self.path, self._text)
                raise CorruptPayload(
                    f"{self.path} {'has no header' if self._text else 'is empty'}: its first line "
                    "must name the columns",
                    hint="give the file a header line, as its vendor describes the columns",
                )
            self._text = self._more(self._text)
        header, taken = found
        self._lines += self._text.count(b"\n", 0, taken)
        self._text = self._text[taken:]
        return header

    def _check(self, rows: Rows, taken: int) -> None:
        lengths = rows.ends - rows.starts
        begin = taken
        if lengths.max(initial=0) > MOST_RECORD:
            begin = int(rows.starts[(lengths > MOST_RECORD).argmax()])
        elif len(self._text) - taken <= MOST_RECORD + len(b"\r\n"):
            return
        line = self._lines + self._text.count(b"\n", 0, begin)
        raise CorruptPayload(
            f"{self.path} has a line without end: line {line:,} has more than {MOST_RECORD:,} "
            "bytes",
            hint="no bar or trade needs as many: look at that line, and give a file without it",
        )


def parse_header(text: bytes, place: Path) -> tuple[CsvHeader, int] | None:
    """The first line that is not empty, and where the records begin; None where none ends.

    Raises:
        CorruptPayload: It is no line of names, each once, in UTF-8.
    """
    start = len(text) - len(text.lstrip(b"\r\n"))
    found = [(record_at(text, start, each), each) for each in DELIMITERS]
    whole = [(*each, delimiter) for each, delimiter in found if each is not None]
    if not whole:
        return None
    record, taken, delimiter = max(whole, key=lambda each: len(each[0].cells))
    return _header(place, text, record, delimiter), taken


def _check_line_ends(path: Path, head: bytes) -> None:
    if b"\r" in head.rstrip(b"\n").replace(b"\r\n", b"").rstrip(b"\r"):
        raise CorruptPayload(
            f"{path} ends its lines with CR alone; LF or CR LF must end them",
            hint="convert its line ends, such as with: tr '\\r' '\\n'",
        )


def _header(path: Path, text: bytes, record: Record, delimiter: int) -> CsvHeader:
    cells = [text[start:end].replace(b'""', b'"') for start, end in record.cells]
    line = text[record.start : record.end]
    _check_line_ends(path, line)
    try:
        found = [cell.decode().strip() for cell in cells]
        told = line.decode()
    except UnicodeDecodeError as error:
        raise CorruptPayload(
            f"the header of {path} is no UTF-8: it holds {error.object[error.start]:#x}",
            hint="convert the file to UTF-8",
        ) from error
    names = tuple(name or f"column {at}" for at, name in enumerate(found, 1))
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice or "\0" in told or not names:
        what = f"names {', '.join(twice)} twice" if twice else "is no line of names"
        raise CorruptPayload(
            f"the header of {path} {what}", hint="each column needs a name of its own"
        )
    return CsvHeader(names, told, delimiter)


def _pieces(path: Path, file: HashedFile, wanted: Collection[str] | None) -> Iterator[bytes]:
    head = file.head()
    if head[:2] == _GZIP:
        return _gunzipped(path, file)
    if is_zstd(head):
        check_frames(path)
        return _decompressed(Decompressed(path, file))
    if head == PARQUET:
        return parquet_text(path, wanted)
    return iter(lambda: file.read(_PIECE), b"")


def _decompressed(content: Decompressed) -> Iterator[bytes]:
    buffer = bytearray(_PIECE)
    while count := content.readinto(memoryview(buffer)):
        yield bytes(buffer[:count])


def _gunzipped(path: Path, file: HashedFile) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=cast("BinaryIO", file)) as content:
        while True:
            try:
                piece = content.read(_PIECE)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise CorruptPayload(f"{path} is damaged: {error}", hint=_DAMAGED) from error
            if not piece:
                return
            yield piece
