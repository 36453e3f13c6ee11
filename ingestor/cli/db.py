"""`hdi db`: the database's schema and who may do what in it."""

from __future__ import annotations

import click


@click.group()
def db() -> None:
    """Migrate the database, look it over, grant roles."""


@db.command()
def migrate() -> None:
    """Bring the database to this version of HDI; safe to repeat, safe to run twice at once.

    Needs the owner's login (HDI_DATABASE_URL). A database that holds tables of our names which
    HDI did not make is refused and left as it is.

    \b
    Example:  hdi db migrate
    """
    import asyncio

    from ingestor.settings import load_settings
    from ingestor.store.database import DatabaseOptions
    from ingestor.store.migrate import migrate as bring_up
    from ingestor.vocabulary import Role

    settings = load_settings()
    found = asyncio.run(
        bring_up(
            DatabaseOptions.of(settings, Role.OWNER),
            trades_interval=settings.store.trades_interval,
            time_index=tuple(settings.store.time_index),
        )
    )
    edition = f"TimescaleDB {found.timescaledb}" if found.timescaledb else "plain tables"
    click.echo(f"migrated to {found.revision}: PostgreSQL {found.postgresql}, {edition}")
    if not found.timescaledb:
        click.echo("no TimescaleDB here: tables are plain, not hypertables", err=True)


@db.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def status(as_json: bool) -> None:
    """Say which migration the database is at, what kind of data it holds, its hypertables.

    \b
    Example:  hdi db status --json
    """
    from dataclasses import asdict

    from ingestor.cli.connect import run
    from ingestor.cli.output import print_json, tell
    from ingestor.insights.realm import SIMULATED, realm
    from ingestor.store.database import Database
    from ingestor.store.migrate import HEAD, Catalogue, catalogue
    from ingestor.vocabulary import Realm, Role

    async def work(database: Database) -> tuple[Catalogue, Realm | None]:
        found = await catalogue(database)
        return found, await realm(database) if found.revision else None

    found, held = run(work, role=Role.READER)
    if held is Realm.SIMULATED:
        tell(SIMULATED)
    if as_json:
        print_json({**asdict(found), "needs": HEAD, "realm": held})
        return
    click.echo(f"migration    {found.revision or 'never migrated'} (this HDI: {HEAD})")
    click.echo(f"PostgreSQL   {found.postgresql}")
    click.echo(f"TimescaleDB  {found.timescaledb or 'none: plain tables'} {found.license or ''}")
    click.echo(f"data         {held or 'of no provider yet'}")
    for name, chunks in found.hypertables.items():
        click.echo(f"  {name:<18} {chunks} hypertable chunks")


@db.command()
@click.argument("login")
@click.option(
    "--role", type=click.Choice(["worker", "reader"]), required=True, help="What it may do."
)
def grant(login: str, role: str) -> None:
    """Give LOGIN, which must exist on the server, a worker's or a reader's rights.

    \b
    Example:  hdi db grant grafana --role reader
    """
    from ingestor.cli.connect import run
    from ingestor.store.grants import grant as give
    from ingestor.vocabulary import Role

    wanted = Role.WORKER if role == "worker" else Role.READER
    run(lambda database: give(database, login, wanted), role=Role.OWNER)
    click.echo(f"{login} is a {role} now")
