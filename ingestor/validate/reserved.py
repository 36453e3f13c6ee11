"""Reserved bytes of wire records: constants of the schema, which no column keeps.

They are zero in what Databento writes of the schemas that have a table. A record that holds
something there could not be rebuilt from its row, so it is not made a row. Older versions are let
pass: what their reserved bytes held is gone in Databento's own upgrade, too. So are other wires.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from ingestor.dbn import NEWEST, layout, reserved_fields
from ingestor.model import Table
from ingestor.model.frame import Frame
from ingestor.model.reasons import reserved_reason
from ingestor.model.references import Facts
from ingestor.validate.finding import NO_ROWS, NOTHING, Check, Finding, of_table

RULE = "reserved"


def reserved_checks(table: Table) -> Iterator[Check]:
    """``<field>.reserved`` for each reserved field of the table's schema."""
    schema = table.schemas[0]
    wire = layout(schema, NEWEST)
    for field in reserved_fields(schema):
        rule = of_table(f"{field}.{RULE}", field, reserved_reason(field))
        yield Check(rule, partial(_strays, field, wire))


def _strays(field: str, wire: np.dtype[np.void], frame: Frame, facts: Facts) -> Finding:
    del facts
    if frame.raw.dtype != wire or not len(frame):
        return NOTHING
    octets = np.ascontiguousarray(frame.raw[field]).view(np.uint8).reshape(len(frame), -1)
    return Finding(np.flatnonzero(octets.any(axis=1)), NO_ROWS) if octets.any() else NOTHING
