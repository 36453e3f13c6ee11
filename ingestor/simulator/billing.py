"""What records cost, and what was billed so far. Prices are made up, in the order of real ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from ingestor.dbn import layout

GIGABYTE: Final = 2**30
_DEFAULT_PRICE: Final = 16.0
_PRICES: Final[Mapping[str, float]] = {
    "trades": 28.0,
    "tbbo": 28.0,
    "ohlcv-1s": 28.0,
    "ohlcv-1m": 70.0,
    "ohlcv-1h": 280.0,
    "ohlcv-1d": 600.0,
    "definition": 5.0,
    "statistics": 11.0,
}
_DEAR: Final[Mapping[str, float]] = {"OPRA.PILLAR": 10.0}
"""Datasets whose prices are this many times as high."""


def unit_price(dataset: str, schema: str) -> float:
    """US dollars per gigabyte (2³⁰ bytes) of uncompressed records."""
    return _PRICES.get(schema, _DEFAULT_PRICE) * _DEAR.get(dataset, 1.0)


def billable_size(schema: str, version: int, records: int) -> int:
    """Bytes that so many records are billed as: their uncompressed size."""
    return layout(schema, version).itemsize * records


def cost(dataset: str, schema: str, size: int) -> float:
    """US dollars for so many bytes."""
    return size / GIGABYTE * unit_price(dataset, schema)


@dataclass(frozen=True, slots=True)
class Line:
    """What one schema of one dataset was billed: `calls` streams, `bytes` of records, `usd`."""

    calls: int = 0
    records: int = 0
    bytes: int = 0
    usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Bill:
    """Everything billed so far; every stream is billed, also one of the same records."""

    lines: Mapping[tuple[str, str], Line] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        return sum(each.calls for each in self.lines.values())

    @property
    def records(self) -> int:
        return sum(each.records for each in self.lines.values())

    @property
    def bytes(self) -> int:
        return sum(each.bytes for each in self.lines.values())

    @property
    def usd(self) -> float:
        return sum((each.usd for each in self.lines.values()), 0.0)

    def of(self, dataset: str, schema: str) -> Line:
        return self.lines.get((dataset, schema), Line())


class Till:
    """Adds up what is streamed. Safe to read from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lines: dict[tuple[str, str], Line] = {}

    def call(self, dataset: str, schema: str) -> None:
        """A stream has begun."""
        self._add(dataset, schema, Line(calls=1))

    def sent(self, dataset: str, schema: str, version: int, records: int) -> None:
        """So many records went into a stream."""
        size = billable_size(schema, version, records)
        self._add(dataset, schema, Line(0, records, size, cost(dataset, schema, size)))

    def bill(self) -> Bill:
        with self._lock:
            return Bill(dict(self._lines))

    def reset(self) -> None:
        with self._lock:
            self._lines.clear()

    def _add(self, dataset: str, schema: str, more: Line) -> None:
        with self._lock:
            old = self._lines.get((dataset, schema), Line())
            self._lines[dataset, schema] = Line(
                old.calls + more.calls,
                old.records + more.records,
                old.bytes + more.bytes,
                old.usd + more.usd,
            )
