"""Reading what is stored, by symbols and days: as records, or as a DataFrame.

All of it is asynchronous; from a script, ``asyncio.run`` does (`docs/how-to/query.md`).
"""

from ingestor.query.question import (
    How,
    Question,
    proven,
    read_frame,
    read_records,
    select,
    stream_records,
)
from ingestor.query.reader import Reader
from ingestor.query.selection import By, Selection
from ingestor.query.series import Prices

__all__ = [
    "By",
    "How",
    "Prices",
    "Question",
    "Reader",
    "Selection",
    "proven",
    "read_frame",
    "read_records",
    "select",
    "stream_records",
]
