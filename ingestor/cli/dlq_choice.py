"""Which dead letters a command means: chunks, or filters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click
from click.shell_completion import CompletionItem

from ingestor.cli.arguments import JobType

F = TypeVar("F", bound=Callable[..., Any])

CHUNK: Final = click.IntRange(1, 2**31 - 1)
"""The id of a chunk."""
CHUNKS: Final = click.argument("chunks", nargs=-1, type=CHUNK, metavar="[CHUNK…]")


everything: Final = click.option(
    "--all", "closed", is_flag=True, help="Also letters that were retried or discarded."
)
"""Adds --all of a command that only reads."""


class CodeType(click.ParamType[str]):
    """The code of an error: the name of its class. Whether there is one, the ledger knows too."""

    name = "code"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        text = str(value).strip()
        if not text.isidentifier():
            self.fail(
                f"{text!r} is no code of an error; one looks like CorruptPayload.", param, ctx
            )
        return text

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from ingestor.insights.remedies import REMEDIES

        return [CompletionItem(each) for each in REMEDIES if each.startswith(incomplete)]


def filters(command: F) -> F:
    """Adds --job and --code."""
    for option in (
        click.option("--code", type=CodeType(), help="Letters of this error, e.g. CorruptPayload."),
        click.option("--job", type=JobType(), help="Letters of this job's chunks."),
    ):
        command = option(command)
    return command


def check_choice(
    chunks: tuple[int, ...], job: str | None, code: str | None, *, every: bool | None = None
) -> None:
    """Chunks or filters must be given, never both; without either, somebody must say so.

    Args:
        every: Whether somebody did; None where the command has no such option.

    Raises:
        click.UsageError: It is not so.
    """
    filtered = job is not None or code is not None
    if chunks and (filtered or every):
        raise click.UsageError("chunks and filters exclude each other; give one of them.")
    if not (chunks or filtered or every):
        more = "" if every is None else ", or --all for all open letters"
        raise click.UsageError(f"give chunks or filters (--job, --code){more}.")
