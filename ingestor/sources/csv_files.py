"""Source `csv-files`: vendors' CSV and Parquet files, read by the mapping file of their dataset.

``configs/mappings/csv-files/<DATASET>/<schema>.yaml`` says what their columns mean. On the wire
every cell is text; a line that is no record of the file's columns has empty cells, and is
quarantined.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestor.errors import UnlikeRequest
from ingestor.sources.csv_batches import INDEX, Places, check_columns, index_of
from ingestor.sources.csv_plan import FOLDER, plan_csv, reading_of, whole
from ingestor.sources.csv_records import decoded, raw_lines, widened
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

    from ingestor.job import ChunkPlan, Claim, JobPlan, PayloadRef
    from ingestor.settings import Settings
    from ingestor.sources.source import Ask, PayloadStore, Spellings
    from ingestor.vocabulary import Schema

    Records = npt.NDArray[np.void]

_OTHER_DAYS: Final = "its mapping tells other times than then: load it again with `hdi replay JOB`"


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

    def cut_by(self, claim: Claim) -> str:
        """Its mapping makes the times that cut a file into days."""
        return self._today(claim).spelling.digest

    def replan(self, claims: Sequence[Claim]) -> ChunkPlan:
        """One slice of the whole file; see `cutting`."""
        payload = claims[0].payload
        assert payload is not None, "a file is named by its plan"
        return whole(self._checked(payload, self._today(claims[0]), EVERYTHING), claims)

    def purchase(self, claim: Claim) -> None:
        """Files are there already."""
        del claim

    def fetch(self, claim: Claim) -> Payload:
        """Checks the file whole, and that it is still the one that was submitted.

        Raises:
            UnlikeRequest: Another mapping cut it into the days of the claim.
        """
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
            check_columns(stream, payload.layout)
            ordered = payload.contents.ordered
            window = _window(claim)
            file = Places(stream, reading, window)
            pieces = sliced(file, payload.ref, window, INDEX, ordered=ordered, count=count)
            for places, positions in pieces:
                yield from file.batches(places, positions)

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

    def _today(self, claim: Claim) -> Reading:
        return reading_of(claim.dataset, claim.schema, self._spellings)

    def _reading(self, claim: Claim) -> Reading:
        reading = self._today(claim)
        if claim.cut_by and claim.cut_by != reading.spelling.digest:
            raise UnlikeRequest(
                f"the mapping of {claim.schema} of {claim.dataset} changed since chunk "
                f"{claim.chunk_id} was submitted; its days were cut by the former one",
                hint="submit the files again; or, where some of the job is stored, load that again "
                f"with `hdi replay {str(claim.job_id)[:8]}`",
            )
        return reading

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
            for records in bare_arrays(stream, reading):
                inside = span.rows(index_of(records, reading))
                yield records if inside is None else chosen(records, inside)
            check_same(path, stream.seal()[0], ref)


def _window(claim: Claim) -> Window:
    return Window(claim.start, claim.end, claim.last_slice)
