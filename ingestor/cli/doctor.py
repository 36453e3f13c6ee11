"""`hdi doctor`: is everything there that HDI needs?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ingestor.cli.checks import Finding


@click.command(epilog="\b\nExample:\n  hdi doctor --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def doctor(as_json: bool) -> int:
    """Check settings, database, Redis, processes and folders; change nothing.

    A line per check, ok, warn or fail, with what to do next. Warnings leave HDI able to work.

    Exit codes: 0 nothing failed, 1 something did, 6 a service cannot be reached.
    """
    from ingestor.cli.output import print_json

    findings = _findings()
    failed = [each for each in findings if each.level == "fail"]
    if as_json:
        print_json({
            "schema_version": 1,
            "ok": not failed,
            "checks": [
                {"name": e.name, "level": e.level, "found": e.found, "next": e.next}
                for e in findings
            ],
        })  # fmt: skip
    else:
        _print(findings)
    if any(each.code == 6 for each in failed):
        return 6
    return 1 if failed else 0


def _findings() -> list[Finding]:
    import asyncio

    from ingestor.cli import checks
    from ingestor.errors import BadSettings
    from ingestor.settings import load_settings

    try:
        settings = load_settings()
    except BadSettings as error:
        return [checks.Finding("settings", checks.Level.FAIL, error.message, error.hint)]
    given = sum(origin != "default" for origin in settings.sources.values())
    found = f"{given} set, the rest are defaults; configuration in {settings.config_dir}"
    return [
        checks.Finding("settings", checks.Level.OK, found),
        *asyncio.run(checks.database_findings(settings)),
        *checks.redis_findings(settings),
        *checks.folder_findings(settings),
    ]


def _print(findings: list[Finding]) -> None:
    width = max(len(each.name) for each in findings)
    for each in findings:
        click.echo(f"{each.level:<4}  {each.name:<{width}}  {each.found}")
        if each.next:
            click.echo(f"{'':<4}  {'':<{width}}  next: {each.next}")
