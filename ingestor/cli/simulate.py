"""`hdi simulate`: a gateway that answers as Databento's does, from made-up records or files."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from ingestor.cli.path_types import PathType

if TYPE_CHECKING:
    from pathlib import Path

    from ingestor.simulator.server import Gateway

_EPILOG = """\b
Examples:
  hdi simulate --port 8811
  hdi simulate --folder ~/dbn --no-limits
  hdi simulate --per-day 200000 --start 2024-03-01 --end 2024-04-01
  hdi simulate --fault 'status:status=429,retry_after=7,count=3' \\
               --fault 'cut:at=20000,how=chunked,match.schema=trades'
"""
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(epilog=_EPILOG)
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=0, show_default="a free one",
    help="TCP port on 127.0.0.1.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True,
    help="Another seed makes other records of the same instruments.",
)  # fmt: skip
@click.option(
    "--per-day", type=click.IntRange(0), default=1_000, show_default=True, metavar="TRADES",
    help="Trades, and at most so many bars, per instrument, publisher and day.",
)  # fmt: skip
@click.option(
    "--start", "first", type=_DAY, default="2024-01-01", show_default=True, metavar="DATE",
    help="First day (UTC) with records.",
)  # fmt: skip
@click.option(
    "--end", "past", type=_DAY, default="2025-07-01", show_default=True, metavar="DATE",
    help="Day after the last one.",
)  # fmt: skip
@click.option(
    "--folder", type=PathType(exists=True, file_okay=False),
    help="Serve the .dbn and .dbn.zst files below this folder, instead of made-up records.",
)  # fmt: skip
@click.option("--no-limits", is_flag=True, help="Do not enforce the documented rate limits.")
@click.option(
    "--resolve-closed-days", is_flag=True,
    help="Answer named symbols on weekends with no records; the provider refuses them (422).",
)  # fmt: skip
@click.option(
    "--key", metavar="KEY", help="The only key to accept; else any db- with 29 more characters."
)
@click.option(
    "--fault", "faults", multiple=True, metavar="SPEC",
    help="Misbehave: kind:name=value,... or JSON; may be given several times.",
)  # fmt: skip
@click.option(
    "--keep-mb", type=click.IntRange(0), default=0, show_default=True, metavar="MB",
    help="Keep so much of what was streamed, and stream it again as it is: fast.",
)  # fmt: skip
@click.option("--quiet", is_flag=True, help="Print the address only.")
def simulate(
    port: int,
    seed: int,
    per_day: int,
    first: dt.datetime,
    past: dt.datetime,
    folder: Path | None,
    no_limits: bool,
    resolve_closed_days: bool,
    key: str | None,
    faults: tuple[str, ...],
    keep_mb: int,
    quiet: bool,
) -> None:
    """Run a Databento-compatible gateway for trials and rehearsals, until Ctrl-C or SIGTERM.

    The official client and hdi talk to it as to the provider: prices, limits and errors are
    the provider's, records and bills are made up. It listens on loopback only and every
    answer carries the header X-HDI-Simulator. docs/how-to/rehearse-with-the-simulator.md
    lists instruments and faults.
    """
    from ingestor.simulator.fault_specs import parse_spec
    from ingestor.simulator.options import SimulatorOptions
    from ingestor.simulator.server import serve

    options = SimulatorOptions(
        port=port,
        seed=seed,
        per_day=per_day,
        first=first.date(),
        past=past.date(),
        folder=folder,
        limits=not no_limits,
        resolve_closed_days=resolve_closed_days,
        key=key,
        faults=tuple(parse_spec(each) for each in faults),
        keep_mb=keep_mb,
    )
    serve(options, lambda gateway: _tell(gateway, own_key=key, quiet=quiet))


def _tell(gateway: Gateway, *, own_key: str | None, quiet: bool) -> None:
    """The address, and the settings that lead hdi there; a key that was given is not repeated."""
    click.echo(f"simulator  {gateway.url}")
    if quiet:
        return
    click.echo(f"export HDI_DATABENTO_GATEWAY={gateway.url}")
    if own_key is None:
        click.echo(f"export DATABENTO_API_KEY={gateway.key}")
