"""What `hdi-submit` does once its options make sense: plan, record, enqueue, and maybe wait."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import click

from ingestor.cli.ask import check_kind, less_held, of_job_file
from ingestor.cli.cost import approve
from ingestor.cli.following import Following, follow_up
from ingestor.cli.output import plural, tell
from ingestor.cli.plan_output import print_plan
from ingestor.cli.steps_bar import steps_shown
from ingestor.cli.watching import bar_wanted
from ingestor.errors import BadJob
from ingestor.insights import job_status
from ingestor.job import JobPlan
from ingestor.job_file import JobFile, load_job_file
from ingestor.origins import open_sources
from ingestor.settings import Settings, load_settings
from ingestor.sources.source import Ask, Source, Wanted
from ingestor.store import ledger, replays
from ingestor.store.coverage import underway
from ingestor.store.database import Database, DatabaseOptions
from ingestor.store.migrate import require_current
from ingestor.vocabulary import JobState, Priority, Role, Schema, SType


@dataclass(frozen=True, slots=True)
class Submission:
    """The options of `hdi-submit`, checked. Days are nanoseconds since 1970."""

    source: str
    job: Path | None
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
    priority: Priority | None
    name: str | None
    max_cost: float | None
    force: bool
    accept_removals: bool
    dry_run: bool
    wait: bool
    timeout: float | None
    strict: bool
    as_json: bool
    quiet: bool
    no_progress: bool


def run(submission: Submission) -> int:
    """Does it; the exit code."""
    job = None
    if submission.job is not None:
        job = load_job_file(submission.job, today=dt.datetime.now(dt.UTC).date())
    settings = load_settings(job=None if job is None else _job_settings(job))
    source = open_sources(settings).named(submission.source if job is None else job.source)
    if job is None:
        check_kind(source, submission.path)
    if not submission.dry_run:
        # Told before an hour of planning: both must be named, though Redis may be away.
        settings.dsn(Role.WORKER)
        settings.redis_dsn()
    with _steps(submission):
        plan = _planned(submission, job, source, settings)
    for note in plan.notes:
        tell(f"note: {note}")
    if submission.dry_run:
        print_plan(plan, as_json=submission.as_json)
        return 0
    given = submission.max_cost
    cap_usd = settings.budget.max_usd_per_job if given is None else given
    return asyncio.run(_submit(submission, plan, settings, cap_usd))


def _steps(submission: Submission) -> AbstractContextManager[None]:
    bar = bar_wanted() and not submission.no_progress
    return steps_shown(bar=bar, quiet=submission.quiet or submission.as_json)


def _job_settings(job: JobFile) -> Mapping[str, object]:
    """What a job file sets: below flags and the environment, above configs/system.yaml."""
    if job.max_usd is None:
        return job.settings
    return {**job.settings, "budget.max_usd_per_job": job.max_usd}


def _planned(
    submission: Submission, job: JobFile | None, source: Source, settings: Settings
) -> JobPlan:
    if job is not None:
        for note in job.notes:
            tell(f"note: {note}")
    needed = not submission.dry_run
    ask = less_held(_ask(submission, job, settings), source.realm, settings, needed=needed)
    return source.plan(ask)


def _ask(submission: Submission, job: JobFile | None, settings: Settings) -> Ask:
    most = settings.store.max_hypertable_chunks
    if job is not None:
        asked = of_job_file(job, force=submission.force, accept_removals=submission.accept_removals)
        return replace(
            asked,
            name=submission.name or asked.name,
            priority=submission.priority or asked.priority,
            max_hypertable_chunks=most,
        )
    files = submission.path is not None
    span = (submission.start, submission.end, submission.chunk_days)
    return Ask(
        name=submission.name or "",
        priority=submission.priority or Priority.NORMAL,
        dataset=submission.dataset,
        schemas=submission.schemas if files else (),
        wanted=() if files else tuple(Wanted(schema, *span) for schema in submission.schemas),
        symbols=submission.symbols or (),
        stype_in=submission.stype_in or SType.RAW_SYMBOL,
        start=submission.start,
        end=submission.end,
        path=submission.path.absolute() if submission.path is not None else None,
        chunk_days=submission.chunk_days,
        chunk_symbols=submission.chunk_symbols,
        max_hypertable_chunks=most,
        to_vault=submission.copy_to_vault and not submission.dry_run,
        force=submission.force,
        accept_removals=submission.accept_removals,
    )


async def _submit(
    submission: Submission, plan: JobPlan, settings: Settings, cap_usd: float | None
) -> int:
    async with Database(DatabaseOptions.of(settings, Role.WORKER), name="hdi:submit") as database:
        await require_current(database)
        await _refuse_loaded_otherwise(database, plan)
        plan = await _renewed(database, plan)
        if await ledger.find(database, plan.key) is None:
            await _note_underway(database, plan)
            approve(plan, cap_usd=cap_usd, may_ask=not (submission.as_json or submission.quiet))
        with _steps(submission):
            accepted = await ledger.submit(database, plan, max_attempts=settings.retry.max_attempts)
        _say_accepted(submission, plan, accepted)
        return await follow_up(_followed(submission), database, settings, accepted)


def _followed(submission: Submission) -> Following:
    return Following(
        submission.wait, submission.timeout, submission.strict, submission.as_json,
        submission.quiet, submission.no_progress,
    )  # fmt: skip


async def _refuse_loaded_otherwise(database: Database, plan: JobPlan) -> None:
    """Another mapping may give records other keys: they would stand beside those it gave then.

    Raises:
        BadJob: A payload of the plan was loaded by another mapping.
    """
    found = await replays.loaded_otherwise(database, plan)
    if found is not None:
        job = str(found.job_id)[:8]
        raise BadJob(
            f"the bytes of {found.uri} were loaded by job {found.name or job} by another mapping; "
            "loading them beside would store their records twice",
            hint=f"`hdi replay {job}` loads them again by today's mapping, in place",
        )


async def _renewed(database: Database, plan: JobPlan) -> JobPlan:
    """The plan, as a job of its own where the same request has completed and left days to fetch.

    Days that were not available when they were fetched prove nothing, and may have come since.
    """
    if plan.realm is None or not plan.chunk_count:
        return plan
    key = plan.key
    while (job_id := await ledger.find(database, key)) is not None:
        if (await job_status(database, job_id)).state is not JobState.COMPLETED:
            break
        key = f"{plan.key}:{job_id}"  # named after the one before: said twice, it is one job
    return replace(plan, key=key)


async def _note_underway(database: Database, plan: JobPlan) -> None:
    """Chunks of other sizes or symbols are other requests: what both ask for is bought twice."""
    if plan.realm is None:
        return
    for job_id, name in await underway(database, plan):
        tell(
            f"note: job {str(job_id)[:8]} ({name}) is fetching some of the same days and symbols; "
            "what is not asked for in the same chunks is bought twice, unless you wait for it"
        )


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
