"""What about a chunk may not add up, and how it is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from ingestor.store.recount import Account

UNKNOWN = "unknown"
"""State of a chunk that the ledger does not have."""


class Aspect(StrEnum):
    """What of a chunk does not add up."""

    ROWS = "rows"
    STRAY = "rows that no receipt accounts for"
    UNACCOUNTED = "rows of no completed chunk"
    QUARANTINED = "quarantined records"
    RECEIPT = "records in the receipt"
    CORRECTED = "rows it corrected"
    REMOVED = "rows it removed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing about one chunk that does not add up.

    Attributes:
        job_id: None where the ledger has no such chunk; `dataset` and `schema` are empty then.
        expected: Of rows and quarantined records: by receipt and supersessions, negative where more
            rows are told superseded than were ever stored. Of the others: by the receipt alone.
        found: What was counted; of the receipt the sum of its parts, of corrected and removed rows
            the sum of the supersessions.
        table: Where rows are that nothing accounts for; empty of everything else.
    """

    chunk_id: int
    job_id: UUID | None
    dataset: str
    schema: str
    state: str
    of: Aspect
    expected: int
    found: int
    table: str = ""


def differences(
    account: Account, rows: int, strays: Mapping[str, int], quarantined: int
) -> Iterator[Difference]:
    """What of a chunk disagrees with the rows and quarantined records that were counted.

    Args:
        rows: Those in its table and span; none of a chunk that has not completed.
        strays: All others, by table.
    """
    of_rows = Aspect.ROWS if account.completed else Aspect.UNACCOUNTED
    for aspect, expected, found in (
        (of_rows, account.live, rows),
        (Aspect.QUARANTINED, account.quarantined, quarantined),
        (Aspect.RECEIPT, account.fetched, account.handed_over),
        (Aspect.CORRECTED, account.corrected, account.told_corrected),
        (Aspect.REMOVED, account.removed, account.told_removed),
    ):
        if expected != found:
            yield Difference(
                account.chunk_id, account.job_id, account.dataset, account.schema, account.state,
                aspect, expected, found,
            )  # fmt: skip
    of_strays = Aspect.STRAY if account.completed else Aspect.UNACCOUNTED
    for table, found in strays.items():
        yield Difference(
            account.chunk_id, account.job_id, account.dataset, account.schema, account.state,
            of_strays, 0, found, table,
        )  # fmt: skip


def unaccounted(chunk_id: int, strays: Mapping[str, int]) -> Iterator[Difference]:
    """Rows, by table, that carry the id of a chunk which the ledger does not have."""
    for table, rows in strays.items():
        yield Difference(chunk_id, None, "", "", UNKNOWN, Aspect.UNACCOUNTED, 0, rows, table)
