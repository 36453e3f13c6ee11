"""`hdi verify`: whether the tables hold what the receipts promise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from ingestor.cli.arguments import JobType
from ingestor.errors import NotVerified

if TYPE_CHECKING:
    from ingestor.insights.differences import Difference
    from ingestor.insights.verification import Show, Verification
    from ingestor.vocabulary import Realm

_SHOWN: Final = 50
_COLUMNS: Final = ("chunk", "job", "of", "state", "what", "expected", "found", "next")
_MISSING: Final = "rows were deleted: load these days again with --force"
_SURPLUS: Final = "see who else writes to the table"
_NEXT: Final = {
    "rows that no receipt accounts for": "see who wrote them; delete them",
    "rows of no completed chunk": "see who wrote them; delete them",
    "quarantined records": "restore ingest.quarantine from a backup",
    "records in the receipt": "restore ingest.chunks from a backup",
    "rows it corrected": "restore ingest.supersessions from a backup",
    "rows it removed": "restore ingest.supersessions from a backup",
}


@click.command(epilog="\b\nExamples:\n  hdi verify\n  hdi verify @last --json")
@click.argument("job", type=JobType(), required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def verify(job: str | None, as_json: bool) -> None:
    """Recount stored rows and hold them against the receipts of all chunks, or of JOB's.

    JOB is a unique prefix of the id, a name, or @last. A chunk's rows must be those its receipt
    says were stored, less those that later chunks corrected or removed, in the table of its schema
    and within its time; quarantined records must all be there; no other row may name a chunk.
    Nothing is written, and loads may
    go on meanwhile. elapsed_s is seconds.

    Exit codes: 0 everything adds up, 1 something does not.
    """
    from ingestor.cli.connect import run
    from ingestor.cli.output import print_json, tell
    from ingestor.insights import resolve_job
    from ingestor.insights import verification as insight
    from ingestor.insights.realm import SIMULATED, realm
    from ingestor.store.database import Database
    from ingestor.vocabulary import Realm, Role

    async def work(database: Database) -> tuple[Verification, Realm | None]:
        job_id = None if job is None else await resolve_job(database, job)
        held = await realm(database)
        if held is Realm.SIMULATED:
            tell(SIMULATED)
        with _progress() as show:
            return await insight.verify(database, job_id, show=show), held

    found, held = run(work, role=Role.READER)
    if as_json:
        print_json({**found.as_json(), "realm": held})
    else:
        _print(found)
    if not found.adds_up:
        raise _failure(found)


def _print(found: Verification) -> None:
    from ingestor.cli.output import print_table, tell

    click.echo(summary(found))
    if not found.differences:
        return
    click.echo()
    print_table(
        _COLUMNS, map(_cells, found.differences[:_SHOWN]), right=("chunk", "expected", "found")
    )
    if found.wrong_chunks > len({each.chunk_id for each in found.differences[:_SHOWN]}):
        tell("there are more; --json has up to 10,000 of them")


def summary(found: Verification) -> str:
    """One line: chunks, rows, quarantined records, how long."""
    from ingestor.cli.output import duration, plural

    counted = ", ".join((
        plural(found.chunks, "chunk"), plural(found.rows, "row"),
        plural(found.quarantined, "quarantined record"),
    ))  # fmt: skip
    verdict = "everything adds up" if found.adds_up else "NOT everything adds up"
    still = f"; {plural(found.open_chunks, 'chunk')} still open" if found.open_chunks else ""
    return f"{verdict}: {counted}, counted in {duration(found.elapsed_s)}{still}"


def _cells(each: Difference) -> tuple[object, ...]:
    return (
        str(each.chunk_id), str(each.job_id)[:8] if each.job_id else None,
        f"{each.dataset} {each.schema}".strip() or None, each.state, what(each), each.expected,
        each.found, next_step(each),
    )  # fmt: skip


def what(each: Difference) -> str:
    """What does not add up, and in which table where that is not told by the chunk."""
    return f"{each.of} in {each.table}" if each.table else each.of


def next_step(each: Difference) -> str:
    """What to do about a difference, for people."""
    if each.of in _NEXT:
        return _NEXT[each.of]
    return _MISSING if each.found < each.expected else _SURPLUS


def _failure(found: Verification) -> NotVerified:
    from ingestor.cli.output import plural

    return NotVerified(
        f"what is stored of {plural(found.wrong_chunks, 'chunk')} is not what receipts and "
        "supersessions say",
        hint="docs/how-to/verify.md says what each difference means and what to do about it",
    )


@contextmanager
def _progress() -> Iterator[Show]:
    """A bar on stderr where that is a terminal, nothing elsewhere."""
    from ingestor.cli.steps_bar import StepsBar
    from ingestor.cli.watching import bar_wanted

    if not bar_wanted():
        yield lambda done, total: None
        return
    bar = StepsBar()
    try:
        yield partial(bar, "hypertable chunks counted")
    finally:
        bar.stop()
