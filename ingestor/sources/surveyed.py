"""What the check pass over a file found, as planning sees it: DBN, CSV and Parquet alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ingestor.job import Contents
    from ingestor.vocabulary import Schema


class Surveyed(Protocol):
    """One file that passed it."""

    @property
    def path(self) -> Path: ...
    @property
    def dataset(self) -> str: ...
    @property
    def schema(self) -> Schema: ...

    @property
    def delivery(self) -> str:
        """Equal for files whose metadata are the same."""
        ...

    @property
    def contents(self) -> Contents: ...
    @property
    def sha256(self) -> str: ...
    @property
    def size(self) -> int: ...

    @property
    def index_range(self) -> tuple[int, int] | None:
        """First and last index timestamp of the whole file; None where none is defined."""
        ...

    @property
    def days(self) -> npt.NDArray[np.void]:
        """One row per day of the index timestamp and day of ts_event, ascending."""
        ...

    @property
    def undefined(self) -> int:
        """Records whose index timestamp is undefined."""
        ...

    def parts_with(self, other: Surveyed, /) -> bool:
        """Whether both can be parts of one delivery."""
        ...

    def arrays(self) -> Iterator[npt.NDArray[np.void]]:
        """The records, read again: one layout for all files of a schema, of whole 8-byte words."""
        ...
