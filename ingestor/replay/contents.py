"""What single records hold together: `Contents`, as a check pass would find it in a payload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ingestor.days import DAY_NS
from ingestor.job import Contents
from ingestor.model.kind import UINT64_MAX

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.model.frame import Frame


def contents_of(frames: Sequence[Frame]) -> Contents:
    """Records, times, days and ids of frames of one table; they are in no order to rely on."""
    if not frames:
        return Contents(records=0)
    index = _times(frames, frames[0].table.index_column)
    event = _times(frames, "ts_event")
    days, counts = np.unique(index // np.uint64(DAY_NS), return_counts=True)
    return Contents(
        records=sum(map(len, frames)),
        index_min=int(index.min()) if len(index) else None,
        index_max=int(index.max()) if len(index) else None,
        event_min=int(event.min()) if len(event) else None,
        event_max=int(event.max()) if len(event) else None,
        ordered=False,
        instruments=_distinct(frames, "instrument_id"),
        publishers=_distinct(frames, "publisher_id"),
        event_days=tuple(np.unique(event // np.uint64(DAY_NS)).tolist()),
        index_days=dict(zip(days.tolist(), counts.tolist(), strict=True)),
    )


def _times(frames: Sequence[Frame], column: str) -> npt.NDArray[np.uint64]:
    """The defined ones."""
    every = [frame.columns[column].astype(np.uint64) for frame in frames]
    found: npt.NDArray[np.uint64] = np.concatenate(every)
    defined: npt.NDArray[np.uint64] = found[found != np.uint64(UINT64_MAX)]
    return defined


def _distinct(frames: Sequence[Frame], column: str) -> tuple[int, ...]:
    found = np.concatenate([frame.columns[column] for frame in frames])
    return tuple(np.unique(found).tolist())
