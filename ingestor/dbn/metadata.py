"""The head of a DBN stream to be written: its metadata, by the official encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ingestor.dbn.layout import NEWEST

Intervals = Mapping[str, Sequence[tuple[date, date, str]]]
"""Symbol → (first day, day after the last, instrument id)."""


@dataclass(slots=True)
class _Interval:
    start_date: date
    end_date: date
    symbol: str


@dataclass(slots=True)
class _Mapping:
    raw_symbol: str
    intervals: Sequence[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The metadata of a DBN stream to be written.

    Attributes:
        start: First index timestamp, UTC nanoseconds.
        end: Exclusive; None for an open one.
        schema: None for a live recording.
        ts_out: Whether each record carries its sending time behind it.
    """

    dataset: str
    schema: str | None
    start: int
    end: int | None
    symbols: Sequence[str] = ()
    mappings: Intervals | None = None
    stype_in: str | None = "raw_symbol"
    stype_out: str = "instrument_id"
    partial: Sequence[str] = ()
    not_found: Sequence[str] = ()
    limit: int | None = None
    ts_out: bool = False
    version: int = NEWEST

    def encode(self) -> bytes:
        """The head of the stream: magic, version, length and metadata."""
        import databento_dbn as dbn

        return dbn.Metadata(
            dataset=self.dataset,
            start=self.start,
            end=self.end,
            schema=None if self.schema is None else dbn.Schema.from_str(self.schema),
            stype_in=None if self.stype_in is None else dbn.SType.from_str(self.stype_in),
            stype_out=dbn.SType.from_str(self.stype_out),
            symbols=list(self.symbols),
            partial=list(self.partial),
            not_found=list(self.not_found),
            mappings=[
                _Mapping(symbol, [_Interval(*interval) for interval in intervals])
                for symbol, intervals in (self.mappings or {}).items()
            ],
            limit=self.limit,
            ts_out=self.ts_out,
            version=self.version,
        ).encode()
