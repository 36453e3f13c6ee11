"""`hdi cancel`, `hdi retry`: changing the course of a job."""

from __future__ import annotations

import click

from ingestor.cli.arguments import JobType
from ingestor.cli.output import plural


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
    from ingestor.store.database import Database
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
@click.option(
    "--only",
    default="failed",
    show_default=True,
    help="States to take up again, with commas: failed, cancelled.",
)
def retry(job: str, only: str) -> None:
    """Do failed work of JOB again; with a source that bills, this may buy.

    Attempts start at 1 again; the trace of earlier ones stays. What the vault has is not bought
    again. (`hdi-submit --force` plans what is held already.)

    \b
    Example:  hdi retry 3f2a --only failed,cancelled
    """
    from ingestor.cli.connect import run
    from ingestor.cli.enqueue import enqueue
    from ingestor.insights import resolve_job
    from ingestor.settings import load_settings
    from ingestor.store import steering
    from ingestor.store.database import Database
    from ingestor.vocabulary import ChunkState, Role

    states = [_state(word.strip()) for word in only.split(",")]
    settings = load_settings()

    async def work(database: Database) -> int:
        job_id = await resolve_job(database, job)
        count = await steering.retry(database, job_id, [ChunkState(state) for state in states])
        if count:
            await enqueue(database, settings)
        return count

    count = run(work, role=Role.WORKER)
    if not count:
        click.echo(f"no chunk is {' or '.join(states)}")
        return
    click.echo(f"{plural(count, 'chunk')} {'starts' if count == 1 else 'start'} again")


def _state(word: str) -> str:
    if word not in ("failed", "cancelled"):
        raise click.UsageError(f"--only takes failed and cancelled, found {word!r}")
    return word
