"""`hdi dlq`: chunks that failed for good, to be seen, retried, or left as they are."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import TYPE_CHECKING

import click

from ingestor.cli.dlq_choice import CHUNK, CHUNKS, check_choice, everything, filters
from ingestor.cli.dlq_export import export

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from ingestor.errors import BrokerUnavailable
    from ingestor.insights.letters import Listing, Told
    from ingestor.store.cases import Case
    from ingestor.store.database import Database

    Checked = Callable[[Database, tuple[int, ...]], Awaitable[list[Case]]]

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")


@click.group()
def dlq() -> None:
    """See which chunks failed for good and why, do them again, or let them be.

    Such a chunk leaves a *dead letter*: its request, its payload, every attempt and the error that
    ended it. The ledger keeps letters; HDI_DLQ_DIR of the host where the chunk ended has them as
    files. JOB is a unique prefix of the id, a name, or @last; CHUNK is a number of the list.
    """


@dlq.command(
    "list",
    epilog="\b\nExamples:\n  hdi dlq list\n  hdi dlq list --job @last --code CorruptPayload --json",
)
@filters
@everything
@click.option(
    "--limit", type=click.IntRange(0, 1_000_000), default=50, show_default=True,
    help="Letters at most; the counts are of all.",
)  # fmt: skip
@_AS_JSON
def list_(job: str | None, code: str | None, closed: bool, limit: int, as_json: bool) -> None:
    """List dead letters: first how many each error has, then the letters, latest first.

    Open ones, unless told otherwise: those that nobody has retried or discarded. Times are UTC;
    *from* is the first day of the chunk's index timestamps.
    """
    from ingestor.cli.connect import run, tell_realm
    from ingestor.cli.dlq_output import print_listing
    from ingestor.cli.output import print_json
    from ingestor.insights import letters
    from ingestor.vocabulary import Role

    async def work(database: Database) -> Listing:
        await tell_realm(database)
        wanted = await letters.choice(database, job, code, only_open=not closed)
        return await letters.listing(database, wanted, limit=limit)

    found = run(work, role=Role.READER)
    if as_json:
        print_json(found.as_json())
    else:
        print_listing(found, closed=closed)


@dlq.command(epilog="\b\nExample:\n  hdi dlq show 1204")
@click.argument("chunk", type=CHUNK)
@_AS_JSON
def show(chunk: int, as_json: bool) -> None:
    """Tell all of CHUNK: what was asked, its payload, every attempt, what to mend and what next.

    Attempts of earlier lives of the chunk, before it was retried, are among them. In JSON, start_ns
    and end_ns are index timestamps in nanoseconds since 1970, end exclusive; `earlier` holds the
    letters before the latest.
    """
    from ingestor.cli.connect import run
    from ingestor.cli.dlq_output import print_history
    from ingestor.cli.output import print_json
    from ingestor.insights import letters
    from ingestor.vocabulary import Role

    async def work(database: Database) -> list[Told]:
        return await letters.history(database, chunk)

    found = run(work, role=Role.READER)
    if as_json:
        latest, *earlier = [each.as_json() for each in found]
        print_json({"schema_version": 1, **latest, "earlier": earlier})
    else:
        print_history(found)


@dlq.command(
    epilog="\b\nExamples:\n  hdi dlq retry 1204 1207\n"
    "  hdi dlq retry --job @last --code TruncatedPayload\n  hdi dlq retry --all"
)
@CHUNKS
@filters
@click.option("--all", "every", is_flag=True, help="Without filters: all open letters.")
def retry(chunks: tuple[int, ...], job: str | None, code: str | None, every: bool) -> None:
    """Do failed chunks again; with a source that bills, this may buy.

    Attempts start at 1, and the job runs again; letters are closed as retried, and the trace of
    what was tried stays. What the vault has is not bought again. Discarded letters are retried by
    their chunks only.
    """
    from ingestor.cli.again import queued
    from ingestor.cli.connect import run
    from ingestor.cli.dlq_output import print_again
    from ingestor.cli.letter_files import bring_up_to_date
    from ingestor.insights import failed_chunks
    from ingestor.settings import load_settings
    from ingestor.vocabulary import Role

    check_choice(chunks, job, code, every=every)
    settings = load_settings()
    settings.redis_dsn()  # told before anything is changed; Redis itself may be away

    async def work(database: Database) -> BrokerUnavailable | None:
        found = await _chosen(database, chunks, job, code, failed_chunks.retryable)
        again = [each for each in found if each.retryable]
        counts = await _start(database, again)
        started = [each.chunk_id for each in again]
        await bring_up_to_date(database, settings.dlq_dir, chunk_ids=started)
        print_again(counts, found)
        return await queued(database, settings) if any(counts.values()) else None

    if (away := run(work, role=Role.WORKER, settings=settings)) is not None:
        raise away


async def _start(database: Database, again: list[Case]) -> dict[UUID, int]:
    """How many chunks of each job start again."""
    from ingestor.store import steering
    from ingestor.vocabulary import ChunkState

    by_job: dict[UUID, list[int]] = defaultdict(list)
    for each in again:
        by_job[each.job_id].append(each.chunk_id)
    return {
        job_id: await steering.retry(database, job_id, [ChunkState.FAILED], chunk_ids=chunk_ids)
        for job_id, chunk_ids in by_job.items()
    }


@dlq.command(
    epilog='\b\nExamples:\n  hdi dlq discard 1204 --reason "the venue was closed"\n'
    '  hdi dlq discard --job @last --code PayloadMissing --reason "files are lost"'
)
@CHUNKS
@filters
@click.option("--reason", required=True, help="Why; kept with the letters and your login.")
@click.option("--yes", is_flag=True, help="Do not ask, on a terminal too.")
def discard(
    chunks: tuple[int, ...], job: str | None, code: str | None, reason: str, yes: bool
) -> None:
    """Close letters of chunks that nobody will do again: they are no longer listed.

    The chunks stay failed, and their jobs as they ended. `hdi dlq list --all` shows them with the
    reason, and `hdi dlq retry CHUNK` does one after all.
    """
    from ingestor.cli.connect import run
    from ingestor.cli.letter_files import bring_up_to_date
    from ingestor.cli.output import plural
    from ingestor.cli.reasons import reasoned
    from ingestor.insights import failed_chunks
    from ingestor.settings import load_settings
    from ingestor.store import letters
    from ingestor.vocabulary import Role

    check_choice(chunks, job, code)
    settings = load_settings()
    note = reasoned(reason)

    async def work(database: Database) -> int:
        found = await _chosen(database, chunks, job, code, failed_chunks.discardable)
        ids = [each.chunk_id for each in found]
        if ids and sys.stdin.isatty() and not yes:
            asked = f"Discard the letters of {plural(len(ids), 'chunk')}?"
            click.confirm(asked, abort=True, err=True)
        closed = await letters.discard(database, ids, note=note) if ids else []
        await bring_up_to_date(database, settings.dlq_dir, chunk_ids=closed)
        return len(closed)

    count = run(work, role=Role.WORKER, settings=settings)
    if not count:
        click.echo("no dead letter matches")
    else:
        click.echo(f"{plural(count, 'letter')} discarded; {_stays(count)} failed")


def _stays(count: int) -> str:
    return "its chunk stays" if count == 1 else "their chunks stay"


async def _chosen(
    database: Database, chunks: tuple[int, ...], job: str | None, code: str | None, checked: Checked
) -> list[Case]:
    """The chunks that `checked` lets pass, or those whose open letters filters match."""
    from ingestor.insights import failed_chunks, letters

    if chunks:
        return await checked(database, chunks)
    return await failed_chunks.matching(database, await letters.choice(database, job, code))


dlq.add_command(export)
