"""DBN files read for serving: any schema, any version, a bounded number of records at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, cast

import numpy as np

from ingestor.dbn import index_field, layout
from ingestor.errors import BadSettings
from ingestor.simulator.calendar import number
from ingestor.simulator.market import DAY
from ingestor.simulator.symbology import Stretch

if TYPE_CHECKING:
    from databento_dbn import Metadata

    from ingestor.simulator.messages import Records

BATCH: Final = 65_536
_PREFIX: Final = 8
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True)
class DbnContent:
    """One DBN file.

    Attributes:
        start: First index timestamp that was asked for, UTC nanoseconds.
        end: Exclusive.
        named: By symbol type, then by symbol: which ids it had.
        skip: Bytes of the content that come before the first record.
    """

    path: Path
    dataset: str
    schema: str
    version: int
    start: int
    end: int
    named: Mapping[str, Mapping[str, tuple[Stretch, ...]]]
    skip: int

    @property
    def days(self) -> range:
        return range(self.start // DAY, -(-self.end // DAY))

    def records(self) -> Iterator[Records]:
        """All records, in the file's order."""
        with _content(self.path) as content:
            _read(content, self.skip)
            yield from _records(content, self.schema, self.version)


def read_content(path: Path) -> DbnContent:
    """The metadata of a file, and what else serving it needs to know.

    Raises:
        BadSettings: It is damaged, a live recording, or has ts_out.
    """
    import databento_dbn
    from zstandard import ZstdError

    with _content(path) as content:
        try:
            prefix = content.read(_PREFIX)
            rest = _read(content, int.from_bytes(prefix[4:], "little"))
            metadata = databento_dbn.Metadata.decode(prefix + rest)
        except (databento_dbn.DBNError, ZstdError) as error:
            raise BadSettings(f"{path} cannot be served: {error}", hint=_HINT) from error
        if metadata.schema is None or metadata.ts_out:
            raise BadSettings(f"{path} cannot be served: it is a live recording", hint=_HINT)
        schema = str(metadata.schema)
        end = metadata.end or _end_of(content, schema, prefix[3])
    return DbnContent(
        path=path,
        dataset=metadata.dataset,
        schema=schema,
        version=prefix[3],
        start=metadata.start,
        end=end,
        named=_named(metadata),
        skip=_PREFIX + len(rest),
    )


_HINT: Final = "put only sound historical DBN files into the folder"


def _end_of(content: IO[bytes], schema: str, version: int) -> int:
    """Midnight after the last record, for files that were asked for without an end."""
    field = index_field(schema, version)
    last = max((int(each[field].max()) for each in _records(content, schema, version)), default=0)
    return (last // DAY + 1) * DAY


def _records(content: IO[bytes], schema: str, version: int) -> Iterator[Records]:
    wire = layout(schema, version)
    while part := _read(content, BATCH * wire.itemsize):
        yield np.frombuffer(part, wire, count=len(part) // wire.itemsize)


def _read(content: IO[bytes], size: int) -> bytes:
    """As many bytes as asked, fewer only at the end: a reader may give less at a time."""
    parts: list[bytes] = []
    while size > 0 and (part := content.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


@contextmanager
def _content(path: Path) -> Iterator[IO[bytes]]:
    from zstandard import ZstdDecompressor

    with path.open("rb") as file:
        compressed = file.read(len(_ZSTD)) == _ZSTD
        file.seek(0)
        if not compressed:
            yield file
            return
        reader = ZstdDecompressor().stream_reader(file, read_across_frames=True)
        yield cast("IO[bytes]", reader)


def _named(metadata: Metadata) -> Mapping[str, Mapping[str, tuple[Stretch, ...]]]:
    """Raw symbols, families and continuous symbols of one file's mappings."""
    stype = str(metadata.stype_in)
    mapped = {
        symbol: tuple(
            Stretch(
                number(each["start_date"]), number(each["end_date"]), symbol, int(each["symbol"])
            )
            for each in intervals
            if each["symbol"].isdigit()
        )
        for symbol, intervals in metadata.mappings.items()
    }
    if stype != "parent":
        return {stype: mapped} if stype in ("raw_symbol", "continuous") else {}
    families = {
        parent: tuple(
            each
            for symbol, stretches in mapped.items()
            if len(metadata.symbols) == 1 or symbol.startswith(parent.partition(".")[0])
            for each in stretches
        )
        for parent in metadata.symbols
    }
    return {"raw_symbol": mapped, "parent": families}
