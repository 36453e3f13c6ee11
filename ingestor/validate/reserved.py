"""Reserved bytes of wire records: constants of the schema, which no column keeps.

They are zero in what Databento writes of the schemas that have a table. A record that holds
something there could not be rebuilt from its row, so it is not made a row. Older versions are let
pass: what their reserved bytes held is gone in Databento's own upgrade, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ingestor.dbn import NEWEST, layout, reserved_fields

if TYPE_CHECKING:
    from ingestor.model.frame import Frame

RULE = "reserved"


def strays(frame: Frame) -> Iterator[tuple[int, str]]:
    """Row and rule ``<field>.reserved`` of every record with anything in a reserved field."""
    schema = frame.table.schemas[0]
    for name in reserved_fields(schema) if frame.raw.dtype == layout(schema, NEWEST) else ():
        for row in np.flatnonzero(frame.raw[name] != b""):
            yield int(row), f"{name}.{RULE}"
