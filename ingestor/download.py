"""Whose a download is: the request that it answers, the chunk and the attempt that began it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

_NAME: Final = re.compile(r"([0-9a-f]+)\.([0-9]{1,9})\.([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Download:
    """What a file of a payload under way is called by.

    Attributes:
        key: Of its request.
        fence: Of the attempt that began it.
    """

    key: str
    chunk_id: int
    fence: int

    @classmethod
    def named(cls, name: str) -> Self | None:
        """What a name says; None where it names no download of a chunk."""
        found = _NAME.fullmatch(name)
        return None if found is None else cls(found[1], int(found[2]), int(found[3]))

    @property
    def name(self) -> str:
        return f"{self.key}.{self.chunk_id}.{self.fence}"
