"""What became of quarantined records that were to be replayed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from ingestor.receipt import Receipt
    from ingestor.replay.retrial import Staying


@dataclass(frozen=True, slots=True)
class Released:
    """A release chunk that has completed.

    Attributes:
        origin: The chunk that had refused the records.
    """

    chunk_id: int
    job_id: UUID
    origin: int
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the records that were to be replayed.

    Attributes:
        asked: How many they were.
        staying: Those that stay in quarantine, by rule and why.
        elsewhere: Those that another command resolved meanwhile.
        unplaced: Jobs that delivered those whose place was not kept: to load the payloads of these
            jobs again is the way to store them.
    """

    asked: int
    released: tuple[Released, ...] = ()
    staying: Staying = field(default_factory=Counter)
    elsewhere: int = 0
    unplaced: tuple[UUID, ...] = ()

    @property
    def jobs(self) -> tuple[UUID, ...]:
        """Those that stored something; one for each source."""
        return tuple(dict.fromkeys(each.job_id for each in self.released))

    def total(self, name: str) -> int:
        """Sum of one count over the receipts: stored, already_stored, corrected, flagged."""
        return sum(getattr(each.receipt, name) for each in self.released)

    def as_json(self) -> dict[str, Any]:
        names = ("stored", "already_stored", "corrected", "flagged")
        return {
            "schema_version": 1,
            "asked": self.asked,
            **{name: self.total(name) for name in names},
            "still_quarantined": self.staying.total(),
            "resolved_elsewhere": self.elsewhere,
            "jobs": list(self.jobs),
            "jobs_to_replay": list(self.unplaced),
            "staying": [
                {"rule": rule, "why": why, "records": n} for (rule, why), n in self.staying.items()
            ],
            "chunks": [
                {"chunk_id": each.chunk_id, "job_id": each.job_id, "replays": each.origin,
                 "receipt": each.receipt.as_json()}
                for each in self.released
            ],
        }  # fmt: skip
