"""Records that rules refused or flagged: listed by reason, chosen to be replayed or discarded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from ingestor.errors import Usage
from ingestor.model.readable import time_text
from ingestor.store import refused
from ingestor.store.database import Database
from ingestor.store.refused import Entry, Filters, Kept

_NAMED: Final = 5
"""Most ids that a message names."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Records that broke rules.

    Attributes:
        rules: How many broke each, most first; all that match.
        entries: The first of them, by id.
        hidden: Others that match, but are resolved or superseded, or of a chunk that was loaded
            again since; None where they were asked for as well.
        unlisted: By rule, flagged records of the same job, rule and dataset that are counted in
            receipts and rechecks, and not kept: how many of them match is not known.
    """

    kept: Kept
    rules: Mapping[str, int]
    entries: tuple[Entry, ...]
    hidden: int | None = None
    unlisted: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.rules.values())

    @property
    def more(self) -> int:
        """Records that match and are not among `entries`."""
        return self.total - len(self.entries)

    def as_json(self) -> dict[str, Any]:
        flagged = {"counted_not_kept": dict(self.unlisted)} if self.kept == "flagged" else {}
        return {
            "schema_version": 1,
            "kept": "quarantine" if self.kept == "refused" else "flagged",
            "total": self.total,
            "rules": dict(self.rules),
            "records": [entry_json(each) for each in self.entries],
            "more": self.more,
            "hidden": self.hidden,
            **flagged,
        }


def entry_json(entry: Entry) -> dict[str, Any]:
    """A record as JSON values; `time` is its index timestamp in ISO 8601, with nanoseconds."""
    told = asdict(entry)
    index_ns = told.pop("index_ns")
    return {**told, "time": None if index_ns is None else time_text(index_ns)}


async def listing(database: Database, kept: Kept, wanted: Filters, *, limit: int) -> Listing:
    """Counts per rule, and the first records."""
    counts = await refused.rules(database, kept, wanted)
    some = await refused.entries(database, kept, wanted, limit=limit)
    hidden = None
    if not wanted.everything:
        every = await refused.rules(database, kept, replace(wanted, everything=True))
        hidden = sum(every.values()) - sum(counts.values())
    unlisted = await refused.unlisted(database, wanted) if kept == "flagged" else {}
    return Listing(kept, counts, tuple(some), hidden, unlisted)


async def record(database: Database, number: int) -> Entry:
    """A record of quarantine.

    Raises:
        Usage: There is none of that id.
    """
    [found] = await _known(database, [number])
    return found


async def replayable(database: Database, numbers: Sequence[int]) -> list[int]:
    """The ids, checked: records that were discarded may be replayed after all.

    Raises:
        Usage: Some are not in quarantine, or were stored or superseded already.
    """
    for entry in await _known(database, numbers):
        _require_there(entry)
    return list(dict.fromkeys(numbers))


async def discardable(database: Database, numbers: Sequence[int]) -> list[int]:
    """The ids, checked.

    Raises:
        Usage: Some are not in quarantine, or are resolved or superseded already.
    """
    for entry in await _known(database, numbers):
        _require_there(entry)
        if entry.resolution is not None:
            raise Usage(
                f"record {entry.id} was discarded already: {entry.resolved_reason}",
                hint="leave it out",
            )
    return list(dict.fromkeys(numbers))


async def _known(database: Database, numbers: Sequence[int]) -> list[Entry]:
    wanted = Filters(ids=tuple(numbers), everything=True)
    found = await refused.entries(database, "refused", wanted, limit=len(set(numbers)))
    missing = sorted(set(numbers) - {each.id for each in found})
    if missing:
        named = ", ".join(map(str, missing[:_NAMED])) + (", …" if len(missing) > _NAMED else "")
        are = "is no record" if len(missing) == 1 else "are no records"
        raise Usage(
            f"{named} {are} of quarantine",
            hint="`hdi quarantine list --all` says which there are",
        )
    return found


def _require_there(entry: Entry) -> None:
    if entry.resolution == "replayed":
        raise Usage(
            f"record {entry.id} was replayed already: chunk {entry.resolved_by} stored it",
            hint="leave it out",
        )
    if entry.superseded_by is not None:
        raise Usage(
            f"record {entry.id} is superseded: chunk {entry.superseded_by} took the place of what "
            "was delivered with it",
            hint="leave it out; what came in its place was judged with that chunk",
        )
