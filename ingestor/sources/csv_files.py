"""Source `csv-files`: vendors' CSV and Parquet files, read by the mapping file of their dataset.

``configs/mappings/csv-files/<DATASET>/<schema>.yaml`` says what their columns mean. On the wire
every cell is text; a line that is no record of the file's columns has empty cells, and is
quarantined.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestor.errors import CorruptPayload
from ingestor.sources.csv_plan import FOLDER, plan_csv, reading_of
from ingestor.sources.csv_records import decoded, raw_lines, records_of, widened
from ingestor.sources.csv_survey import CsvSurvey, Reading, bare_arrays, open_csv, survey
from ingestor.sources.microseconds import MICROSECOND
from ingestor.sources.payload_file import (
    check_count,
    check_same,
    check_size,
    local_path,
    ordered_after,
    sliced,
    visible,
)
from ingestor.sources.source import Payload
from ingestor.sources.tally import EVERYTHING, Window
from ingestor.sources.wire import chosen

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.job import Claim, JobPlan, PayloadRef
    from ingestor.settings import Settings
    from ingestor.sources.csv_stream import CsvStream
    from ingestor.sources.source import Ask, PayloadStore, Spellings
    from ingestor.vocabulary import Schema

    Records = npt.NDArray[np.void]

_OTHER_DAYS: Final = "its mapping tells other times than then: submit the file again with --force"
_INDEX: Final = "index"
_RECORD: Final = "record"


class CsvFiles:
    """Files that every worker can see under the path they were submitted with, or in the vault."""

    name = "csv-files"
    reads_files = True
    realm = None

    def __init__(
        self, settings: Settings | None, vault: PayloadStore | None, spellings: Spellings
    ) -> None:
        del settings
        self._vault = vault
        self._spellings = spellings

    def mapping_folder(self, dataset: str) -> str:
        """A vendor's layout is its dataset's."""
        return f"{FOLDER}/{dataset}"

    def plan(self, ask: Ask) -> JobPlan:
        """Surveys the files and cuts them into chunks; see `csv_plan`."""
        return plan_csv(self.name, ask, self._spellings, self._vault)

    def purchase(self, claim: Claim) -> None:
        """Files are there already."""
        del claim

    def fetch(self, claim: Claim) -> Payload:
        """Checks the file whole, and that it is still the one that was submitted."""
        assert claim.payload is not None, "a file is named by its plan"
        reading = self._reading(claim)
        found = self._checked(claim.payload, reading, _window(claim))
        check_count(found, claim, hint=_OTHER_DAYS)
        before = [self._checked(each, reading, EVERYTHING) for each in claim.predecessors]
        return Payload(
            ref=claim.payload,
            path=found.path,
            contents=ordered_after(before, found.contents),
            symbology=found.intervals,
            layout=found.layout,
            own_ids=reading.spelling.symbol_field is not None,
        )

    def batches(
        self, payload: Payload, claim: Claim, count: int
    ) -> Iterator[tuple[Records, npt.NDArray[np.uint64]]]:
        """The slice's records; its end proves that the file did not change while it was read.

        Raises:
            CorruptPayload: It did; raised after the last array.
        """
        reading, path = self._reading(claim), payload.path
        with visible(path, payload.ref), open_csv(path, reading) as stream:
            indexed = _Indexed(stream, reading, payload.layout)
            ordered = payload.contents.ordered
            window = _window(claim)
            pieces = sliced(indexed, payload.ref, window, _INDEX, ordered=ordered, count=count)
            for records, positions in pieces:
                bare = np.ascontiguousarray(records[_RECORD])
                yield bare.view(payload.layout), positions

    def preceding(self, payload: Payload, claim: Claim) -> Records | None:
        """The predecessors' records in the microseconds that the slice spans."""
        low, high = payload.contents.index_min, payload.contents.index_max
        if not claim.predecessors or low is None or high is None:
            return None
        span = Window(
            low // MICROSECOND * MICROSECOND, (high // MICROSECOND + 1) * MICROSECOND, last=False
        )
        reading = self._reading(claim)
        found = [each for ref in claim.predecessors for each in self._spanned(ref, reading, span)]
        return widened(found)

    def raw(self, records: Records) -> list[bytes]:
        """The header line and the record's own, as they stand in the file."""
        return raw_lines(records)

    def decode(
        self, raw: Sequence[bytes], schema: Schema
    ) -> Iterator[tuple[npt.NDArray[np.intp], Records]]:
        """By its header, each says which columns it has, whatever the schema."""
        del schema
        return decoded(raw)

    def _reading(self, claim: Claim) -> Reading:
        return reading_of(claim.dataset, claim.schema, self._spellings)

    def _checked(self, ref: PayloadRef, reading: Reading, window: Window) -> CsvSurvey:
        path = local_path(ref, self._vault)
        with visible(path, ref):
            check_size(path, ref)
            found = survey(path, reading, window)
        check_same(path, found.sha256, ref)
        return found

    def _spanned(self, ref: PayloadRef, reading: Reading, span: Window) -> Iterator[Records]:
        path = local_path(ref, self._vault)
        with visible(path, ref), open_csv(path, reading) as stream:
            for records in bare_arrays(stream):
                inside = span.rows(_index_of(records, reading))
                yield records if inside is None else chosen(records, inside)
            check_same(path, stream.seal()[0], ref)


class _Indexed:
    """A file whose records carry their index timestamp, so that a slice can be cut of them."""

    def __init__(self, stream: CsvStream, reading: Reading, layout: np.dtype[np.void]) -> None:
        self.path: Path = stream.path
        self._stream = stream
        self._reading = reading
        self._layout = layout
        if (layout.names or ())[:-2] != stream.header.names:
            raise CorruptPayload(
                f"the header of {stream.path} changed while it was loaded",
                hint="submit it again as it is now",
            )

    def arrays(self, count: int) -> Iterator[Records]:
        """As long as its pieces of text make them."""
        del count
        opaque = f"V{self._layout.itemsize}"
        carrier = np.dtype([(_INDEX, np.uint64), (_RECORD, opaque)])
        for rows in self._stream.rows():
            for records in records_of(rows, self._stream.header, self._layout):
                carried = np.empty(len(records), carrier)
                carried[_INDEX] = _index_of(records, self._reading)
                carried[_RECORD] = records.view(opaque)
                yield carried

    def seal(self) -> tuple[str, int]:
        return self._stream.seal()


def _index_of(records: Records, reading: Reading) -> npt.NDArray[np.uint64]:
    name = reading.table.index_column
    found: npt.NDArray[np.uint64] = reading.spelling.columns(records, (name,))[name]  # type: ignore[assignment]  # a timestamp's kind
    return found


def _window(claim: Claim) -> Window:
    return Window(claim.start, claim.end, claim.last_slice)
