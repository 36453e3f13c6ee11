"""docker-compose.yml as the tests read it: interpolated with defaults, aliases resolved."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click
import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
_VARIABLE = re.compile(r"(?<!\$)\$\{([A-Z_]+):-([^}]*)\}")

Service = dict[str, Any]


@cache
def whole() -> dict[str, Any]:
    text = FILE.read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(_VARIABLE.sub(r"\2", text))
    return loaded


def services() -> dict[str, Service]:
    found: dict[str, Service] = whole()["services"]
    return found


def ours() -> dict[str, Service]:
    """The services that run our images."""
    return {name: each for name, each in services().items() if "build" in each}


def variables() -> set[str]:
    """Names that Compose interpolates."""
    return {name for name, _ in _VARIABLE.findall(FILE.read_text(encoding="utf-8"))}


def seconds(text: str) -> float:
    """``1m30s`` → 90."""
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(float(n) * units[unit] for n, unit in re.findall(r"(\d+)([hms])", text))


@dataclass(frozen=True, slots=True)
class Mount:
    """One entry of `volumes` in its short form."""

    source: str
    target: str
    read_only: bool


def mounts(service: Service) -> list[Mount]:
    found = []
    for text in service.get("volumes", []):
        source, target, *mode = text.split(":")
        found.append(Mount(source, target, mode == ["ro"]))
    return found


def parse(command: list[str]) -> click.Context:
    """What click makes of an `hdi …` command line, without running it; raises as click does."""
    from ingestor.cli.main import cli

    name, *arguments = command
    assert name == "hdi"
    found: click.Command = cli
    context = cli.make_context("hdi", arguments)
    while isinstance(found, click.Group):
        rest = [*context._protected_args, *context.args]
        word, inner, arguments = found.resolve_command(context, rest)
        assert inner is not None
        found = inner
        context = found.make_context(word, arguments, parent=context)
    return context
