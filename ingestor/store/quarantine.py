"""Quarantine rows of one load: spooled to a file while the chunk loads, copied at its end.

Memory does not grow with them: a chunk of millions of bad records costs disk, not RAM.
"""

from __future__ import annotations

import tempfile
from types import TracebackType
from typing import IO, Self

from ingestor.model.verdict import Rejected
from ingestor.store.database import Connection

_COLUMNS = (
    "chunk_id", "position", "raw", "rule", "field", "value", "reason",
    "publisher_id", "instrument_id", "index_ns", "ordinal",
)  # fmt: skip
_IN_MEMORY = 1 << 20
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Spool:
    """Rejected records on their way to `ingest.quarantine`, in COPY's text format."""

    def __init__(self, chunk_id: int) -> None:
        self.chunk_id = chunk_id
        self.count = 0
        # Closed by __exit__.
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, rejected: tuple[Rejected, ...]) -> None:
        for each in rejected:
            self._file.write(self._line(each))
        self.count += len(rejected)

    def _line(self, each: Rejected) -> bytes:
        words = (str(self.chunk_id), str(each.position), f"\\\\x{each.raw.hex()}",
                 _escaped(each.rule), _escaped(each.field), _escaped(each.value),
                 _escaped(each.reason), str(each.publisher_id), str(each.instrument_id),
                 "\\N" if each.index_ns is None else str(each.index_ns),
                 str(each.ordinal))  # fmt: skip
        return "\t".join(words).encode() + b"\n"

    async def copy_to(self, connection: Connection) -> None:
        """Writes the rows inside the connection's transaction."""
        if self.count:
            self._file.seek(0)
            await connection.copy_to_table(
                "quarantine", schema_name="ingest", columns=_COLUMNS, source=self._file
            )


def _escaped(text: str) -> str:
    return text.replace("\0", "\\0").translate(_ESCAPES)
