"""`hdi stack`: TimescaleDB and Valkey of its own, for machines without Docker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from ingestor.stack import ServerStatus

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")


@click.group()
def stack() -> None:
    """Run a private TimescaleDB and Valkey, without Docker.

    They live under $HDI_HOME, listen on loopback only and have passwords. Servers named in
    HDI_DATABASE_URL and HDI_REDIS_URL are used instead.
    """


@stack.command(epilog="\b\nExample:\n  hdi stack up --edition timescaledb")
@click.option(
    "--edition",
    type=click.Choice(["auto", "timescaledb", "plain"]),
    default="auto",
    show_default=True,
    help="Database a first start chooses: TimescaleDB (Linux, root), or PostgreSQL without it.",
)
@click.option(
    "--redis",
    type=click.Choice(["auto", "tree", "wheel"]),
    default="auto",
    show_default=True,
    help="Valkey a first start chooses: out of the Debian tree, or the Python package.",
)
@_AS_JSON
def up(
    edition: Literal["auto", "timescaledb", "plain"],
    redis: Literal["auto", "tree", "wheel"],
    as_json: bool,
) -> None:
    """Start what is missing; harmless when it runs already.

    What a first start chooses is kept until `hdi stack reset`. Every hdi command finds the
    servers by itself; for other programs there is `hdi stack env`.
    """
    from ingestor.settings import load_settings
    from ingestor.stack import up as start

    settings = load_settings()
    database, queue = settings.database_url, settings.redis_url
    reached = start(
        settings.home,
        database_url=database.get_secret_value() if database else None,
        redis_url=queue.get_secret_value() if queue else None,
        edition=edition,
        redis=redis,
        report=_tell,
    )
    if as_json:
        editions = {"database": reached.database_edition, "redis": reached.redis_edition}
        _print_json({**editions, "timescaledb": reached.timescaledb, "home": str(reached.home)})
    else:
        _tell('up; for programs other than hdi: eval "$(hdi stack env)"')


@stack.command(epilog="\b\nExample:\n  hdi stack down")
def down() -> None:
    """Stop the stack's servers; their data stay."""
    from ingestor.settings import load_settings
    from ingestor.stack import down as stop

    home = load_settings().home
    stop(home, report=_tell)
    _tell(f"down; data stay in {home / 'stack'}")


@stack.command(epilog="\b\nExample:\n  hdi stack reset --yes")
@click.option("--yes", is_flag=True, help="Do it without asking.")
def reset(yes: bool) -> None:
    """Stop the stack's servers and delete all their data.

    Vault and dead letters stay; servers that are not the stack's own are not touched.
    """
    from ingestor.settings import load_settings
    from ingestor.stack import reset as delete

    home = load_settings().home
    if not yes:
        click.confirm(f"Delete the databases in {home / 'stack'}?", abort=True, err=True)
    delete(home, report=_tell)
    _tell("reset; the next `hdi stack up` starts anew")


@stack.command(epilog="\b\nExample:\n  hdi stack status --json")
@_AS_JSON
def status(as_json: bool) -> None:
    """Say what was chosen and what runs; starts nothing."""
    from ingestor.settings import load_settings
    from ingestor.stack import status as look

    found = look(load_settings().home)
    servers = {"database": found.database, "redis": found.redis}
    if as_json:
        facts = {name: _facts(server) for name, server in servers.items()}
        _print_json({"home": str(found.home), **facts})
        return
    for name, server in servers.items():
        click.echo(f"{name:<9} {_line(server)}")


@stack.command(epilog='\b\nExample:\n  eval "$(hdi stack env)"')
@_AS_JSON
def env(as_json: bool) -> None:
    """Print the settings that lead to the stack, as shell commands; they hold passwords."""
    from ingestor.errors import StackUnavailable
    from ingestor.settings import load_settings
    from ingestor.stack import read_env

    values = read_env(load_settings().home)
    if not values:
        raise StackUnavailable("the stack is down", hint="start it with `hdi stack up`")
    if as_json:
        _print_json({"env": values})
        return
    for name, value in values.items():
        click.echo(f"export {name}='{value}'")


def _facts(server: ServerStatus) -> dict[str, object]:
    return {
        "edition": server.edition,
        "running": server.pid is not None,
        "pid": server.pid,
        "port": server.port,
        "data": str(server.data),
    }


def _line(server: ServerStatus) -> str:
    if server.edition is None:
        return "none of its own"
    if server.pid is None:
        return f"{server.edition}, stopped, data in {server.data}"
    where = f"on port {server.port}" if server.port else "but not ready yet"
    return f"{server.edition}, running {where} (process {server.pid})"


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _print_json(facts: Mapping[str, object]) -> None:
    import json

    click.echo(json.dumps({"schema_version": 1, **facts}))
