"""Source `dbn-files`: DBN files in a folder, referred to in place by their sha256, or copied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ingestor.errors import UnlikeRequest
from ingestor.model import table_of
from ingestor.sources.dbn_plan import plan_files
from ingestor.sources.dbn_raw import DbnWire
from ingestor.sources.dbn_slice import slice_records
from ingestor.sources.dbn_stream import DbnStream
from ingestor.sources.microseconds import MICROSECOND
from ingestor.sources.payload_file import (
    check_count,
    check_same,
    check_size,
    local_path,
    ordered_after,
    visible,
)
from ingestor.sources.source import Payload
from ingestor.sources.survey import BATCH, Survey, survey
from ingestor.sources.tally import EVERYTHING, Window
from ingestor.sources.wire import chosen, joined

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.job import Claim, JobPlan, PayloadRef
    from ingestor.settings import Settings
    from ingestor.sources.source import Ask, PayloadStore, Spellings


class DbnFiles(DbnWire):
    """DBN files that every worker can see under the path they were submitted with, or in the vault.

    Without a vault it reads files in place only.
    """

    name = "dbn-files"
    reads_files = True
    realm = None
    _vault: PayloadStore | None = None

    def __init__(
        self,
        settings: Settings | None = None,
        vault: PayloadStore | None = None,
        spellings: Spellings | None = None,
    ) -> None:
        del settings, spellings
        self._vault = vault

    def plan(self, ask: Ask) -> JobPlan:
        """Surveys the files and cuts them into chunks; see `dbn_plan`."""
        return plan_files(self.name, ask, self._vault)

    def purchase(self, claim: Claim) -> None:
        """Files are there already."""
        del claim

    def fetch(self, claim: Claim) -> Payload:
        """Checks the file whole, and that it is still the one that was submitted."""
        ref = _ref(claim)
        found = self._checked(ref, _window(claim))
        _check_like(found, claim)
        before = [self._checked(each, EVERYTHING) for each in claim.predecessors]
        return Payload(
            ref=ref,
            path=found.path,
            contents=ordered_after(before, found.contents),
            symbology=(*found.header.intervals, *found.header.membership),
            layout=found.layout,
            proven=not claim.partial,  # else the plan found nothing that proves the file whole
            unresolved=(*found.header.partial, *found.header.not_found),
            metadata=found.header.metadata,
        )

    def batches(
        self, payload: Payload, claim: Claim, count: int
    ) -> Iterator[tuple[npt.NDArray[np.void], npt.NDArray[np.uint64]]]:
        """The slice's records; its end proves that the file did not change while it was read.

        Raises:
            CorruptPayload: It did; raised after the last array.
        """
        return slice_records(
            payload.path,
            payload.ref,
            _window(claim),
            table_of(claim.schema).index_column,
            ordered=payload.contents.ordered,
            count=count,
        )

    def preceding(self, payload: Payload, claim: Claim) -> npt.NDArray[np.void] | None:
        """The predecessors' records in the microseconds that the slice spans."""
        low, high = payload.contents.index_min, payload.contents.index_max
        if not claim.predecessors or low is None or high is None:
            return None
        span = Window(
            low // MICROSECOND * MICROSECOND, (high // MICROSECOND + 1) * MICROSECOND, last=False
        )
        found = [self._spanned(ref, payload, claim, span) for ref in claim.predecessors]
        return joined(found)

    def _checked(self, ref: PayloadRef, window: Window) -> Survey:
        path = local_path(ref, self._vault)
        with visible(path, ref):
            check_size(path, ref)
            found = survey(path, window)
        check_same(path, found.sha256, ref)
        return found

    def _spanned(
        self, ref: PayloadRef, payload: Payload, claim: Claim, span: Window
    ) -> npt.NDArray[np.void]:
        path = local_path(ref, self._vault)
        column = table_of(claim.schema).index_column
        found = [np.empty(0, payload.layout)]
        with visible(path, ref), DbnStream(path) as stream:
            if stream.layout != payload.layout or stream.header.schema != claim.schema:
                raise UnlikeRequest(
                    f"{path} has other records than {payload.path}, which it precedes"
                )
            for records in stream.arrays(BATCH):
                inside = span.rows(records[column])
                found.append(records if inside is None else chosen(records, inside))
            check_same(path, stream.seal()[0], ref)
        return joined(found)


def _ref(claim: Claim) -> PayloadRef:
    assert claim.payload is not None, "a file is named by its plan"
    return claim.payload


def _window(claim: Claim) -> Window:
    return Window(claim.start, claim.end, claim.last_slice)


def _check_like(found: Survey, claim: Claim) -> None:
    """The payload holds what the claim says: dataset, schema and number of records."""
    header = found.header
    if (header.dataset, header.schema) != (claim.dataset, claim.schema):
        raise UnlikeRequest(
            f"{found.path} holds {header.schema} of {header.dataset}; chunk {claim.chunk_id} is "
            f"{claim.schema} of {claim.dataset}",
            hint="submit the file again",
        )
    check_count(found, claim)
