"""What one payload's records are made into and judged by: mapping, rules and reference values.

Decode → transform → validate by them is here, too, so that whatever asks what rules would do to a
payload goes through the same rooms as a load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ingestor.model.frame import UNPLACED, Frame
from ingestor.model.references import Facts
from ingestor.store.references import read_references
from ingestor.transform import Mapping, Numbering, Spelled, load_mapping, numbering_of
from ingestor.validate import Rulebook, judge, load_rulebook

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.job import Claim
    from ingestor.model import Table
    from ingestor.model.verdict import Verdict
    from ingestor.sources.source import Payload, Source
    from ingestor.store.database import Database

_EVERYTHING_BATCH = 1_000_000


@dataclass(frozen=True, slots=True)
class Criteria:
    """What the records of one payload are made into, and judged by."""

    mapping: Mapping
    rulebook: Rulebook
    facts: Facts

    @classmethod
    def of(cls, config_dir: Path, origin: Source, claim: Claim) -> Self:
        """By the files of a configuration folder, read anew; no reference value is known yet.

        Raises:
            BadRules: A file is missing or wrong.
        """
        folder = config_dir / "mappings" / origin.mapping_folder(claim.dataset)
        mapping = load_mapping(folder, claim.schema)
        rulebook = load_rulebook(config_dir / "validation", mapping.table)
        return cls(mapping, rulebook, Facts(claim.dataset))

    async def informed(self, database: Database, claim: Claim, payload: Payload) -> Self:
        """The same, with the reference values that its rules ask for."""
        if not self.rulebook.needs:
            return self
        found = await read_references(
            database, claim.dataset, payload.contents, payload.symbology, self.rulebook.needs
        )
        return replace(self, facts=Facts(claim.dataset, found))


def numbered(
    origin: Source,
    payload: Payload,
    claim: Claim,
    mapping: Mapping,
    numbering: Numbering,
    count: int,
) -> Iterator[Frame]:
    """Decode → transform, one batch of about `count` records at a time, numbered."""
    for records, position in origin.batches(payload, claim, count):
        spelled = mapping.spell(records)
        yield Frame(
            mapping.table, spelled.columns, records, position,
            _ordinals(spelled, position, mapping.table, numbering), spelled.unread, mapping.cells,
        )  # fmt: skip


def judged(
    origin: Source,
    payload: Payload,
    claim: Claim,
    criteria: Criteria,
    numbering: Numbering,
    count: int,
) -> Iterator[Verdict]:
    """Decode → transform → validate, one batch of about `count` records at a time."""
    for frame in numbered(origin, payload, claim, criteria.mapping, numbering, count):
        yield judge(frame, criteria.rulebook, criteria.facts)


def _ordinals(
    spelled: Spelled, position: npt.NDArray[np.uint64], table: Table, numbering: Numbering
) -> npt.NDArray[np.int16]:
    """Ordinals of the records whose key could be read; `UNPLACED` of the others."""
    placed = _placed(spelled, table)
    if placed is None:
        return numbering.ordinals(spelled.columns, position)
    made = np.full(len(position), UNPLACED, np.int16)
    some = {name: values[placed] for name, values in spelled.columns.items()}
    made[placed] = numbering.ordinals(some, position[placed])
    return made


def _placed(spelled: Spelled, table: Table) -> npt.NDArray[np.bool_] | None:
    """Which records have a key that could be read; None: all."""
    unread = [mask for name, mask in spelled.unread.items() if name in table.key]
    return ~np.logical_or.reduce(unread) if unread else None


def numbering_for(
    origin: Source, payload: Payload, claim: Claim, mapping: Mapping
) -> Callable[[], Numbering]:
    """A maker of numberings, one per try of the load, which share what had to be read for them."""
    preceding = origin.preceding(payload, claim)
    before = None if preceding is None else _keys(preceding, mapping)[0]
    ordered = payload.contents.ordered
    everything = None if ordered else _everything(origin, payload, claim, mapping)
    return lambda: numbering_of(
        mapping.table, ordered=ordered, before=before, everything=everything
    )


def _keys(
    records: npt.NDArray[np.void], mapping: Mapping
) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.bool_] | None]:
    """Key columns of the records whose key could be read, and which those are; None: all."""
    spelled = mapping.spell(records, [name for name in mapping.table.key if name != "ordinal"])
    placed = _placed(spelled, mapping.table)
    if placed is None:
        return spelled.columns, None
    return {name: values[placed] for name, values in spelled.columns.items()}, placed


def _everything(
    origin: Source, payload: Payload, claim: Claim, mapping: Mapping
) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.uint64]]:
    """Key columns and positions of all records of the slice: 34 bytes a record."""
    columns: dict[str, list[npt.NDArray[Any]]] = {
        name: [np.empty(0, mapping.table[name].kind.frame)]
        for name in mapping.table.key
        if name != "ordinal"
    }
    positions = [np.empty(0, np.uint64)]
    for records, position in origin.batches(payload, claim, _EVERYTHING_BATCH):
        found, placed = _keys(records, mapping)
        for name, values in found.items():
            columns[name].append(values)
        positions.append(position if placed is None else position[placed])
    return {name: np.concatenate(parts) for name, parts in columns.items()}, np.concatenate(
        positions
    )
