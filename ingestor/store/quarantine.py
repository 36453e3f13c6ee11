"""What rules say of one load's records: spooled to files while the chunk loads, copied at its end.

Memory does not grow with them: a chunk of millions of bad records costs disk, not RAM.
"""

from __future__ import annotations

import socket
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import IO, TYPE_CHECKING, Final, Self

import numpy as np

from ingestor.errors import LocalFault
from ingestor.model.verdict import Judged, Verdict
from ingestor.store.binary_copy import HEADER, TRAILER
from ingestor.store.database import Connection
from ingestor.store.judged_lines import FLAGGED, REFUSED, lines

if TYPE_CHECKING:
    import numpy.typing as npt

_IN_MEMORY: Final = 1 << 20
_PIECE: Final = 4_096
"""Records that are spelled out at once: some 10 MB of readable values."""

Raw = Callable[["npt.NDArray[np.void]"], list[bytes]]
"""Each record's bytes as delivered: `Source.raw`."""


class Spool:
    """Records on their way to `ingest.quarantine` and `ingest.flagged`, and rows of refused ones.

    Attributes:
        count: Records that go to quarantine.
        flagged_records: Stored records that break a rule of severity flag, each once.
    """

    def __init__(self, chunk_id: int, rules_hash: str, flags_kept: int) -> None:
        """`flags_kept`: how many flagged records are listed for each rule; all are counted."""
        self.chunk_id = chunk_id
        self.rules_hash = rules_hash
        self.count = self.flagged_records = 0
        self._flags_kept = flags_kept
        self._rejected, self._flags, self._undecided, self._listed = (
            Counter[str]() for _ in range(4)
        )
        # Closed by __exit__.
        self._quarantine, self._flagged, self._refused = (_file() for _ in range(3))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in (self._quarantine, self._flagged, self._refused):
            file.close()

    @property
    def rejected(self) -> dict[str, int]:
        """Rule → records that it kept out, most first; they sum to `count`."""
        return dict(self._rejected.most_common())

    @property
    def flags(self) -> dict[str, int]:
        """Rule → stored records that break it, listed or not, most first."""
        return dict(self._flags.most_common())

    @property
    def undecided(self) -> dict[str, int]:
        """Rule → stored records it could not be decided for, most first."""
        return dict(self._undecided.most_common())

    def add(self, verdict: Verdict, raw: Raw) -> None:
        """Takes what a verdict refuses and flags.

        Raises:
            LocalFault: The temporary files cannot be written.
        """
        self.count += len(verdict.rejected)
        self.flagged_records += verdict.flagged_records
        self._rejected.update(verdict.rejected.counts)
        self._flags.update(verdict.flagged.counts)
        self._undecided.update(verdict.undecided)
        for piece in _pieces(verdict.rejected):
            self._write(self._quarantine, piece, raw(piece.frame.raw))
        for piece in _pieces(self._to_list(verdict.flagged)):
            self._write(self._flagged, piece)

    def refuse(self, rows: memoryview) -> None:
        """Takes binary COPY rows of records that a rule refuses: no row may keep their key."""
        if len(rows):
            with _writing():
                self._refused.write(rows if self.refuses else HEADER + bytes(rows))

    @property
    def refuses(self) -> bool:
        """Whether `refuse` took anything."""
        return self._refused.tell() > 0

    async def copy_refused(self, connection: Connection, table: str, names: Sequence[str]) -> None:
        """Writes what `refuse` took to a temporary table; nothing may be refused after it."""
        with _writing():
            self._refused.write(TRAILER)
        self._refused.seek(0)
        await connection.copy_to_table(table, columns=names, source=self._refused, format="binary")

    async def copy_to(self, connection: Connection) -> None:
        """Writes quarantined and flagged records inside the connection's transaction."""
        for table, names, file in (
            ("quarantine", REFUSED, self._quarantine),
            ("flagged", FLAGGED, self._flagged),
        ):
            if file.tell():
                file.seek(0)
                await connection.copy_to_table(
                    table, schema_name="ingest", columns=names, source=file
                )

    def _to_list(self, flagged: Judged) -> Judged:
        """The first records of each rule, while fewer of it are listed than may be."""
        chosen = np.zeros(len(flagged), np.bool_)
        for place, rule in enumerate(flagged.rules):
            room = self._flags_kept - self._listed[rule.id]
            some = np.flatnonzero(flagged.rule == place)[:room]
            chosen[some] = True
            self._listed[rule.id] += len(some)
        return flagged if bool(chosen.all()) else _take(flagged, np.flatnonzero(chosen))

    def _write(self, file: IO[bytes], piece: Judged, raw: list[bytes] | None = None) -> None:
        made = lines(piece, chunk_id=self.chunk_id, rules_hash=self.rules_hash, raw=raw)
        with _writing():
            file.write(made)


def _pieces(judged: Judged) -> Iterator[Judged]:
    for at in range(0, len(judged), _PIECE):
        yield _take(judged, np.arange(at, min(at + _PIECE, len(judged))))


def _take(judged: Judged, rows: npt.NDArray[np.intp]) -> Judged:
    return Judged(judged.frame.take(rows), judged.rule[rows], judged.rules)


def _file() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(_IN_MEMORY)


@contextmanager
def _writing() -> Iterator[None]:
    """Translates what the file system says; else it would pass for the database's answer."""
    try:
        yield
    except OSError as error:
        raise LocalFault(
            f"{socket.gethostname()} cannot write refused records to {tempfile.gettempdir()}: "
            f"{error.strerror}",
            hint="make room there, or name another folder in TMPDIR",
        ) from error
