"""What a vault needs of the place it is in. Names are those of `layout`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ingestor.job import PayloadRef


class Storage(Protocol):
    """A folder or an object store. What it writes is there whole or not at all, also after a crash.

    Every method raises VaultUnavailable where the place does not answer, and LocalFault where this
    host cannot write or may not read.

    Attributes:
        place: How people call it; holds no secret.
        incoming: Folder of this host for downloads and temporary files.
    """

    place: str
    incoming: Path

    def size(self, name: str) -> int | None:
        """Bytes; None where there is nothing of that name."""
        ...

    def read(self, name: str) -> bytes | None: ...

    def write(self, name: str, content: bytes) -> None:
        """Puts `content` there, instead of what was there."""
        ...

    def create(self, name: str, content: bytes) -> None:
        """Puts `content` there unless something is: of several at once, one succeeds."""
        ...

    def take(self, part: Path, name: str) -> None:
        """Puts the bytes of a local file there; the file stays."""
        ...

    def holds(self, name: str, ref: PayloadRef) -> bool:
        """Whether the payload is there, as far as the place can tell without moving its bytes."""
        ...

    def remove(self, name: str) -> None:
        """Does nothing where there is nothing of that name."""
        ...

    def move(self, name: str, to: str) -> None:
        """Does nothing where there is nothing of that name."""
        ...

    def names(self, prefix: str) -> Sequence[str]:
        """Names in one folder that begin with `prefix`."""
        ...

    def local(self, name: str, ref: PayloadRef) -> Path:
        """A path of this host with the payload's bytes.

        Raises:
            PayloadMissing: It is not there.
            CorruptPayload: What came is not what was recorded.
        """
        ...
