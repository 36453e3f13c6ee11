"""Giving a login one of the roles."""

from __future__ import annotations

from ingestor.errors import Usage
from ingestor.store.database import Database
from ingestor.store.queries import queries
from ingestor.vocabulary import Role

_CATALOGUE = queries("catalogue")


async def grant(database: Database, login: str, role: Role) -> None:
    """Makes `login` a member of the group `role`.

    Raises:
        Usage: There is no such login, or the role is the owner's.
    """
    if role is Role.OWNER:
        raise Usage("the owner's role is not given away", hint="grant worker or reader")
    if not await database.fetchval(_CATALOGUE["login_exists"], login):
        raise Usage(
            f"the server has no login {login!r}",
            hint="create it first: CREATE ROLE … LOGIN PASSWORD …",
        )
    # GRANT takes no parameters; both names are quoted by the server itself.
    statement = await database.fetchval(_CATALOGUE["grant_statement"], str(role), login)
    async with database.connection() as connection:
        await connection.execute(statement)
