"""`hdi symbols`: which symbol was which instrument, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ingestor.cli.arguments import DatasetType, DayType, date_of, whole_range
from ingestor.cli.symbol_types import SymbolType
from ingestor.vocabulary import Dataset, SType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingestor.query.meanings import Conflict, Meanings
    from ingestor.query.symbols import Interval

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
_STYPE_IN = click.option(
    "--stype-in",
    type=SymbolType(),
    default=SType.RAW_SYMBOL.value,  # of the member itself, click would show its name in the code
    show_default=True,
    help="What the symbols are.",
)
_LIMIT = click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True,
    help="Lines at most.",
)  # fmt: skip


@click.group()
def symbols() -> None:
    """Say which symbol was which instrument on which days, as payloads told it.

    Days are UTC days; of a range, start is inclusive and end exclusive.
    """


@symbols.command(
    epilog="\b\nExamples:\n"
    "  hdi symbols resolve ESH4 NQH4 --dataset GLBX.MDP3 --start 2024-03-11 --end 2024-03-15\n"
    "  hdi symbols resolve ES.c.0 --stype-in continuous --dataset GLBX.MDP3 \\\n"
    "                     --start 2024-03-01 --end 2024-04-01 --provider"
)
@click.argument("names", nargs=-1, required=True, metavar="SYMBOL…")
@click.option("--dataset", type=DatasetType(), required=True, help="Dataset, e.g. GLBX.MDP3.")
@click.option("--start", type=DayType(), required=True, help="First day, UTC.")
@click.option("--end", type=DayType(), required=True, help="Day after the last, UTC.")
@_STYPE_IN
@click.option(
    "--provider", "ask_provider", is_flag=True,
    help="Ask the provider instead of the database, free of charge; nothing is stored.",
)  # fmt: skip
@_AS_JSON
def resolve(
    names: tuple[str, ...],
    dataset: Dataset,
    start: int,
    end: int,
    stype_in: SType,
    ask_provider: bool,
    as_json: bool,
) -> None:
    """Print the instrument ids of each SYMBOL, day range by day range.

    The raw symbol beside is the instrument's own name on those days. An id (--stype-in
    instrument_id) is resolved to its raw symbols.

    Exit codes: 0 found, if only on some of the days; 2 a symbol was not found on any of them.
    """
    from ingestor.cli.symbol_answers import of_database, of_provider

    whole_range(start, end)
    ask = of_provider if ask_provider else of_database
    wanted = tuple(dict.fromkeys(names))
    found, error = ask(wanted, dataset, stype_in, date_of(start), date_of(end))
    _print_meanings(found, dataset, stype_in, as_json)
    if error is not None:
        raise error


def _print_meanings(found: Meanings, dataset: Dataset, stype_in: SType, as_json: bool) -> None:
    from dataclasses import asdict

    from ingestor.cli.output import print_json, print_table, tell

    if as_json:
        lines = [_ranged(asdict(each)) for each in found.found]
        print_json({
            "schema_version": 1, "dataset": dataset, "stype_in": stype_in, "symbols": lines,
            "partial": found.partial, "not_found": found.not_found,
        })  # fmt: skip
    elif found.found:
        print_table(
            ("symbol", "instrument_id", "raw_symbol", "start", "end"),
            ((e.symbol, str(e.instrument_id), e.raw_symbol, e.first, e.past) for e in found.found),
            right=("instrument_id",),
        )
    for symbol in found.partial:
        tell(f"note: {symbol} meant nothing on some of these days")


def _ranged(fields: dict[str, object]) -> dict[str, object]:
    """`first` and `past` are called start and end outside."""
    first, past = fields.pop("first"), fields.pop("past")
    return {**fields, "start": first, "end": past}


@symbols.command(
    "list", epilog="\b\nExample:\n  hdi symbols list --dataset GLBX.MDP3 --like ES --at 2024-03-11"
)
@click.option("--dataset", type=DatasetType(), required=True, help="Dataset, e.g. GLBX.MDP3.")
@click.option("--like", "prefix", default="", help="Only symbols that begin with this; ES, not es.")
@click.option("--at", type=DayType(), help="Only what was in force on this day, UTC.")
@_STYPE_IN
@_LIMIT
@_AS_JSON
def list_(
    dataset: Dataset, prefix: str, at: int | None, stype_in: SType, limit: int, as_json: bool
) -> None:
    """List the symbols that the database knows, with their instrument ids and days.

    Of a parent each member is a line, of a continuous symbol each contract it stood for.
    """
    from ingestor.cli.connect import run
    from ingestor.query.meanings import held_symbols
    from ingestor.store.database import Database
    from ingestor.vocabulary import Role

    day = None if at is None else date_of(at)

    async def work(database: Database) -> list[Interval]:
        return await held_symbols(
            database, dataset, stype_in=stype_in, prefix=prefix, at=day, limit=limit + 1
        )

    found = run(work, role=Role.READER)
    _print_list(found[:limit], dataset, stype_in, more=len(found) > limit, as_json=as_json)


def _print_list(
    found: list[Interval], dataset: Dataset, stype_in: SType, *, more: bool, as_json: bool
) -> None:
    from ingestor.cli.output import print_json, print_table, tell

    if as_json:
        lines = [
            {"symbol": e.symbol, "instrument_id": e.instrument_id, "start": e.first, "end": e.past}
            for e in found
        ]
        print_json({
            "schema_version": 1, "dataset": dataset, "stype_in": stype_in, "symbols": lines,
            "more": more,
        })  # fmt: skip
    elif found:
        print_table(
            ("symbol", "instrument_id", "start", "end"),
            ((e.symbol, str(e.instrument_id), e.first, e.past) for e in found),
            right=("instrument_id",),
        )
    else:
        tell(f"no such symbols of type {stype_in}; the other types are asked for with --stype-in")
    if more:
        tell("there are more; --limit N shows more of them, --like narrows them down")


@symbols.command(epilog="\b\nExample:\n  hdi symbols conflicts --dataset GLBX.MDP3")
@click.option("--dataset", type=DatasetType(), help="Only this one; all unless given.")
@_LIMIT
@_AS_JSON
def conflicts(dataset: Dataset | None, limit: int, as_json: bool) -> None:
    """List contradictions: a symbol that was several instruments on the same day.

    Also a raw symbol that shared its instrument with another one. Every mapping that was delivered
    is kept; a query for the symbol reads all of its instruments, and says so. Members of a parent
    are many by nature and no contradiction.
    """
    from ingestor.cli.connect import run
    from ingestor.query.meanings import conflicts as contradictions
    from ingestor.store.database import Database
    from ingestor.vocabulary import Role

    async def work(database: Database) -> list[Conflict]:
        return await contradictions(database, dataset, limit=limit + 1)

    found = run(work, role=Role.READER)
    _print_conflicts(found[:limit], more=len(found) > limit, as_json=as_json)


def _print_conflicts(found: list[Conflict], *, more: bool, as_json: bool) -> None:
    from dataclasses import asdict

    from ingestor.cli.output import print_json, print_table, tell

    if as_json:
        lines = [_ranged(asdict(each)) for each in found]
        print_json({"schema_version": 1, "conflicts": lines, "more": more})
    elif found:
        print_table(
            ("dataset", "type", "symbols", "instrument_ids", "start", "end", "told by"),
            (
                (e.dataset, e.stype_in, _joined(e.symbols), _joined(e.instrument_ids), e.first,
                 e.past, _joined(e.sources))
                for e in found
            ),
        )  # fmt: skip
    else:
        tell("no contradictions")
    if more:
        tell("there are more; --limit N shows more of them")


def _joined(words: Iterable[object]) -> str:
    return ", ".join(map(str, words))
