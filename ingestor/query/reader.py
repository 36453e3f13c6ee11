"""What a read needs of the database; the store's `Database` has it. Rooms import no other room."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol


class Reader(Protocol):
    """Rows by query, and a connection for those too many to hold. Values travel as ``$n``."""

    async def fetch(self, query: str, *values: Any) -> list[Any]:
        """All rows; each is read by column name."""
        ...

    def connection(self) -> AbstractAsyncContextManager[Any]:
        """A connection with transactions, cursors and COPY, as asyncpg's has them."""
        ...
