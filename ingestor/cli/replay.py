"""`hdi replay`: what a job loaded, loaded again from the vault by today's mappings and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ingestor.cli.arguments import JobType, at_most_one
from ingestor.vocabulary import Priority

if TYPE_CHECKING:
    from uuid import UUID

    from ingestor.cli.following import Following
    from ingestor.settings import Settings
    from ingestor.store.database import Database
    from ingestor.store.ledger import Accepted


@click.command(epilog="\b\nExamples:\n  hdi replay @last --wait\n  hdi replay 3f2a --json")
@click.argument("job", type=JobType())
@click.option(
    "--priority",
    type=click.Choice([str(priority) for priority in Priority]),
    help="Higher ones go first, equals in turn; that of JOB unless given.",
)
@click.option("--wait", is_flag=True, help="Stay until the job has ended; exit 3 if chunks failed.")
@click.option("--timeout", type=click.FloatRange(0), help="With --wait: seconds, then exit 7.")
@click.option("--strict", is_flag=True, help="With --wait: exit 3 for any quarantined record.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--quiet", is_flag=True, help="Only the job id on stdout.")
@click.option("--no-progress", is_flag=True, help="No progress bar.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error too.")
def replay(
    job: str,
    priority: str | None,
    wait: bool,
    timeout: float | None,
    strict: bool,
    as_json: bool,
    quiet: bool,
    no_progress: bool,
    debug: bool,
) -> int:
    """Load the payloads of JOB again, by the mappings and rules of today.

    JOB is a unique prefix of the id, a name, or @last. *retry* does failed work again and may buy;
    *replay* loads again from the vault and never buys; `hdi-submit --force` also plans what is held
    already, which is billed again.

    The replay is a job of its own with a chunk for each completed chunk of JOB; for those of a file
    that a changed mapping cuts otherwise, one for the whole file. Records that the rules refuse now
    are taken out and quarantined, records that they no longer refuse are stored, changed values are
    corrected: in one transaction per chunk, counted in its receipt. Chunks whose payload is gone
    are named and left out. While a replay of JOB is open, that one is shown.

    Workers judge by the folder that HDI_CONFIG_DIR named when they were started. With --wait it is
    told where the files in it are others than those of this command.

    \b
    Exit codes: 0 ok, 1 error, 2 usage, 3 finished with failed chunks, 6 a service cannot be
    reached, 7 the wait timed out, 130 interrupted (the job goes on).
    """
    del debug
    at_most_one({"--json": as_json, "--quiet": quiet})
    for flag, given in (("--timeout", timeout is not None), ("--strict", strict)):
        if given and not wait:
            raise click.UsageError(f"{flag} only makes sense with --wait.")
    from ingestor.cli.connect import run
    from ingestor.cli.following import Following, follow_up
    from ingestor.cli.output import tell
    from ingestor.settings import load_settings
    from ingestor.store.migrate import require_current
    from ingestor.vocabulary import Role

    settings = load_settings()
    settings.redis_dsn()  # told before anything is recorded; Redis itself may be away
    how = Following(wait, timeout, strict, as_json, quiet, no_progress)

    async def work(database: Database) -> int:
        await require_current(database)
        accepted = await _accepted(database, job, settings, priority, how)
        if not wait and not quiet:
            tell("note: the mappings and rules are those of the workers' own HDI_CONFIG_DIR")
        code = await follow_up(how, database, settings, accepted)
        if wait:
            await _compare(database, settings, accepted.job_id)
        return code

    return run(work, role=Role.WORKER, settings=settings)


async def _accepted(
    database: Database, job: str, settings: Settings, priority: str | None, how: Following
) -> Accepted:
    """The job that loads `job` again: the one that is open, else one that is recorded now."""
    from ingestor.cli.output import plural, tell
    from ingestor.insights import resolve_job
    from ingestor.origins import open_sources
    from ingestor.replay.jobs import plan_replay, told
    from ingestor.store import ledger, replays
    from ingestor.vault import Vault

    job_id = await resolve_job(database, job)
    if (underway := await replays.open_replay(database, job_id)) is not None:
        return _found_open(ledger.Accepted(underway, fresh=False), job_id, how)
    wanted = None if priority is None else Priority(priority)
    vault = Vault.of(settings)
    sources = open_sources(settings, vault)
    found = await plan_replay(database, job_id, vault, sources, priority=wanted)
    for line in told(found.gone).values():
        tell(f"warning: {line}")
    accepted = await ledger.submit(database, found.plan, max_attempts=settings.retry.max_attempts)
    if not accepted.fresh:  # the same command at the same moment
        return _found_open(accepted, job_id, how)
    chunks = plural(found.plan.chunk_count, "chunk")
    _say(f"job {accepted.job_id} accepted: {found.plan.name}, {chunks}", accepted, how)
    return accepted


async def _compare(database: Database, settings: Settings, job_id: UUID) -> None:
    """Warns where workers read other files than this command would."""
    from ingestor.cli.output import plural, tell
    from ingestor.errors import BadRules
    from ingestor.origins import open_sources
    from ingestor.replay.judges import judged_otherwise

    folder = settings.config_dir
    try:
        differing = await judged_otherwise(database, settings, open_sources(settings), job_id)
    except BadRules as error:
        tell(f"warning: what workers judged by cannot be held against {folder}: {error.message}")
        return
    for each in differing:
        tell(
            f"warning: {plural(each.chunks, 'chunk')} of {each.of}: workers had {each.kind} "
            f"{each.theirs}, {folder} of this command has {each.ours}: start them again with "
            f"HDI_CONFIG_DIR={folder}"
        )


def _found_open(accepted: Accepted, job_id: UUID, how: Following) -> Accepted:
    _say(f"job {accepted.job_id} is loading job {str(job_id)[:8]} again already", accepted, how)
    return accepted


def _say(line: str, accepted: Accepted, how: Following) -> None:
    click.echo(str(accepted.job_id) if how.quiet else line, err=how.as_json)
