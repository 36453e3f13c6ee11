"""How a command reaches the database: one event loop, one small pool, closed at the end."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import PurePath
from typing import TypeVar

from ingestor.cli.output import tell
from ingestor.insights.realm import realm_warnings
from ingestor.settings import Settings, load_settings
from ingestor.store.database import Database, DatabaseOptions
from ingestor.vocabulary import Role

T = TypeVar("T")


def run(
    work: Callable[[Database], Awaitable[T]],
    *,
    role: Role,
    settings: Settings | None = None,
    patience_s: float | None = None,
) -> T:
    """Opens the database with the login of `role`, does `work` with it, and closes it.

    Args:
        settings: Those in use, where the command has loaded them already.
        patience_s: Longest wait for a connection, below the settings' own.

    Raises:
        BadSettings: No URL is set for the role.
        DatabaseUnavailable: The database cannot be reached.
    """
    options = DatabaseOptions.of(settings or load_settings(), role)
    if patience_s is not None:
        options = replace(options, connect_timeout_s=min(patience_s, options.connect_timeout_s))
    return asyncio.run(_opened(work, options))


async def _opened(work: Callable[[Database], Awaitable[T]], options: DatabaseOptions) -> T:
    async with Database(options, name=f"hdi:{PurePath(sys.argv[0]).name or 'cli'}") as database:
        return await work(database)


async def tell_realm(database: Database) -> None:
    """Says on stderr where the data are simulated."""
    for line in await realm_warnings(database):
        tell(line)
