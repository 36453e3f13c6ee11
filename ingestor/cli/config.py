"""`hdi config`: which settings are used, and where they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click


@click.group()
def config() -> None:
    """Show the settings in use and where they come from."""


@config.command()
@click.option("--sources", is_flag=True, help="Also say where each value came from.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def show(sources: bool, as_json: bool) -> None:
    """Print every setting; passwords and keys are masked.

    \b
    Example:
      hdi config show --sources
    """
    from ingestor.settings import load_settings
    from ingestor.settings.reference import masked

    settings = load_settings()
    values = masked(settings)
    origins = settings.sources if sources else {}
    if as_json:
        extra = {"sources": dict(origins)} if sources else {}
        click.echo(_as_json("settings", values, **extra))
        return
    rows = [(name, _text(value), origins.get(name, "")) for name, value in values.items()]
    for line in _aligned(rows):
        click.echo(line)


@config.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def path(as_json: bool) -> None:
    """Print the files and folders in use, and whether they exist.

    \b
    Example:
      hdi config path
    """
    from pathlib import Path

    from ingestor.settings import load_settings
    from ingestor.settings.reference import places

    found = places(load_settings())
    if as_json:
        click.echo(_as_json("places", {name: str(place) for name, place in found.items()}))
        return
    rows = [
        (name, str(place), "(not there)" if isinstance(place, Path) and not place.exists() else "")
        for name, place in found.items()
    ]
    for line in _aligned(rows):
        click.echo(line)


def _as_json(name: str, values: Mapping[str, object], **extra: object) -> str:
    import json

    return json.dumps({"schema_version": 1, name: values, **extra}, indent=2)


def _text(value: object) -> str:
    if value is None:
        return "–"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Columns two spaces apart, as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
