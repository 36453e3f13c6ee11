"""Facts that hold for a whole database, fixed by whoever first has one to tell."""

from __future__ import annotations

from enum import StrEnum

from ingestor.errors import WrongRealm
from ingestor.store.database import Connection, Database
from ingestor.store.queries import queries
from ingestor.vocabulary import Realm

_META = queries("meta")


class Fact(StrEnum):
    """What `ingest.meta` holds."""

    REALM = "realm"
    VAULT_ID = "vault_id"


async def settle(connection: Connection, fact: Fact, value: str) -> str:
    """Fixes a fact unless it is fixed already; the value that holds.

    In a transaction it holds with the commit; another that fixes it meanwhile waits for that.
    """
    await connection.execute(_META["settle"], fact, value)
    held: str = await connection.fetchval(_META["fact"], fact)
    return held


async def fact(database: Database, which: Fact) -> str | None:
    """The value that holds; None where nobody has fixed it yet."""
    held: str | None = await database.fetchval(_META["fact"], which)
    return held


async def keep_realm(connection: Connection, realm: Realm | None) -> None:
    """Fixes the realm with the first payload of a gateway; files (None) belong to either.

    Raises:
        WrongRealm: The database holds payloads of the other.
    """
    if realm is not None:
        _same(realm, await settle(connection, Fact.REALM, realm))


async def check_realm(database: Database, realm: Realm | None) -> None:
    """Return if payloads of `realm` may enter the database; asked before anything is fetched.

    Raises:
        WrongRealm: It holds payloads of the other.
    """
    if realm is not None:
        _same(realm, await fact(database, Fact.REALM) or realm)


def _same(given: Realm, held: str) -> None:
    if held != given:
        raise WrongRealm(
            f"this database holds {held} data; {given} data are refused",
            hint="give each realm a database of its own (HDI_DATABASE_URL)",
        )
