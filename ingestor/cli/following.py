"""A job that a command has just recorded: queued, told of, and followed to its end if asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import click

from ingestor.cli.enqueue import enqueue
from ingestor.cli.output import print_json, tell
from ingestor.cli.watching import (
    Bar,
    Lines,
    Show,
    bar_wanted,
    exit_code,
    refusal_code,
    warn_of_quarantine,
    watch_job,
)
from ingestor.errors import BrokerUnavailable, WaitTimedOut
from ingestor.insights import JobStatus, job_status, presence_warnings
from ingestor.settings import Settings
from ingestor.store import ledger
from ingestor.store.database import Database
from ingestor.vocabulary import JobState


@dataclass(frozen=True, slots=True)
class Following:
    """How the job is followed, and what is said of it.

    Attributes:
        timeout: With `wait`: seconds; None for however long it takes.
        strict: Whether a quarantined record makes the command fail.
    """

    wait: bool = False
    timeout: float | None = None
    strict: bool = False
    as_json: bool = False
    quiet: bool = False
    no_progress: bool = False


async def follow_up(
    how: Following, database: Database, settings: Settings, accepted: ledger.Accepted
) -> int:
    """Fills the queue, waits if asked for, says what comes next; the exit code.

    Raises:
        BrokerUnavailable: Redis is away, and the job has not ended: it is kept.
        WaitTimedOut: It goes on.
    """
    try:
        return await _followed(how, database, settings, accepted)
    except (KeyboardInterrupt, asyncio.CancelledError):
        tell(f"the job goes on; get back to it with: hdi watch {str(accepted.job_id)[:8]}")
        raise


async def _followed(
    how: Following, database: Database, settings: Settings, accepted: ledger.Accepted
) -> int:
    away = await _queued(database, settings, accepted.job_id)
    if away is not None and how.wait:
        tell(f"warning: {away.message}")
    status = await _awaited(how, database, accepted.job_id)
    if away is None and not how.quiet:
        _say_next(how, accepted, status)
    if how.as_json:
        print_json(status.as_json())
    if away is not None and not status.final:
        raise away
    if not how.wait and not status.final:
        return 0
    code = exit_code(status, strict=how.strict)
    return await refusal_code(database, status) or code


async def _queued(database: Database, settings: Settings, job_id: UUID) -> BrokerUnavailable | None:
    """Redis away is told at the end: the job is kept either way."""
    try:
        await ledger.end_job(database, job_id)
        await enqueue(database, settings)
    except BrokerUnavailable as error:
        return BrokerUnavailable(
            f"job {job_id} is accepted, not queued yet: {error.message}",
            hint="nothing is lost: `hdi scheduler` queues it once Redis is back",
        )
    for notice in await presence_warnings(database):
        tell(f"warning: {notice}")
    return None


async def _awaited(how: Following, database: Database, job_id: UUID) -> JobStatus:
    if not how.wait:
        return await job_status(database, job_id)
    with _shown(how) as show:
        status = await watch_job(database, job_id, show, timeout_s=how.timeout)
    if not status.final:
        if how.as_json:
            print_json(status.as_json())
        raise WaitTimedOut(
            f"job {job_id} has not ended after {how.timeout:g} s; it is {status.state}",
            hint=f"it goes on: hdi watch {str(job_id)[:8]}",
        )
    return status


@contextmanager
def _shown(how: Following) -> Iterator[Show]:
    if how.quiet:
        yield lambda progress: None
    elif how.no_progress or not bar_wanted():
        yield Lines()
    else:
        with Bar() as bar:
            yield bar


def _say_next(how: Following, accepted: ledger.Accepted, status: JobStatus) -> None:
    warn_of_quarantine(status)
    if command := _next_command(how, accepted, status):
        click.echo(f"next: {command}", err=how.as_json)


def _next_command(how: Following, accepted: ledger.Accepted, status: JobStatus) -> str:
    short = str(status.job_id)[:8]
    if not how.wait and (accepted.fresh or not status.final):
        return f"hdi watch {short}"
    if status.state is JobState.CANCELLED:
        return f"hdi retry {short} --only cancelled takes the job up again"
    if exit_code(status):
        return f"hdi status {short} says what failed, hdi retry {short} does it again"
    return ""
