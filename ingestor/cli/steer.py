"""`hdi cancel`, `pause`, `resume`, `retry`: changing the course of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ingestor.cli.arguments import JobType
from ingestor.cli.output import plural, tell

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from ingestor.errors import BrokerUnavailable
    from ingestor.insights import JobStatus
    from ingestor.store.database import Database
    from ingestor.store.insight_rows import JobRow
    from ingestor.store.steering import Turn


@click.command()
@click.argument("job", type=JobType())
def cancel(job: str) -> None:
    """Cancel JOB: open chunks are dropped, chunks that are being committed complete.

    JOB is a unique prefix of the id, a name, or @last. Rows that are stored stay; `hdi retry JOB
    --only cancelled` takes the job up again.

    \b
    Example:  hdi cancel @last
    """
    from ingestor.cli.connect import run
    from ingestor.insights import resolve_job
    from ingestor.store import steering
    from ingestor.vocabulary import Role

    async def work(database: Database) -> tuple[int, int]:
        return await steering.cancel(database, await resolve_job(database, job))

    cancelled, left = run(work, role=Role.WORKER)
    if not cancelled and not left:
        click.echo("nothing to cancel: the job has ended")
        return
    click.echo(f"{plural(cancelled, 'chunk')} cancelled")
    if left:
        are = "is" if left == 1 else "are"
        click.echo(f"{plural(left, 'chunk')} {are} being committed and will complete")


@click.command()
@click.argument("job", type=JobType())
def pause(job: str) -> None:
    """Let JOB rest: no worker takes a chunk of it; chunks in progress complete.

    JOB is a unique prefix of the id, a name, or @last. Other jobs go on. It rests until
    `hdi resume JOB`, whatever is restarted meanwhile.

    \b
    Example:  hdi pause @last
    """
    from ingestor.cli.connect import run
    from ingestor.insights import resolve_job
    from ingestor.insights.jobs import job_row
    from ingestor.store import steering
    from ingestor.vocabulary import Role

    async def work(database: Database) -> tuple[JobRow, Turn]:
        job_id = await resolve_job(database, job)
        turn = await steering.pause(database, job_id)
        return await job_row(database, job_id), turn

    found, turn = run(work, role=Role.WORKER)
    short = str(found.job_id)[:8]
    if found.state.final:
        click.echo("nothing to pause: the job has ended")
        return
    how = "paused" if turn.changed else "was paused already"
    click.echo(f"job {short} {how}: {plural(turn.waiting, 'chunk')} {_wait(turn.waiting)}")
    if turn.in_progress:
        are = "is" if turn.in_progress == 1 else "are"
        click.echo(f"{plural(turn.in_progress, 'chunk')} {are} in progress and will complete")
    tell(f"next: hdi resume {short} lets it go on")


def _wait(chunks: int) -> str:
    return "waits" if chunks == 1 else "wait"


@click.command()
@click.argument("job", type=JobType())
def resume(job: str) -> None:
    """Let JOB, which was paused, go on.

    JOB is a unique prefix of the id, a name, or @last. Its chunks are queued at once.

    \b
    Example:  hdi resume @last
    """
    from ingestor.cli.again import queued
    from ingestor.cli.connect import run
    from ingestor.insights import resolve_job
    from ingestor.insights.jobs import job_row
    from ingestor.settings import load_settings
    from ingestor.store import steering
    from ingestor.vocabulary import Role

    settings = load_settings()
    settings.redis_dsn()  # told before anything is changed; Redis itself may be away

    async def work(database: Database) -> BrokerUnavailable | None:
        job_id = await resolve_job(database, job)
        turn = await steering.resume(database, job_id)
        found = await job_row(database, job_id)
        click.echo(_resumed(found, turn))
        return None if found.state.final or not turn.changed else await queued(database, settings)

    if (away := run(work, role=Role.WORKER, settings=settings)) is not None:
        raise away


def _resumed(found: JobRow, turn: Turn) -> str:
    if found.state.final:
        return "nothing to resume: the job has ended"
    if not turn.changed:
        return "nothing to resume: the job is not paused"
    waiting = f"{plural(turn.waiting, 'chunk')} {_wait(turn.waiting)}"
    return f"job {str(found.job_id)[:8]} goes on: {waiting}, {turn.in_progress:,} in progress"


@click.command()
@click.argument("job", type=JobType())
@click.option(
    "--only",
    default="failed",
    show_default=True,
    help="States to take up again, with commas: failed, cancelled.",
)
def retry(job: str, only: str) -> None:
    """Do failed work of JOB again; with a source that bills, this may buy.

    Attempts start at 1 again; the trace of earlier ones stays, and dead letters are closed. What
    the vault has is not bought again. (`hdi-submit --force` plans what is held already;
    `hdi dlq retry` takes single chunks, or those of one error.)

    \b
    Example:  hdi retry 3f2a --only failed,cancelled
    """
    from ingestor.cli.again import queued
    from ingestor.cli.connect import run
    from ingestor.cli.letter_files import bring_up_to_date
    from ingestor.insights import job_status, resolve_job
    from ingestor.insights.jobs import job_row
    from ingestor.settings import load_settings
    from ingestor.store import cases, steering
    from ingestor.vocabulary import ChunkState, Role

    words = [_state(word.strip()) for word in only.split(",")]
    states = [ChunkState(word) for word in words]
    settings = load_settings()
    settings.redis_dsn()  # told before anything is changed; Redis itself may be away

    async def work(database: Database) -> BrokerUnavailable | None:
        job_id = await resolve_job(database, job)
        count = await steering.retry(database, job_id, states)
        await bring_up_to_date(database, settings.dlq_dir, job_id=job_id)
        left = await cases.releases(database, job_id, states)
        _say(count, words, left, await job_row(database, job_id))
        if not count and "cancelled" not in words:
            _say_cancelled(await job_status(database, job_id))
        return await queued(database, settings) if count else None

    if (away := run(work, role=Role.WORKER, settings=settings)) is not None:
        raise away


def _say(count: int, words: list[str], left: Mapping[int, UUID], job: JobRow) -> None:
    from ingestor.insights.failed_chunks import repeating

    if count:
        click.echo(f"{plural(count, 'chunk')} {'starts' if count == 1 else 'start'} again")
    elif not left:
        click.echo(f"no chunk is {' or '.join(words)}")
    for release_of in sorted(set(left.values())):
        chunks = plural(sum(each == release_of for each in left.values()), "chunk")
        click.echo(f"{chunks} would store quarantined records: `{repeating(release_of)}` does so")
    if count and job.paused:
        short = str(job.job_id)[:8]
        tell(f"job {short} is paused: hdi resume {short} lets it go on")


def _say_cancelled(found: JobStatus) -> None:
    from ingestor.vocabulary import ChunkState

    if cancelled := found.chunks[ChunkState.CANCELLED]:
        chunks = f"{plural(cancelled, 'chunk')} {'is' if cancelled == 1 else 'are'} cancelled"
        up = "it" if cancelled == 1 else "them"
        short = str(found.job_id)[:8]
        tell(f"next: {chunks}; hdi retry {short} --only cancelled takes {up} up again")


def _state(word: str) -> str:
    if word not in ("failed", "cancelled"):
        raise click.UsageError(f"--only takes failed and cancelled, found {word!r}")
    return word
