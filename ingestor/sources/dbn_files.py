"""Source `dbn-files`: DBN files in a folder, referred to in place by their sha256."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ingestor.errors import CorruptPayload, PayloadMissing, SourceUnavailable, UnlikeRequest
from ingestor.model import table_of
from ingestor.sources.dbn_plan import plan_files
from ingestor.sources.dbn_stream import DbnStream
from ingestor.sources.microseconds import MICROSECOND, together
from ingestor.sources.source import Payload
from ingestor.sources.survey import BATCH, Survey, survey
from ingestor.sources.tally import Window
from ingestor.sources.wire import chosen, joined

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.job import Claim, Contents, JobPlan, PayloadRef
    from ingestor.sources.source import Ask

# A smaller read costs more than the records in it.
_LEAST_READ = 4_096


class DbnFiles:
    """DBN files that every worker can see under the path they were submitted with."""

    name = "dbn-files"
    mappings = "databento"

    def plan(self, ask: Ask) -> JobPlan:
        """Surveys the files and cuts them into chunks; see `dbn_plan`."""
        return plan_files(self.name, ask)

    def fetch(self, claim: Claim) -> Payload:
        """Checks the file whole, and that it is still the one that was submitted."""
        path = Path(claim.payload.uri)
        with _visible(path):
            _check_size(path, claim.payload)
            found = survey(path, _window(claim))
        _check_same(path, found.sha256, claim.payload)
        _check_like(found, claim)
        before = [_checked_predecessor(ref) for ref in claim.predecessors]
        return Payload(
            ref=claim.payload,
            path=path,
            contents=_ordered_after(before, found.contents),
            symbology=found.header.intervals,
            layout=found.layout,
        )

    def batches(
        self, payload: Payload, claim: Claim, count: int
    ) -> Iterator[tuple[npt.NDArray[np.void], npt.NDArray[np.uint64]]]:
        """The slice's records; its end proves that the file did not change while it was read.

        Raises:
            CorruptPayload: It did; raised after the last array.
        """
        with _visible(payload.path), DbnStream(payload.path) as stream:
            mine = _in_window(stream, payload, claim, max(count, _LEAST_READ))
            yield from together(mine, table_of(claim.schema).index_column, count)
            _check_same(payload.path, stream.seal()[0], claim.payload)

    def preceding(self, payload: Payload, claim: Claim) -> npt.NDArray[np.void] | None:
        """The predecessors' records in the microseconds that the slice spans."""
        low, high = payload.contents.index_min, payload.contents.index_max
        if not claim.predecessors or low is None or high is None:
            return None
        span = Window(
            low // MICROSECOND * MICROSECOND, (high // MICROSECOND + 1) * MICROSECOND, last=False
        )
        found = [_spanned(ref, payload, claim, span) for ref in claim.predecessors]
        return joined(found)


def _window(claim: Claim) -> Window:
    return Window(claim.start, claim.end, claim.last_slice)


def _in_window(
    stream: DbnStream, payload: Payload, claim: Claim, count: int
) -> Iterator[tuple[npt.NDArray[np.void], npt.NDArray[np.uint64]]]:
    """The slice's records, with their places in the file."""
    column = table_of(claim.schema).index_column
    window = _window(claim)
    place = 0
    for records in stream.arrays(count):
        index = records[column]
        positions = np.arange(place, place + len(records), dtype=np.uint64)
        place += len(records)
        inside = window.rows(index)
        if inside is None:
            yield records, positions
        elif inside.any():
            yield chosen(records, inside), positions[inside]
        elif payload.contents.ordered and not window.last and int(index.min()) >= window.end:
            return


def _spanned(ref: PayloadRef, payload: Payload, claim: Claim, span: Window) -> npt.NDArray[np.void]:
    path = Path(ref.uri)
    column = table_of(claim.schema).index_column
    found = [np.empty(0, payload.layout)]
    with _visible(path), DbnStream(path) as stream:
        if stream.layout != payload.layout or stream.header.schema != claim.schema:
            raise UnlikeRequest(f"{path} has other records than {payload.path}, which it precedes")
        for records in stream.arrays(BATCH):
            inside = span.rows(records[column])
            found.append(records if inside is None else chosen(records, inside))
        _check_same(path, stream.seal()[0], ref)
    return joined(found)


@contextmanager
def _visible(path: Path) -> Iterator[None]:
    """Translates what this host's file system says of a path.

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
            hint="share the folder with every worker under the same path, or submit again with "
            "--copy-to-vault and a vault that all workers share",
        ) from error
    except OSError as error:
        raise SourceUnavailable(
            f"{host} cannot read {path}: {error.strerror}",
            hint="check the disk or the share it is on",
        ) from error


def _check_size(path: Path, ref: PayloadRef) -> None:
    size = path.stat().st_size
    if size != ref.size:
        raise _changed(path, f"{size:,} bytes, {ref.size:,} then")


def _check_same(path: Path, sha256: str, ref: PayloadRef) -> None:
    if sha256 != ref.sha256:
        raise _changed(path, f"sha256 {sha256}, {ref.sha256} then")


def _changed(path: Path, how: str) -> CorruptPayload:
    return CorruptPayload(
        f"{path} changed since it was submitted: {how}", hint="submit it again as it is now"
    )


def _check_like(found: Survey, claim: Claim) -> None:
    """The payload holds what the claim says: dataset, schema and number of records."""
    header = found.header
    if (header.dataset, header.schema) != (claim.dataset, claim.schema):
        raise UnlikeRequest(
            f"{found.path} holds {header.schema} of {header.dataset}; chunk {claim.chunk_id} is "
            f"{claim.schema} of {claim.dataset}",
            hint="submit the file again",
        )
    if found.contents.records != claim.expected:
        raise UnlikeRequest(
            f"{found.path} holds {found.contents.records:,} records of chunk {claim.chunk_id}; "
            f"{claim.expected:,} were planned",
            hint="submit the file again",
        )


def _checked_predecessor(ref: PayloadRef) -> Survey:
    path = Path(ref.uri)
    with _visible(path):
        _check_size(path, ref)
        found = survey(path)
    _check_same(path, found.sha256, ref)
    return found


def _ordered_after(before: Sequence[Survey], contents: Contents) -> Contents:
    """The contents, out of order where a predecessor reaches beyond their first microsecond."""
    first = contents.index_min
    if first is None:
        return contents
    reach = max((file.index_range[1] for file in before if file.index_range), default=0)
    in_order = reach // MICROSECOND <= first // MICROSECOND
    return replace(contents, ordered=contents.ordered and in_order)
