"""Frozen values that prove work: a chunk's receipt, and a job's counts, summed over receipts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ingestor.vocabulary import ChunkState


@dataclass(frozen=True, slots=True)
class Receipt:
    """The counts and hashes that prove a chunk. Immutable once written.

    `fetched = stored + quarantined + already_stored`; live rows of the chunk are `stored` minus
    what later chunks superseded.

    Attributes:
        nameless: Instruments of the payload that nothing gives a symbol to.
        removed: Rows of other chunks that a forced load or a replay took away.
        flagged: Stored records that break a rule of severity flag, each once.
        rules_hash: sha256 of the validation files the records were judged by; empty where none.
        rejected: Rule → records that it kept out; they sum to `quarantined`.
        flags: Rule → stored records that break it.
        undecided: Rule → stored records it could not be decided for: a reference value is unknown.
        still_quarantined: Of a replay of quarantined records: those that today's rules refuse, too.
    """

    fetched: int
    stored: int
    quarantined: int
    already_stored: int
    corrected: int
    flagged: int
    sha256: str
    mapping_hash: str
    partial: str
    way: str
    seconds: Mapping[str, float]
    nameless: int = 0
    removed: int = 0
    rules_hash: str = ""
    rejected: Mapping[str, int] = field(default_factory=dict)
    flags: Mapping[str, int] = field(default_factory=dict)
    undecided: Mapping[str, int] = field(default_factory=dict)
    still_quarantined: int = 0

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class JobCounts:
    """Chunks per state and records, summed over a job's receipts."""

    chunks: Mapping[ChunkState, int]
    fetched: int = 0
    stored: int = 0
    quarantined: int = 0
    already_stored: int = 0
    flagged: int = 0

    @property
    def total(self) -> int:
        return sum(self.chunks.values())
