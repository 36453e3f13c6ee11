"""A plan as `--dry-run` shows it: what would be asked for, in how many chunks, at what price."""

from __future__ import annotations

from typing import Any

import click

from ingestor.cli.cost import usd
from ingestor.cli.output import plural, print_json
from ingestor.days import DAY_NS, date_of_day
from ingestor.job import ChunkPlan, JobPlan, RequestPlan

_SHOWN = 10


def print_plan(plan: JobPlan, *, as_json: bool) -> None:
    """The plan on stdout; nothing of it is recorded."""
    if as_json:
        print_json(
            {
                "schema_version": 1,
                "name": plan.name,
                "chunks": plan.chunk_count,
                "quoted_usd": plan.quoted_usd,
                "requests": [_as_json(each) for each in plan.requests],
                "notes": list(plan.notes),
            }
        )
        return
    click.echo(f"plan {plan.name}: {plural(plan.chunk_count, 'chunk')}, nothing recorded")
    for request in plan.requests:
        click.echo(f"  {_line(request)}")
        if plan.quoted_usd is not None:
            _echo_chunks(request)
    if plan.quoted_usd is not None:
        click.echo(f"  quoted {usd(plan.quoted_usd)}")


def _line(request: RequestPlan) -> str:
    what = f"{request.dataset} {request.schema}"
    records = _records(request)
    if records is not None:
        return f"{what}: {plural(records, 'record')} in {plural(len(request.chunks), 'chunk')}"
    symbols = plural(len(request.symbols), "symbol")
    if request.symbols == ("ALL_SYMBOLS",):
        symbols = "all symbols"
    span = f"{_day(request.start)} to {_day(request.end)}"
    return f"{what}: {symbols}, {span} in {plural(len(request.chunks), 'chunk')}"


def _echo_chunks(request: RequestPlan) -> None:
    for chunk in request.chunks[:_SHOWN]:
        symbols = request.symbols if chunk.symbols is None else chunk.symbols
        named = symbols[0] if len(symbols) == 1 else f"{symbols[0]} … {symbols[-1]}"
        click.echo(f"    {_day(chunk.start)} to {_day(chunk.end)}  {len(symbols):>5,}  {named}")
    if len(request.chunks) > _SHOWN:
        click.echo(f"    … and {plural(len(request.chunks) - _SHOWN, 'more chunk')}")


def _records(request: RequestPlan) -> int | None:
    """Records that were counted at planning; None where they are still to be fetched."""
    counted = [chunk.contents.records for chunk in request.chunks if chunk.contents is not None]
    return sum(counted) if len(counted) == len(request.chunks) and counted else None


def _as_json(request: RequestPlan) -> dict[str, Any]:
    return {
        "dataset": request.dataset,
        "schema": request.schema,
        "stype_in": request.stype_in,
        "symbols": list(request.symbols),
        "start": _day(request.start),
        "end": _day(request.end),
        "chunks": len(request.chunks),
        "records": _records(request),
        "partial": sorted({chunk.partial for chunk in request.chunks if chunk.partial}),
        "spans": [_span(chunk, request) for chunk in request.chunks],
    }


def _span(chunk: ChunkPlan, request: RequestPlan) -> dict[str, Any]:
    symbols = request.symbols if chunk.symbols is None else chunk.symbols
    return {"start": _day(chunk.start), "end": _day(chunk.end), "symbols": len(symbols)}


def _day(nanoseconds: int) -> str:
    return str(date_of_day(nanoseconds // DAY_NS))
