"""Chunks of a job as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ingestor.cli.arguments import date_of
from ingestor.cli.output import duration, print_table

if TYPE_CHECKING:
    from ingestor.insights import ChunkLine, Trouble


def print_chunks(listed: Sequence[ChunkLine]) -> None:
    """Chunks with their receipts; nothing where there is none."""
    if not listed:
        return
    click.echo()
    counts = ("fetched", "stored", "quarantined", "already_stored")
    print_table(
        ("chunk", "state", "of", "first day", "attempts", *counts, "way", "sha256", "partial"),
        (_chunk_cells(line, counts) for line in listed),
        right=("chunk", "attempts", *counts),
    )


def _chunk_cells(line: ChunkLine, counts: tuple[str, ...]) -> tuple[object, ...]:
    receipt = line.receipt or {}
    return (
        line.chunk_id, line.state, f"{line.dataset} {line.schema}", date_of(line.start),
        line.attempt, *(receipt.get(name) for name in counts), receipt.get("way"),
        receipt.get("sha256", "")[:12] or None, receipt.get("partial") or None,
    )  # fmt: skip


def print_troubles(troubles: Sequence[Trouble]) -> None:
    """Chunks that failed or are tried again, and why; nothing where there is none."""
    if not troubles:
        return
    click.echo()
    print_table(
        ("chunk", "state", "of", "attempts", "again in", "error"),
        map(_trouble_cells, troubles),
        right=("chunk", "attempts", "again in"),
    )


def _trouble_cells(each: Trouble) -> tuple[object, ...]:
    again = None if each.again_in_s is None else duration(each.again_in_s)
    return (
        str(each.chunk_id), each.state, f"{each.dataset} {each.schema}", each.attempts, again,
        f"{each.error_code}: {each.error_text}",
    )  # fmt: skip
