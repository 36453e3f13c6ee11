"""The symbol type as an option's value. It loads click alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ingestor.cli.arguments import completions, meant
from ingestor.vocabulary import SType

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class SymbolType(click.ParamType[SType]):
    """One symbol type; near misses are suggested."""

    name = "type"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> SType:
        text = str(value).strip().lower()
        try:
            return SType(text)
        except ValueError:
            allowed = ", ".join(SType)
            near = meant(text, list(SType))
            self.fail(f"{text!r} is no symbol type; there are {allowed}.{near}", param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        del param, ctx
        return "|".join(SType)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return completions(SType, incomplete)
