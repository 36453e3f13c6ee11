"""Rows of a selection by binary COPY, as standard columns: each once, in order, by windows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import numpy.typing as npt

from ingestor.errors import Terminal
from ingestor.query.columns import HEADER, TRAILER, RowLayout
from ingestor.query.selection import Selection, Statement, instant, order_of
from ingestor.query.symbols import Interval, members
from ingestor.query.windows import Window

Columns = dict[str, npt.NDArray[Any]]
Take = Callable[[Columns], Awaitable[None]]

_PUBLISHERS: Final = "SELECT publisher_id FROM public.publishers WHERE dataset = $1 ORDER BY 1"
_MICROSECOND = dt.timedelta(microseconds=1)
_BATCH_BYTES: Final = 1 << 20


async def publishers(connection: Any, wanted: Selection) -> list[int]:
    """The publishers of the selection's dataset: an instrument id means nothing outside it."""
    return [row["publisher_id"] for row in await connection.fetch(_PUBLISHERS, wanted.dataset)]


async def copy_rows(
    connection: Any,
    wanted: Selection,
    window: Window,
    layout: RowLayout,
    publisher_ids: Sequence[int],
    take: Take,
) -> None:
    """Gives the rows of the window to `take`, about 1 MiB at a time; the server waits meanwhile.

    Raises:
        Terminal: A row holds what no wire record can.
    """
    made = window_statement(wanted, window, layout, publisher_ids)
    if made is not None:
        await copy(connection, made, layout, take)


async def copy(connection: Any, made: Statement, layout: RowLayout, take: Take) -> None:
    """Gives the rows of a statement that selects `layout` to `take`, about 1 MiB at a time."""
    framing = _Framing(layout, take)
    await connection.copy_from_query(made.text, *made.values, output=framing.feed, format="binary")
    await framing.end()


def window_statement(
    wanted: Selection, window: Window, layout: RowLayout, publisher_ids: Sequence[int]
) -> Statement | None:
    """None where none of the instruments is wanted on days of the window."""
    table, made = wanted.table, Statement()
    origin = f"public.{table.name} t"
    if wanted.intervals is not None:
        here = [each for each in members(wanted.intervals) if _meets(each, window)]
        if not here:
            return None
        origin += _join(here, f"t.{table.index_column}", made)
    limits = [f"t.publisher_id = ANY({made.put(list(publisher_ids), 'INTEGER[]')})"]
    limits += _within(made, table.index_column, instant(window.start), instant(window.end))
    if table.time_column != table.index_column:
        # TimescaleDB leaves out hypertable chunks only by the time that it partitions on.
        if window.event_low is None or window.event_high is None:
            return None
        past = instant(window.event_high) + _MICROSECOND
        limits += _within(made, table.time_column, instant(window.event_low), past)
    order = ", ".join(f"t.{name}" for name in order_of(table))
    made.text = (
        f"SELECT {layout.select} FROM {origin} WHERE {' AND '.join(limits)} ORDER BY {order}"
    )
    return made


def _join(intervals: Sequence[Interval], index: str, made: Statement) -> str:
    """Each instrument on its own days: they are disjoint, so no row comes twice."""
    ids = made.put([each.instrument_id for each in intervals], "BIGINT[]")
    first = made.put([midnight(each.first) for each in intervals], "TIMESTAMPTZ[]")
    past = made.put([midnight(each.past) for each in intervals], "TIMESTAMPTZ[]")
    return (
        f" JOIN unnest({ids}, {first}, {past}) AS w(instrument_id, first, past)"
        f" ON t.instrument_id = w.instrument_id AND {index} >= w.first AND {index} < w.past"
    )


def _meets(each: Interval, window: Window) -> bool:
    return midnight(each.first) < instant(window.end) and instant(window.start) < midnight(
        each.past
    )


def _within(made: Statement, column: str, start: dt.datetime, end: dt.datetime) -> list[str]:
    first, past = made.put(start, "TIMESTAMPTZ"), made.put(end, "TIMESTAMPTZ")
    return [f"t.{column} >= {first}", f"t.{column} < {past}"]


def midnight(day: dt.date) -> dt.datetime:
    """When a UTC day begins."""
    return dt.datetime.combine(day, dt.time(), dt.UTC)


class _Framing:
    """Whole rows out of the pieces that COPY sends: a header, rows, a trailer."""

    def __init__(self, layout: RowLayout, take: Take) -> None:
        self._layout = layout
        self._take = take
        self._held = bytearray()
        self._begun = False

    async def feed(self, piece: bytes) -> None:
        self._held += piece
        if not self._begun and len(self._held) >= len(HEADER):
            if not self._held.startswith(HEADER):
                raise Terminal(f"a binary COPY began with {bytes(self._held[:19])!r}")
            del self._held[: len(HEADER)]
            self._begun = True
        if len(self._held) >= _BATCH_BYTES:
            await self._give()

    async def _give(self) -> None:
        width = self._layout.dtype.itemsize
        whole = len(self._held) // width * width
        rows = bytes(memoryview(self._held)[:whole])
        del self._held[:whole]
        if rows:
            await self._take(self._layout.decode(rows))

    async def end(self) -> None:
        """Gives what is left.

        Raises:
            Terminal: The last row is no whole one.
        """
        await self._give()
        if bytes(self._held) != TRAILER:
            raise Terminal(f"a binary COPY of {self._layout.table.name} ended within a row")
