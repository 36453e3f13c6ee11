"""What requests share: the database, opened with a reader's login, and the checks of readiness."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import Depends, Request

from ingestor import insights
from ingestor.broker import Broker
from ingestor.settings import Settings
from ingestor.store.database import Database, DatabaseOptions
from ingestor.vocabulary import Role


class Service:
    """Made before anything is reached: the process answers while its database is away."""

    def __init__(self, settings: Settings) -> None:
        """Connects to nothing.

        Raises:
            NotConfigured: No URL of a database or of Redis is set.
        """
        self._database = Database(DatabaseOptions.of(settings, Role.READER), name="hdi:api")
        self._opening: asyncio.Task[None] | None = None
        self._broker = Broker(settings)
        self.readiness = insights.Readiness(self.opened, self._broker)

    async def opened(self) -> Database:
        """The open database; one attempt to open it however many ask.

        Raises:
            DatabaseUnavailable: It is away.
        """
        if not self._database.is_open:
            if self._opening is None or self._opening.done():
                self._opening = asyncio.create_task(self._database.open())
            # Shielded: a caller who leaves must not break it off for the others.
            await asyncio.shield(self._opening)
        return self._database

    async def close(self) -> None:
        """Also breaks off an attempt to open the database."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        await self._database.close()
        self._broker.close()


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


# Not the open database: parameters are judged after dependencies, and a bad one is to be told
# while the database is away, too.
Shared = Annotated[Service, Depends(_service)]
