"""Records that are found to break one rule: all are counted, the first are listed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import orjson

from ingestor.model.kind import UINT64_MAX
from ingestor.model.readable import readable
from ingestor.store.judged_lines import values_of
from ingestor.store.rechecks import Flag

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.model.frame import Frame
    from ingestor.model.verdict import Rule
    from ingestor.validate.finding import Finding


@dataclass(slots=True)
class Found:
    """What one rule says of the records of a chunk.

    Attributes:
        broken: Records that break it; `flags` has the first `kept` of them.
        undecided: Records of which that is not known.
    """

    rule: Rule
    kept: int
    broken: int = 0
    undecided: int = 0
    flags: list[Flag] = field(default_factory=list)

    def add(self, frame: Frame, finding: Finding) -> None:
        """Takes in one batch."""
        self.broken += len(finding.broken)
        self.undecided += len(finding.undecided)
        room = self.kept - len(self.flags)
        if room > 0 and len(finding.broken):
            self.flags += _flags(self.rule, frame, finding.broken[:room])


def _flags(rule: Rule, frame: Frame, rows: npt.NDArray[np.intp]) -> list[Flag]:
    some = frame.take(rows)
    read = readable(some)
    columns = some.columns
    index = columns[some.table.index_column].tolist()
    return [
        Flag(position, value, orjson.dumps(line).decode(), publisher, instrument,
             None if at == UINT64_MAX else at, ordinal)
        for position, value, line, publisher, instrument, at, ordinal in zip(
            some.position.tolist(), values_of(rule, read), read,
            columns["publisher_id"].tolist(), columns["instrument_id"].tolist(), index,
            some.ordinal.tolist(), strict=True)
    ]  # fmt: skip
