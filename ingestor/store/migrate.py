"""Bringing a database to this version of HDI, and saying which version it is at."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from ingestor.errors import ForeignDatabase, SchemaOutdated
from ingestor.store.database import Database, DatabaseOptions
from ingestor.store.hypertables import has_timescaledb
from ingestor.store.migrations.statements import relations_of
from ingestor.store.queries import queries
from ingestor.store.sqlstates import translating

_CATALOGUE = queries("catalogue")
REVISIONS = tuple(sorted(
    each.name[1:5] for each in (files("ingestor.store.migrations") / "versions").iterdir()
    if each.name.startswith("v0")
))  # fmt: skip
"""Every migration, oldest first: ``versions/v<revision>_<name>.py``."""

HEAD = REVISIONS[-1]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a database holds of ours.

    Attributes:
        revision: The migration it is at; None where it was never migrated.
        timescaledb: Version of the extension; None for plain tables.
        license: ``apache`` or ``timescale``; None without the extension.
        hypertables: Name → number of hypertable chunks.
    """

    revision: str | None
    postgresql: str
    timescaledb: str | None
    license: str | None
    hypertables: dict[str, int]

    @property
    def current(self) -> bool:
        return self.revision == HEAD


async def catalogue(database: Database) -> Catalogue:
    """Looks the database over; changes nothing."""
    row = await database.fetchrow(_CATALOGUE["versions"])
    assert row is not None
    revision = await database.fetchval(_CATALOGUE["revision"]) if row["migrated"] else None
    made: dict[str, int] = {}
    if row["timescaledb"] is not None:
        rows = await database.fetch(queries("hypertables")["report"])
        made = {each["name"]: each["chunks"] for each in rows}
    return Catalogue(revision, row["postgresql"], row["timescaledb"], row["license"], made)


async def require_current(database: Database) -> None:
    """Return if the database is at this version's migration.

    Raises:
        SchemaOutdated: It is not.
    """
    found = await catalogue(database)
    if found.revision is None:
        raise SchemaOutdated("the database was never migrated", hint="run `hdi db migrate`")
    if not found.current:
        raise SchemaOutdated(
            f"the database is at migration {found.revision}, this HDI needs {HEAD}",
            hint="run `hdi db migrate` (or use the HDI version that migrated it)",
        )


async def migrate(
    options: DatabaseOptions, *, trades_interval: str, time_index: tuple[str, ...]
) -> Catalogue:
    """Brings the database to HEAD; does nothing where it is there.

    Args:
        trades_interval: Width of a hypertable chunk of ticks, for tables that are made now.
        time_index: Tables that get an index on the time column when they are made.

    Raises:
        ForeignDatabase: It holds tables of our names that are not ours.
    """
    async with Database(options, name="hdi:migrate") as database:
        before = await catalogue(database)
        if before.revision not in (None, *REVISIONS):
            raise SchemaOutdated(
                f"the database is at migration {before.revision}, which this HDI does not know",
                hint="use the HDI version that migrated it, or a newer one",
            )
        if not before.current:
            await _refuse_foreign(database, before.revision)
        if before.revision is None:
            await _try_extension(database)
        if not before.current:
            timescaledb = await has_timescaledb(database)
            await _upgrade(options, timescaledb, trades_interval, time_index)
        return await catalogue(database)


async def _refuse_foreign(database: Database, revision: str | None) -> None:
    """Refuses relations that carry a name which a migration still to come will give."""
    names = [name for each in REVISIONS if revision is None or each > revision
             for name in relations_of(each)]  # fmt: skip
    foreign = await database.fetchval(_CATALOGUE["foreign"], names, revision is None)
    # Asked again: another upgrade may have made them just now.
    if foreign and (await catalogue(database)).revision == revision:
        raise ForeignDatabase(
            f"the database already holds {', '.join(foreign)}, which HDI did not make",
            hint="give HDI a database of its own, or rename what is there",
        )


async def _try_extension(database: Database) -> None:
    """Turns TimescaleDB on where the server has it and the login may; plain tables otherwise."""
    if await database.fetchval(_CATALOGUE["may_create_extension"]):
        await database.fetchval(_CATALOGUE["create_extension"])


async def _upgrade(
    options: DatabaseOptions, timescaledb: bool, trades_interval: str, time_index: tuple[str, ...]
) -> None:
    # Alembic's environment runs an event loop of its own, so it needs a thread of its own.
    with translating(options.dsn):
        await asyncio.to_thread(_alembic, options.dsn, timescaledb, trades_interval, time_index)


def _alembic(
    dsn: str, timescaledb: bool, trades_interval: str, time_index: tuple[str, ...]
) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.exc import DBAPIError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes.update(
        url=_for_sqlalchemy(dsn), timescaledb=timescaledb, trades_interval=trades_interval,
        time_index=time_index,
    )  # fmt: skip
    try:
        command.upgrade(config, "head")
    except DBAPIError as error:
        # SQLAlchemy wraps asyncpg's error twice; the SQLSTATE is on the innermost.
        inner = error.orig.__cause__ if error.orig is not None else None
        raise (inner or error) from error


def _for_sqlalchemy(dsn: str) -> str:
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(scheme="postgresql+asyncpg"))
