"""What `hdi-submit` does once its options make sense: plan, record, enqueue, and maybe wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import click

from ingestor.cli.enqueue import enqueue
from ingestor.cli.output import plural, print_json, tell
from ingestor.cli.watching import Bar, Lines, Show, bar_wanted, exit_code, watch_job
from ingestor.errors import BadSettings, BrokerUnavailable, WaitTimedOut
from ingestor.insights import JobStatus, job_status, presence_warnings
from ingestor.job import JobPlan
from ingestor.settings import Settings, load_settings
from ingestor.sources.source import Ask, source
from ingestor.store import ledger
from ingestor.store.database import Database, DatabaseOptions
from ingestor.store.migrate import require_current
from ingestor.vocabulary import JobState, Priority, Role, Schema


@dataclass(frozen=True, slots=True)
class Submission:
    """The options of `hdi-submit`, checked. Days are nanoseconds since 1970."""

    source: str
    path: Path | None
    copy_to_vault: bool
    dataset: str | None
    schemas: tuple[Schema, ...]
    symbols: tuple[str, ...] | None
    stype_in: str | None
    start: int | None
    end: int | None
    chunk_days: int | None
    chunk_symbols: int | None
    priority: Priority
    name: str | None
    max_cost: float | None
    force: bool
    dry_run: bool
    wait: bool
    timeout: float | None
    strict: bool
    as_json: bool
    quiet: bool
    no_progress: bool


def run(submission: Submission) -> int:
    """Does it; the exit code."""
    settings = load_settings()
    if not submission.dry_run:
        # Told before an hour of planning: both must be named, though Redis may be away.
        settings.dsn(Role.WORKER)
        settings.redis_dsn()
    plan = source(submission.source).plan(_ask(submission, settings))
    for note in plan.notes:
        tell(f"note: {note}")
    if submission.dry_run:
        _show_plan(plan, as_json=submission.as_json)
        return 0
    return asyncio.run(_submit(submission, plan, settings))


def _ask(submission: Submission, settings: Settings) -> Ask:
    copies = submission.copy_to_vault and not submission.dry_run
    vault = _vault_folder(settings) if copies else None
    return Ask(
        name=submission.name or "",
        priority=submission.priority,
        dataset=submission.dataset,
        schemas=submission.schemas,
        symbols=submission.symbols or (),
        start=submission.start,
        end=submission.end,
        path=submission.path.absolute() if submission.path is not None else None,
        chunk_days=submission.chunk_days,
        max_hypertable_chunks=settings.store.max_hypertable_chunks,
        copy_to=vault,
        force=submission.force,
    )


def _vault_folder(settings: Settings) -> Path:
    """The vault as a folder.

    Raises:
        BadSettings: It is something else.
    """
    url = settings.vault_url.removeprefix("file://")
    if "://" in url:
        raise BadSettings(
            f"--copy-to-vault needs a folder as vault; HDI_VAULT_URL is {settings.vault_url}",
            hint="name a folder that every worker sees",
        )
    return Path(url)


def _show_plan(plan: JobPlan, *, as_json: bool) -> None:
    requests = [
        {
            "dataset": request.dataset,
            "schema": request.schema,
            "symbols": list(request.symbols),
            "chunks": len(request.chunks),
            "records": sum(chunk.contents.records for chunk in request.chunks),
            "partial": sorted({chunk.partial for chunk in request.chunks if chunk.partial}),
        }
        for request in plan.requests
    ]
    if as_json:
        shown = {"schema_version": 1, "name": plan.name, "chunks": plan.chunk_count,
                 "requests": requests, "notes": list(plan.notes)}  # fmt: skip
        print_json(shown)
        return
    click.echo(f"plan {plan.name}: {plural(plan.chunk_count, 'chunk')}, nothing recorded")
    for request in plan.requests:
        records = sum(chunk.contents.records for chunk in request.chunks)
        click.echo(
            f"  {request.dataset} {request.schema}: {plural(records, 'record')} "
            f"in {plural(len(request.chunks), 'chunk')}"
        )


async def _submit(submission: Submission, plan: JobPlan, settings: Settings) -> int:
    async with Database(DatabaseOptions.of(settings, Role.WORKER), name="hdi:submit") as database:
        await require_current(database)
        accepted = await ledger.submit(database, plan, max_attempts=settings.retry.max_attempts)
        _say_accepted(submission, plan, accepted)
        try:
            return await _follow_up(submission, database, settings, accepted)
        except (KeyboardInterrupt, asyncio.CancelledError):
            short = str(accepted.job_id)[:8]
            tell(f"the job goes on; get back to it with: hdi watch {short}")
            raise


async def _follow_up(
    submission: Submission, database: Database, settings: Settings, accepted: ledger.Accepted
) -> int:
    away = await _enqueue(database, settings, accepted)
    if away is not None and submission.wait:
        tell(f"warning: {away.message}")
    status = await _after(submission, database, accepted.job_id)
    if away is None and not submission.quiet:
        _say_next(submission, accepted, status)
    if submission.as_json:
        print_json(status.as_json())
    if away is not None and not status.final:
        raise away
    return _exit_code(submission, status)


def _say_accepted(submission: Submission, plan: JobPlan, accepted: ledger.Accepted) -> None:
    job_id = accepted.job_id
    if submission.quiet:
        click.echo(str(job_id))
        return
    if accepted.fresh:
        line = f"job {job_id} accepted: {plan.name}, {plural(plan.chunk_count, 'chunk')}"
    else:
        line = f"job {job_id} is this very request, submitted before; nothing new was recorded"
    click.echo(line, err=submission.as_json)


def _say_next(submission: Submission, accepted: ledger.Accepted, status: JobStatus) -> None:
    if quarantined := status.records["quarantined"]:
        tell(f"warning: {plural(quarantined, 'record')} quarantined, see ingest.quarantine")
    command = _next_command(submission, accepted, status)
    if command:
        click.echo(f"next: {command}", err=submission.as_json)


def _next_command(submission: Submission, accepted: ledger.Accepted, status: JobStatus) -> str:
    short = str(status.job_id)[:8]
    if not submission.wait and (accepted.fresh or not status.final):
        return f"hdi watch {short}"
    if status.state is JobState.CANCELLED:
        return f"hdi retry {short} --only cancelled takes the job up again"
    if exit_code(status):
        return f"hdi status {short} says what failed, hdi retry {short} does it again"
    return ""


async def _enqueue(
    database: Database, settings: Settings, accepted: ledger.Accepted
) -> BrokerUnavailable | None:
    """Fills the queue. Redis away is told at the end: the job is kept either way."""
    try:
        await ledger.end_job(database, accepted.job_id)
        await enqueue(database, settings)
    except BrokerUnavailable as error:
        return BrokerUnavailable(
            f"job {accepted.job_id} is accepted, not queued yet: {error.message}",
            hint="nothing is lost: `hdi scheduler` queues it once Redis is back",
        )
    for notice in await presence_warnings(database):
        tell(f"warning: {notice}")
    return None


async def _after(submission: Submission, database: Database, job_id: UUID) -> JobStatus:
    if not submission.wait:
        return await job_status(database, job_id)
    with _shown(submission) as show:
        status = await watch_job(database, job_id, show, timeout_s=submission.timeout)
    if not status.final:
        if submission.as_json:
            print_json(status.as_json())
        raise WaitTimedOut(
            f"job {job_id} has not ended after {submission.timeout:g} s; it is {status.state}",
            hint=f"it goes on: hdi watch {str(job_id)[:8]}",
        )
    return status


@contextmanager
def _shown(submission: Submission) -> Iterator[Show]:
    if submission.quiet:
        yield lambda progress: None
    elif submission.no_progress or not bar_wanted():
        yield Lines()
    else:
        with Bar() as bar:
            yield bar


def _exit_code(submission: Submission, status: JobStatus) -> int:
    if not submission.wait and not status.final:
        return 0
    return exit_code(status, strict=submission.strict)
