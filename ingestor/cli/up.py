"""`hdi up`: the whole service in the foreground."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ingestor.cli.supervisor import Program
    from ingestor.settings import Settings


@click.command()
@click.option(
    "--workers", type=click.IntRange(1, 256), default=2, show_default=True,
    help="Worker processes.",
)  # fmt: skip
@click.option("--no-api", is_flag=True, help="Do not start the API (`hdi serve`).")
@click.option("--no-flower", is_flag=True, help="Do not start Flower.")
def up(workers: int, no_api: bool, no_flower: bool) -> None:
    """Run it all in the foreground: database, queue, workers, scheduler, API, Flower. Ctrl-C stops.

    Where HDI_DATABASE_URL or HDI_REDIS_URL is not set, the embedded stack is started for it and
    stopped again at the end; its data stay until `hdi stack reset`.

    \b
    Example:  hdi up --workers 4
    """
    import asyncio

    from ingestor.cli.supervisor import supervise
    from ingestor.settings import load_settings
    from ingestor.store.database import DatabaseOptions
    from ingestor.store.migrate import migrate
    from ingestor.vocabulary import Role

    settings = load_settings()
    # Looked up before anything starts: an address without a token is refused at once.
    api_url = None if no_api else _api_url(settings)
    started = settings.database_url is None or settings.redis_url is None
    if started:
        _start_stack()
        settings = load_settings()
    try:
        found = asyncio.run(
            migrate(
                DatabaseOptions.of(settings, Role.OWNER),
                trades_interval=settings.store.trades_interval,
                time_index=tuple(settings.store.time_index),
            )
        )
        edition = f"TimescaleDB {found.timescaledb}" if found.timescaledb else "no TimescaleDB"
        click.echo(f"database   migrated to {found.revision}, {edition}", err=True)
        grace_s = settings.worker.soft_shutdown_s + 10
        programs = _programs(workers, api_url, not no_flower)
        asyncio.run(supervise(programs, grace_s=grace_s))
    finally:
        if started:
            _stop_stack()


def _api_url(settings: Settings) -> str | None:
    """Where the API will answer; None where its extra is not installed."""
    from ingestor import api
    from ingestor.api.listening import endpoint

    if not api.installed():
        click.echo(f"api        left out: pip install '{api.EXTRA}'", err=True)
        return None
    section = settings.api
    return endpoint(section.address, section.port, guarded=settings.api_token is not None).url


def _start_stack() -> None:
    from ingestor import stack
    from ingestor.settings import load_settings

    settings = load_settings()
    database_url, redis_url = settings.database_url, settings.redis_url
    stack.up(
        settings.home,
        database_url=database_url.get_secret_value() if database_url else None,
        redis_url=redis_url.get_secret_value() if redis_url else None,
        report=lambda line: click.echo(f"stack      {line}", err=True),
    )


def _stop_stack() -> None:
    from ingestor import stack
    from ingestor.settings import load_settings

    stack.down(load_settings().home)
    click.echo("stack      stopped; data stay until `hdi stack reset`", err=True)


def _programs(workers: int, api_url: str | None, flower: bool) -> list[Program]:
    import os
    import sys

    from ingestor.cli.supervisor import Program
    from ingestor.settings import load_settings

    settings = load_settings()
    environment = dict(os.environ)
    if settings.log_format == "auto" and sys.stderr.isatty():
        # Their stderr is a pipe to us, ours is what a person looks at.
        environment["HDI_LOG_FORMAT"] = "console"
    hdi = [sys.executable, "-m", "ingestor.cli"]
    programs = [
        Program("worker", [*hdi, "worker", "--concurrency", str(workers)], environment),
        Program("scheduler", [*hdi, "scheduler"], environment),
    ]
    if api_url is not None:
        click.echo(f"api        {api_url}", err=True)
        programs.append(Program("api", [*hdi, "serve"], environment))
    if flower:
        address, port = settings.flower.address, settings.flower.port
        click.echo(f"flower     http://{address}:{port}", err=True)
        celery = [sys.executable, "-m", "celery", "-A", "workers.app", "flower"]
        programs.append(
            Program("flower", [*celery, f"--address={address}", f"--port={port}"], environment)
        )
    return programs
