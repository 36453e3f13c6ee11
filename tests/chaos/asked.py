"""What was asked for, and what the simulator has of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np

from ingestor.dbn import layout
from ingestor.simulator.archive import Archive, Selection
from ingestor.simulator.calendar import number
from ingestor.simulator.market import DAY
from ingestor.simulator.symbology import Resolution, Stretches
from ingestor.vocabulary import Schema
from tests.chaos.orders import Order
from tests.chaos.wire import Records


@dataclass(frozen=True, slots=True)
class Asked:
    """Symbols of one schema on some days, as an order or a chunk asks for them.

    Attributes:
        first: Day since 1970.
        past: The one after the last.
    """

    dataset: str
    schema: Schema
    stype_in: str
    symbols: tuple[str, ...]
    first: int
    past: int

    @classmethod
    def of(cls, order: Order) -> list[Self]:
        first, past = number(order.start), number(order.end)
        return [
            cls(order.dataset, schema, order.stype_in, order.symbols, first, past)
            for schema in order.schemas
        ]

    def resolved(self, archive: Archive) -> Resolution:
        book = archive.book(self.dataset)
        return book.resolve(self.symbols, self.stype_in, self.first, self.past)

    def stretches(self, archive: Archive) -> Stretches:
        return self.resolved(archive).selected or ()

    def records(self, archive: Archive) -> Records:
        """In the order of delivery."""
        start, end = self.first * DAY, self.past * DAY
        selection = Selection(self.dataset, self.schema, start, end, self.stretches(archive))
        return records_of(archive, selection)


def records_of(archive: Archive, selection: Selection) -> Records:
    """The records that an archive has of a selection, in the order of delivery."""
    slices = list(archive.slices(selection))
    return np.concatenate(slices) if slices else _none(selection.schema)


@lru_cache
def _none(schema: str) -> Records:
    return np.zeros(0, layout(Schema(schema), 3))
