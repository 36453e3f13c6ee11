"""Index timestamps in pieces of about one hypertable chunk, without those known to be empty."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ingestor.days import DAY_NS
from ingestor.query.selection import Selection

# What was loaded, by the first and the last window that it reaches into: a few rows, whatever the
# number of chunks.
_LOADED: Final = """
SELECT div(k.index_min, $5) AS first, div(k.index_max, $5) AS last,
       min(k.event_min) AS event_low, max(k.event_max) AS event_high
FROM ingest.chunks k JOIN ingest.requests r USING (request_id)
WHERE k.receipt IS NOT NULL AND r.schema = $1 AND r.dataset = $2
  AND k.index_max >= $3 AND k.index_min < $4
GROUP BY 1, 2
"""

_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class Window:
    """Index timestamps from `start` to before `end`, nanoseconds since 1970.

    Attributes:
        event_low: Smallest ts_event of what was loaded of them; `event_high` is the largest. None
            where none of it has a ts_event.
    """

    start: int
    end: int
    event_low: int | None
    event_high: int | None


async def windows(connection: Any, wanted: Selection) -> list[Window]:
    """The windows of the selection that something was loaded of, ascending.

    Memory and sorting on the server are bounded by what one window holds.
    """
    table = wanted.table
    width = table.interval_days * DAY_NS
    loaded = await connection.fetch(
        _LOADED, wanted.schema, wanted.dataset, wanted.start, wanted.end, width
    )
    cut = _Cut(wanted.start, wanted.end, width, table.time_column != table.index_column)
    return list(cut.windows(loaded))


@dataclass(frozen=True, slots=True)
class _Cut:
    """How a range is cut.

    Attributes:
        joining: Whether windows that one ledger chunk reaches into become one. Where rows are
            partitioned on ts_event, each of them would read all hypertable chunks of the others.
    """

    start: int
    end: int
    width: int
    joining: bool

    def windows(self, loaded: Iterable[Mapping[str, Any]]) -> Iterator[Window]:
        events, joined = self._events(loaded)
        for some in _runs(sorted(events), joined):
            low = [event for number in some for event in events[number][0]]
            high = [event for number in some for event in events[number][1]]
            yield Window(
                max(some[0] * self.width, self.start), min((some[-1] + 1) * self.width, self.end),
                min(low, default=None), max(high, default=None),
            )  # fmt: skip

    def _events(
        self, loaded: Iterable[Mapping[str, Any]]
    ) -> tuple[dict[int, tuple[set[int], set[int]]], set[int]]:
        """By number of window smallest and largest ts_event; windows joined to the next one."""
        events: dict[int, tuple[set[int], set[int]]] = {}
        joined: set[int] = set()
        for row in loaded:
            first = max(int(row["first"]), self.start // self.width)
            last = min(int(row["last"]), (self.end - 1) // self.width)
            for number in range(first, last + 1):
                low, high = events.setdefault(number, (set(), set()))
                if row["event_low"] is not None:
                    low.add(int(row["event_low"]))
                    high.add(int(row["event_high"]))
            if self.joining:
                joined.update(range(first, last))
        return events, joined


def _runs(numbers: Iterable[int], joined: Container[int]) -> Iterator[list[int]]:
    """Numbers in order, those that are joined together; no more than what one load may touch."""
    run: list[int] = []
    for number in numbers:
        if run and (number - 1 not in joined or run[-1] != number - 1 or len(run) == _MOST):
            yield run
            run = []
        run.append(number)
    if run:
        yield run
