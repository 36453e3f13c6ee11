"""What one load transaction writes, as a frozen value."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ingestor.days import DaySet
from ingestor.job import Claim, Contents, PayloadRef, SymbolInterval
from ingestor.model import Table
from ingestor.store.feed import Progress, Rooms
from ingestor.store.key_space import KeySpace, RemovalLimits
from ingestor.store.tuning import Tuning
from ingestor.vocabulary import Realm

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Load:
    """Everything that one load transaction writes.

    Attributes:
        payload: The bytes that are loaded.
        realm: Kind of gateway they came from; None for files.
        covered_days: What a complete payload proves for `covered_symbols`; empty where it proves
            nothing.
        proven: Whether the payload proves what it does not hold, even where it holds nothing.
        unresolved: Symbols of the claim that meant nothing on some day.
        silent: Columns that the payload's version of the format has no field for: rows that are
            stored keep what an earlier delivery said there.
        nameless: Instruments that the payload gives no symbol to.
        own_ids: Whether its instrument ids are HDI's own making: two symbols of one are refused.
        removal_limits: How much a forced load may remove unasked.
        rules_hash: Of the validation files that its records were judged by; empty where none.
        flags_kept: Flagged records that are listed for each rule.
        merge_lock_timeout_s: How long to wait for the sole use of a table's days.
        tuning: What of the server is set for its transaction.
        releases: Quarantined records that the load stores; they are marked so with its commit.
        still_quarantined: Of a release, records that were judged again and not let out.
    """

    claim: Claim
    table: Table
    payload: PayloadRef
    realm: Realm | None
    contents: Contents
    rooms: Rooms
    intervals: Sequence[SymbolInterval]
    partial: str
    covered_days: DaySet
    covered_symbols: Sequence[str]
    proven: bool
    unresolved: Sequence[str]
    silent: frozenset[str]
    nameless: Sequence[int]
    own_ids: bool
    removal_limits: RemovalLimits
    data_source: str
    mapping_hash: str
    rules_hash: str
    flags_kept: int
    worker: str
    merge_lock_timeout_s: float
    tuning: Tuning
    releases: tuple[int, ...] = ()
    still_quarantined: int = 0
    clock: Callable[[], float] = time.monotonic
    progress: Progress = field(default_factory=Progress)

    @property
    def replays(self) -> bool:
        """Whether the load takes the place of an earlier one of the same payload."""
        return self.claim.replays is not None and not self.claim.releases

    @property
    def key_space(self) -> KeySpace | None:
        """What the load replaces; None where it is not forced, or its payload proves nothing."""
        if not self.claim.forced or not self.covered_days:
            return None
        if not self.contents.records and not self.proven:
            return None
        return KeySpace(
            self.claim, self.table, self.covered_days, self.unresolved, self.contents.instruments,
            self.intervals,
        )  # fmt: skip

    @property
    def days(self) -> tuple[int, ...]:
        """Days since 1970 of the table's time column that the payload has records of."""
        return self.contents.days_of(self.table.time_column)

    @property
    def bounds(self) -> tuple[dt.datetime, dt.datetime] | None:
        """Smallest and largest value of the table's time column; None where no record has one."""
        return instants(self.contents.span_of(self.table.time_column))


def instants(span: tuple[int, int] | None) -> tuple[dt.datetime, dt.datetime] | None:
    """Both ends of a span of nanoseconds, as a column of times holds them."""
    return None if span is None else (_time(span[0]), _time(span[1]))


def _time(ns: int) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=ns // 1000)
