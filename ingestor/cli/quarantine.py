"""`hdi quarantine`: records that rules refused, to be seen, stored after all, or discarded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from ingestor.cli.quarantine_choice import check, check_choice, chosen, filters, wanted
from ingestor.cli.reasons import login, reasoned

if TYPE_CHECKING:
    from ingestor.insights.quarantine import Listing
    from ingestor.replay.outcome import Released, Replayed
    from ingestor.store.database import Database
    from ingestor.store.refused import Kept

_ID: Final = click.IntRange(1, 2**63 - 1)
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
_IDS = click.argument("ids", nargs=-1, type=_ID, metavar="[ID…]")


@click.group()
def quarantine() -> None:
    """See what rules refused, store what passes by now, discard what is wrong for good.

    A record that breaks a rule of severity quarantine, or that no table can hold, is kept with its
    bytes and the reason while the rest of its chunk is loaded. JOB is a unique prefix of the id, a
    name, or @last. Days are UTC days of the index timestamp; end is exclusive.
    """


@quarantine.command(
    "list",
    epilog="\b\nExamples:\n  hdi quarantine list --job @last\n"
    "  hdi quarantine list --rule high-not-below-low --date 2024-03-11 --json",
)
@filters
@click.option("--flagged", is_flag=True, help="Stored records that break a rule of severity flag.")
@click.option("--all", "everything", is_flag=True, help="Also what is resolved or superseded.")
@click.option(
    "--limit", type=click.IntRange(0, 1_000_000), default=50, show_default=True,
    help="Records at most; the counts are of all.",
)  # fmt: skip
@_AS_JSON
def list_(flagged: bool, everything: bool, limit: int, as_json: bool, **given: Any) -> None:
    """List records by the rule they broke: first how many each rule has, then the records.

    Symbols are raw symbols where one is known for the day, else instrument ids. Flagged records are
    listed up to store.flags_kept per chunk and rule; receipts count them all.
    """
    from ingestor.cli.connect import run, tell_realm
    from ingestor.cli.output import print_json
    from ingestor.cli.quarantine_output import print_listing
    from ingestor.insights import quarantine as insight
    from ingestor.vocabulary import Role

    check(given)

    async def work(database: Database) -> Listing:
        await tell_realm(database)
        kept: Kept = "flagged" if flagged else "refused"
        meant = await wanted(database, given, everything=everything)
        return await insight.listing(database, kept, meant, limit=limit)

    found = run(work, role=Role.READER)
    if as_json:
        print_json(found.as_json())
    else:
        print_listing(found, everything=everything)


@quarantine.command(epilog="\b\nExample:\n  hdi quarantine show 12")
@click.argument("number", type=_ID, metavar="ID")
@_AS_JSON
def show(number: int, as_json: bool) -> None:
    """Explain record ID field by field: what was delivered, what of it can be stored, and why not.

    Tells the rule that it broke, as the rule file has it today, and whether today's rules would
    accept it. Nothing is written.
    """
    from ingestor.cli.connect import run
    from ingestor.cli.output import print_json
    from ingestor.cli.quarantine_output import print_explanation
    from ingestor.insights import quarantine as insight
    from ingestor.insights.refusal import Explanation, explain_entry
    from ingestor.origins import open_sources
    from ingestor.settings import load_settings
    from ingestor.vocabulary import Role

    settings = load_settings()

    async def work(database: Database) -> Explanation:
        entry = await insight.record(database, number)
        return await explain_entry(database, settings, open_sources(settings), entry)

    found = run(work, role=Role.READER, settings=settings)
    if as_json:
        print_json(found.as_json())
    else:
        print_explanation(found)


@quarantine.command(
    epilog="\b\nExamples:\n  hdi quarantine replay 12 13\n"
    "  hdi quarantine replay --rule high-not-below-low --dataset GLBX.MDP3"
)
@_IDS
@filters
@click.option("--all-matching", is_flag=True, help="Without filters: all that is in quarantine.")
@_AS_JSON
def replay(ids: tuple[int, ...], all_matching: bool, as_json: bool, **given: Any) -> None:
    """Store the records that pass today's rules; the others stay in quarantine, untouched.

    They are made by today's mapping, judged by today's rules, and stored with their place in the
    order of delivery, once, however often and by whomever this is run. A job tells what was stored,
    in a receipt per chunk that had refused records. Discarded records are replayed by their ids
    only. Interrupted, what is not stored can be replayed again.
    """
    from ingestor.cli.connect import run
    from ingestor.cli.output import print_json, tell
    from ingestor.cli.quarantine_output import print_replayed, stored_so_far
    from ingestor.insights import quarantine as insight
    from ingestor.origins import open_sources
    from ingestor.replay.quarantined import Release
    from ingestor.settings import load_settings
    from ingestor.store.migrate import require_current
    from ingestor.vocabulary import Role

    check_choice(ids, given, all_matching=all_matching)
    settings = load_settings()
    done: list[Released] = []

    async def work(database: Database) -> Replayed | None:
        await require_current(database)
        found = await chosen(database, ids, given, insight.replayable)
        if not found:
            return None
        sources = open_sources(settings)
        release = Release(
            database, settings, sources, _process(), takes_back=bool(ids), told=done.append
        )
        return await release.replay(found)

    try:
        found = run(work, role=Role.WORKER, settings=settings)
    except BaseException:
        if done:
            tell(stored_so_far(done))
        raise
    if as_json:
        print_json(_nothing() if found is None else found.as_json())
    elif found is None:
        click.echo("nothing in quarantine matches")
    else:
        print_replayed(found)


@quarantine.command(
    epilog='\b\nExample:\n  hdi quarantine discard --rule size-above-zero --reason "test trades"'
)
@_IDS
@filters
@click.option("--reason", required=True, help="Why; kept with the records and your login.")
@click.option("--yes", is_flag=True, help="Do not ask, on a terminal too.")
def discard(ids: tuple[int, ...], reason: str, yes: bool, **given: Any) -> None:
    """Mark records as wrong for good: they are no longer listed, nor replayed by filters.

    Their rows stay, with who did it, when and why; `hdi quarantine list --all` shows them, and
    `hdi quarantine replay ID` stores one after all.
    """
    from ingestor.cli.connect import run
    from ingestor.cli.output import plural
    from ingestor.insights import quarantine as insight
    from ingestor.store import refused
    from ingestor.vocabulary import Role

    check_choice(ids, given)
    why = reasoned(reason)

    async def work(database: Database) -> int | None:
        found = await chosen(database, ids, given, insight.discardable)
        if not found:
            return None
        if sys.stdin.isatty() and not yes:
            asked = f"Discard {plural(len(found), 'record')} of quarantine?"
            click.confirm(asked, abort=True, err=True)
        return await refused.discard(database, found, reason=why)

    count = run(work, role=Role.WORKER)
    if count is None:
        click.echo("nothing in quarantine matches")
    else:
        click.echo(f"{plural(count, 'record')} discarded")


def _process() -> str:
    import os

    return f"{login()}/{os.getpid()}"


def _nothing() -> dict[str, Any]:
    from ingestor.replay.outcome import Replayed

    return Replayed(0).as_json()
