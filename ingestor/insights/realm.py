"""Whether a database holds real or simulated data, and how people are told."""

from __future__ import annotations

from typing import Final

from ingestor.store.database import Database
from ingestor.store.meta import Fact, fact
from ingestor.vocabulary import Realm

SIMULATED: Final = "SIMULATED DATA: what this database holds came from a simulator, not a market"
"""Said on stderr wherever such data are shown."""


async def realm(database: Database) -> Realm | None:
    """The realm of a migrated database; None where nothing of a provider was stored yet.

    Files belong to either, so a database that holds only files has none.
    """
    held = await fact(database, Fact.REALM)
    return None if held is None else Realm(held)


async def realm_warnings(database: Database) -> tuple[str, ...]:
    """Lines for people; empty unless the data are simulated."""
    return (SIMULATED,) if await realm(database) is Realm.SIMULATED else ()
