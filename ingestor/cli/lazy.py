"""A click group that imports a command when it is used: `hdi --help` stays at click's own speed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """Commands by ``module:attribute``; near misses of a name are suggested."""

    def __init__(self, *args: Any, commands_from: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._from = dict(commands_from)

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self._from)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in self._from:
            return None
        module, _, attribute = self._from[cmd_name].partition(":")
        found: click.Command = getattr(import_module(module), attribute)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], self._from, n=1)
            if near:
                raise click.UsageError(
                    f"{error.format_message()} Did you mean {near[0]!r}?", ctx
                ) from error
            raise
