"""The check pass: one read of a DBN file proves it whole and says what is in it.

Index timestamps (what a request's start and end filter on) may be undefined; such records count,
and belong to the last slice of a payload, but no table can hold them, so that they appear in no
minimum, maximum or day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ingestor.errors import CorruptPayload, UnlikeRequest
from ingestor.model import table_of
from ingestor.model.kind import NANOSECONDS
from ingestor.sources.dbn_stream import DbnStream
from ingestor.sources.tally import DAY, EVERYTHING, Tally, Window, merged
from ingestor.sources.zstd import check_frames, is_zstd

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ingestor.dbn import DbnHeader
    from ingestor.job import Contents
    from ingestor.sources.surveyed import Surveyed
    from ingestor.vocabulary import Schema

BATCH: Final = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What one pass over a file found.

    Attributes:
        contents: Of the window that was asked for.
        index_range: First and last index timestamp of the whole file; None where none is defined.
        days: One row per day of the index timestamp and day of ts_event in the window, ascending.
        undefined: Records of the window whose index timestamp is undefined.
        layout: Wire dtype of the records.
        sealed: Whether the file itself proves that it is whole: one zstd frame with a checksum. A
            plain file, or one of several frames, may have been cut without a trace.
    """

    path: Path
    header: DbnHeader
    contents: Contents
    sha256: str
    size: int
    index_range: tuple[int, int] | None
    days: npt.NDArray[np.void]
    undefined: int
    layout: np.dtype[np.void]
    sealed: bool

    @property
    def dataset(self) -> str:
        return self.header.dataset

    @property
    def schema(self) -> Schema:
        return self.header.schema

    @property
    def delivery(self) -> str:
        """The metadata: parts of one delivery have the same."""
        return self.header.digest

    def parts_with(self, other: Surveyed, /) -> bool:
        """Whether both can be parts of one delivery, as their metadata tell."""
        return isinstance(other, Survey) and one_delivery(self.header, other.header)

    def arrays(self) -> Iterator[npt.NDArray[np.void]]:
        """The records, read again."""
        with DbnStream(self.path) as stream:
            yield from stream.arrays(BATCH)


def survey(path: Path, window: Window = EVERYTHING, *, most: int | None = None) -> Survey:
    """Checks the whole file; counts what lies in `window`.

    Args:
        most: Records that it may hold: a file that expands without end is left after so many.

    Raises:
        CorruptPayload: It is damaged, cut, of mixed records or no DBN, or holds more than `most`.
        UnlikeRequest: HDI does not store its schema, or a record lies outside its own range.
    """
    with path.open("rb") as file:
        compressed = is_zstd(file.read(4))
    sealed = False
    if compressed:
        frames = check_frames(path)
        sealed = frames.count == 1 and frames.checksummed
    with DbnStream(path) as stream:
        tally = Tally(table_of(stream.header.schema).index_column, window)
        for records in _bounded(stream, most):
            tally.add(records)
        sha256, size = stream.seal()
    _check_range(tally.index_range, stream.header, path)
    days = merged(tally.rows)
    return Survey(
        path=path,
        header=stream.header,
        contents=tally.contents(days),
        sha256=sha256,
        size=size,
        index_range=tally.index_range,
        days=days,
        undefined=tally.undefined,
        layout=stream.layout,
        sealed=sealed,
    )


def _bounded(stream: DbnStream, most: int | None) -> Iterator[npt.NDArray[np.void]]:
    seen = 0
    for records in stream.arrays(BATCH):
        seen += len(records)
        if most is not None and seen > most:
            raise CorruptPayload(
                f"{stream.path} holds more records than the {most:,} that it may",
                hint="the file does not hold what it says: fetch it again",
            )
        yield records


def _check_range(span: tuple[int, int] | None, header: DbnHeader, path: Path) -> None:
    """The header names the range that was asked for: nothing may lie outside.

    A file that a delivery was split into by size names its last record as its end, so that an end
    within a day is allowed to be met.
    """
    if span is None:
        return
    low, high = span
    met = header.end is not None and header.end % DAY and high == header.end
    if low < header.start or (header.end is not None and high >= header.end and not met):
        stray = low if low < header.start else high
        raise UnlikeRequest(
            f"{path} holds a record of {moment(stray)}; its metadata allows "
            f"{moment(header.start)} to {moment(header.end)}",
            hint="the file does not hold what it says: fetch it again",
        )


def one_delivery(one: DbnHeader, other: DbnHeader) -> bool:
    """Whether two files of one folder can be parts of one delivery, as their metadata tell."""
    if one.digest == other.digest:
        return True
    alike = all(
        getattr(one, name) == getattr(other, name)
        for name in ("version", "dataset", "schema", "limit", "stype_in", "stype_out", "symbols")
    )
    return alike and (
        (one.end is not None and one.end <= other.start)
        or (other.end is not None and other.end <= one.start)
    )


def moment(nanoseconds: int | None) -> str:
    """UTC nanoseconds since 1970 as people write them; None is an open end."""
    if nanoseconds is None:
        return "an open end"
    seconds, below = divmod(nanoseconds, NANOSECONDS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{below:09d}Z"


def date_of(nanoseconds: int) -> str:
    """The UTC day of a time, as ISO date."""
    return moment(nanoseconds)[:10]
