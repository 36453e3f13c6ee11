"""What the database holds: days by dataset and schema, as receipts have proven them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from ingestor.days import DaySet, day_of
from ingestor.query.reader import Reader
from ingestor.vocabulary import Dataset

_HELD: Final = """
SELECT dataset, schema, range_agg(days) AS days FROM ingest.coverage
WHERE $1::TEXT IS NULL OR dataset = $1
GROUP BY dataset, schema
"""

Holdings = Mapping[tuple[Dataset, str], DaySet]
"""(dataset, schema) → days of which at least one symbol is held."""


async def holdings(reader: Reader, dataset: Dataset | None = None) -> Holdings:
    """What is held, of one dataset or of all. Payloads that prove no whole day do not count."""
    rows = await reader.fetch(_HELD, dataset)
    return {(Dataset(row["dataset"]), row["schema"]): days_of(row["days"]) for row in rows}


def days_of(ranges: list[Any]) -> DaySet:
    """Days of a DATEMULTIRANGE."""
    return DaySet((_number(each.lower, dt.date.min), _number(each.upper, dt.date.max))
                  for each in ranges)  # fmt: skip


def _number(day: dt.date | None, open_end: dt.date) -> int:
    return day_of(day if day is not None else open_end)
