"""The symbol type as an option's value. It loads click alone."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from ingestor.cli.arguments import meant
from ingestor.vocabulary import SType


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
        return [CompletionItem(str(each)) for each in SType if each.startswith(incomplete)]
