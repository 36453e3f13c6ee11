"""Cuts a surveyed file into slices of whole index days: one slice, one chunk.

The slices cover the range without a gap: a day without records belongs to the slice before it, so
that coverage also knows the days on which nothing happened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ingestor.errors import BadJob
from ingestor.job import Contents
from ingestor.model import Table
from ingestor.sources.survey import Survey, date_of
from ingestor.sources.surveyed import Surveyed
from ingestor.sources.tally import DAY, UNDEFINED, summed


@dataclass(frozen=True, slots=True)
class Slice:
    """Records of one file whose index timestamp is in [start, end), UTC nanoseconds.

    The last slice of a file also holds the records whose index timestamp is undefined. Instruments
    and publishers in `contents` are those of the whole file.
    """

    start: int
    end: int
    contents: Contents
    last: bool


def whole_days(survey: Survey) -> tuple[int, int]:
    """The range of the file in whole UTC days: what its metadata asked for.

    An open end is the day after the last record.
    """
    header = survey.header
    # A file split by size may name its last record as its end, and an empty range spans its day.
    seen = survey.index_range[1] if survey.index_range else header.start
    end = max(header.end or 0, seen + 1)
    return header.start // DAY * DAY, -(-end // DAY) * DAY


def cut(
    survey: Surveyed, bounds: tuple[int, int], table: Table, *, chunk_days: int | None, most: int
) -> list[Slice]:
    """Slices of `bounds` (midnights), each of at most `chunk_days` days with records.

    No slice touches more than `most` hypertable chunks. A file without any record in the bounds is
    one empty slice.

    Raises:
        BadJob: The events of a single index day touch more.
    """
    inside = survey.days[
        (survey.days["day"] >= np.uint64(bounds[0] // DAY))
        & (survey.days["day"] < np.uint64(bounds[1] // DAY))
    ]
    chunks = _hypertable_chunks(inside, table)
    for day, touched in chunks.items():
        if len(touched) > most:
            raise BadJob(
                f"the records of {date_of(day * DAY)} in {survey.path} touch {len(touched)} "
                f"hypertable chunks of {table.name}; at most {most} are loaded at once",
                hint="their ts_event is spread over years: look at the file before loading it",
            )
    borders = _borders(chunks, bounds[0] // DAY, chunk_days, most)
    edges = [bounds[0], *(day * DAY for day in borders), bounds[1]]
    return [
        _slice(survey, inside, start, end, last=end == bounds[1]) for start, end in pairwise(edges)
    ]


def _hypertable_chunks(days: np.ndarray, table: Table) -> Mapping[int, frozenset[int]]:
    """Per index day, ascending, the hypertable chunks that its records go to.

    TimescaleDB counts the intervals of a timestamp from 1970.
    """
    of = "event_day" if table.time_column == "ts_event" else "day"
    touched: dict[int, set[int]] = defaultdict(set)
    for day, time_day in zip(days["day"].tolist(), days[of].tolist(), strict=True):
        touched[day].update([] if time_day == UNDEFINED else [time_day // table.interval_days])
    return {day: frozenset(chunks) for day, chunks in touched.items()}


def _borders(
    chunks: Mapping[int, frozenset[int]], first: int, chunk_days: int | None, most: int
) -> list[int]:
    """The days, after the first, on which a new slice begins."""
    borders: list[int] = []
    held: frozenset[int] = frozenset()
    window = None
    for day, touched in chunks.items():
        its_window = (day - first) // chunk_days if chunk_days else 0
        fits = len(held | touched) <= most
        if window is not None and (window != its_window or not fits):
            opens = first + its_window * (chunk_days or 1)
            borders.append(opens if window != its_window else day)
            held = frozenset()
        held |= touched
        window = its_window
    return borders


def _slice(survey: Surveyed, days: np.ndarray, start: int, end: int, *, last: bool) -> Slice:
    mine = days[(days["day"] >= np.uint64(start // DAY)) & (days["day"] < np.uint64(end // DAY))]
    contents = summed(mine, undefined=survey.undefined if last else 0, like=survey.contents)
    return Slice(start, end, contents, last)
