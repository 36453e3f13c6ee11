"""`hdi jobs`, `hdi status`, `hdi watch`, `hdi workers`: what is going on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ingestor.cli.arguments import JobType
from ingestor.cli.chunk_output import print_chunks, print_troubles
from ingestor.cli.output import (
    counted,
    duration,
    on_terminal,
    plural,
    print_facts,
    print_json,
    print_table,
    tell,
)
from ingestor.vocabulary import ChunkState, JobState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingestor.insights import ChunkLine, JobLine, JobStatus, Notice, Trouble, Worker

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
_TROUBLES = 10


@click.command(epilog="\b\nExample:\n  hdi jobs --state running")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Jobs at most."
)
@click.option(
    "--state",
    type=click.Choice([str(state) for state in JobState]),
    help="Only jobs in this state; all unless given.",
)
@_AS_JSON
def jobs(limit: int, state: str | None, as_json: bool) -> None:
    """List jobs, the newest first.

    Chunks are those that have ended, of all; times are UTC, spans are seconds in JSON.
    """
    from ingestor.cli.connect import run, tell_realm
    from ingestor.insights import jobs as listed
    from ingestor.insights import presence_warnings
    from ingestor.store.database import Database
    from ingestor.vocabulary import Role

    wanted = JobState(state) if state else None

    async def work(database: Database) -> tuple[list[JobLine], tuple[Notice, ...]]:
        await tell_realm(database)
        found = await listed(database, limit=limit, state=wanted)
        open_ = any(not line.status.final for line in found)
        return found, await presence_warnings(database) if open_ else ()

    found, notices = run(work, role=Role.READER)
    if as_json:
        print_json({"schema_version": 1, "jobs": [line.as_json() for line in found]})
    elif found:
        columns = ("job", "name", "state", "chunks", "failed", "stored", "quarantined", "took",
                   "submitted")  # fmt: skip
        print_table(
            columns, map(_job_cells, found),
            right=("chunks", "failed", "stored", "quarantined", "took"),
        )  # fmt: skip
    else:
        tell("no jobs; submit one with `hdi-submit`")
    _warn(notices)


def _job_cells(line: JobLine) -> tuple[object, ...]:
    status = line.status
    return (
        short(status), status.name or None, _state(line),
        f"{counted(status.ended_chunks)}/{counted(status.total)}",
        status.chunks[ChunkState.FAILED], status.records["stored"],
        status.records["quarantined"], duration(status.elapsed_s),
        line.created_at.strftime("%m-%d %H:%M" if on_terminal() else "%Y-%m-%d %H:%M"),
    )  # fmt: skip


def _state(line: JobLine) -> str:
    return _marked(line.status.state, paused=line.paused, cancelling=line.cancelling)


def _marked(state: JobState, *, paused: bool, cancelling: bool) -> str:
    if state.final:
        return str(state)
    marks = [mark for mark, on in (("paused", paused), ("cancelling", cancelling)) if on]
    return ", ".join([str(state), *marks])


def short(status: JobStatus) -> str:
    """The part of a job's id that people type."""
    return str(status.job_id)[:8]


@click.command(epilog="\b\nExample:\n  hdi status @last --json")
@click.argument("job", type=JobType())
@click.option("--chunks", "with_chunks", is_flag=True, help="List chunks with their receipts too.")
@_AS_JSON
def status(job: str, with_chunks: bool, as_json: bool) -> None:
    """Say how JOB stands: chunks by state, records, what failed and why.

    JOB is a unique prefix of the id, a name, or @last. Records are those of ended chunks: fetched =
    stored + quarantined + already stored. elapsed_s is seconds since it was submitted, to its end
    or to now. Counts of a job under way may be 1.5 s old.
    """
    from dataclasses import asdict

    from ingestor.cli.connect import run, tell_realm
    from ingestor.cli.watching import warn_of_quarantine
    from ingestor.insights import (
        chunks,
        failures,
        job_status,
        presence_warnings,
        resolve_job,
        retries,
    )
    from ingestor.insights.jobs import job_row
    from ingestor.store.database import Database
    from ingestor.vocabulary import Role

    listed: list[ChunkLine] = []
    states: list[str] = []

    async def work(database: Database) -> tuple[JobStatus, list[Trouble], tuple[Notice, ...]]:
        await tell_realm(database)
        found = await job_status(database, await resolve_job(database, job))
        row = await job_row(database, found.job_id)
        states.append(_marked(found.state, paused=row.paused, cancelling=row.cancelling))
        if with_chunks:
            listed.extend(await chunks(database, found.job_id))
        troubles = await failures(database, found.job_id, limit=_TROUBLES)
        if found.final:
            return found, troubles, ()
        troubles += await retries(database, found.job_id, limit=_TROUBLES)
        return found, troubles, await presence_warnings(database)

    found, troubles, notices = run(work, role=Role.READER)
    if as_json:
        told = found.as_json()
        print_json({**told, "receipts": [asdict(line) for line in listed]} if with_chunks else told)
    else:
        print_facts(_facts(found, *states))
        print_chunks(listed)
        print_troubles(troubles)
        warn_of_quarantine(found)
        _say_next(found, *states)
    _warn(notices)


def _facts(found: JobStatus, state: str) -> Iterable[tuple[str, str]]:
    records = {name: counted(n) for name, n in found.records.items()}
    held = f"{records['quarantined']} quarantined + {records['already_stored']} already stored"
    sums = f"{records['fetched']} fetched = {records['stored']} stored + {held}"
    yield "job", f"{found.job_id} {found.name}"
    yield "state", state
    states = [f"{counted(n)} {state.replace('_', ' ')}" for state, n in found.chunks.items() if n]
    yield "chunks", plural(found.total, "chunk") + (f": {', '.join(states)}" if states else "")
    yield "records", f"{sums}; {records['flagged']} flagged"
    yield "elapsed", duration(found.elapsed_s)


def _say_next(found: JobStatus, state: str) -> None:
    if "paused" in state:
        tell(f"next: hdi resume {short(found)} lets it go on")
    elif not found.final:
        tell(f"next: hdi watch {short(found)}")
    elif found.chunks[ChunkState.FAILED]:
        tell(f"next: mend what failed, then hdi retry {short(found)}")
    elif found.chunks[ChunkState.CANCELLED]:
        tell(f"next: hdi retry {short(found)} --only cancelled takes it up again")


def _warn(notices: Iterable[Notice]) -> None:
    for notice in notices:
        tell(f"warning: {notice}")


@click.command(epilog="\b\nExample:\n  hdi watch @last")
@click.argument("job", type=JobType())
@click.option(
    "--json", "as_json", is_flag=True, help="A JSON object per line on stdout, at each change."
)
@click.option("--no-progress", is_flag=True, help="Plain lines on a terminal too.")
def watch(job: str, as_json: bool, no_progress: bool) -> int:
    """Follow JOB until it ends, looking once a second.

    JOB is a unique prefix of the id, a name, or @last. Ctrl-C leaves it running. The bar counts
    records, those of chunks in progress as of their last heartbeat; the rate is that of the last 30
    seconds. Lines of JSON are the object of `hdi status --json` with `progress`: rows, expected,
    rows_per_s, eta_s (seconds).

    Exit codes: 0 completed, 3 with failed or cancelled chunks, 130 interrupted.
    """
    from ingestor.cli.connect import run, tell_realm
    from ingestor.cli.watching import (
        Bar,
        Lines,
        Ndjson,
        bar_wanted,
        exit_code,
        warn_of_quarantine,
        watch_job,
    )
    from ingestor.insights import resolve_job
    from ingestor.store.database import Database
    from ingestor.vocabulary import Role

    async def work(database: Database) -> JobStatus:
        await tell_realm(database)
        job_id = await resolve_job(database, job)
        if as_json:
            return await watch_job(database, job_id, Ndjson())
        if no_progress or not bar_wanted():
            return await watch_job(database, job_id, Lines())
        with Bar() as bar:
            return await watch_job(database, job_id, bar)

    try:
        found = run(work, role=Role.READER)
    except KeyboardInterrupt:
        tell(f"the job goes on; get back to it with: hdi watch {job}")
        raise
    warn_of_quarantine(found)
    if code := exit_code(found):
        tell(f"next: hdi status {short(found)}")
    return code


@click.command(epilog="\b\nExample:\n  hdi workers --json")
@_AS_JSON
def workers(as_json: bool) -> None:
    """List worker processes and schedulers, and the chunk each worker holds.

    Rows are records of that chunk so far, as of the worker's last heartbeat. A process that was not
    heard of for 30 s is silent. Spans are seconds in JSON.
    """
    from dataclasses import asdict

    from ingestor.cli.connect import run
    from ingestor.insights import presence_warnings
    from ingestor.insights import workers as listed
    from ingestor.store.database import Database
    from ingestor.vocabulary import Role

    async def work(database: Database) -> tuple[list[Worker], tuple[Notice, ...]]:
        return await listed(database), await presence_warnings(database)

    found, notices = run(work, role=Role.READER)
    if as_json:
        print_json({"schema_version": 1, "workers": [asdict(each) for each in found]})
    elif found:
        print_table(
            ("process", "role", "online", "chunk", "of", "attempt", "rows", "busy"),
            map(_worker_cells, found),
            right=("chunk", "attempt", "rows", "busy"),
        )
    _warn(notices)


def _worker_cells(each: Worker) -> tuple[object, ...]:
    online = "yes" if each.online else f"silent for {duration(each.silent_s)}"
    if each.work is None:
        return (each.name, each.role, online, None, None, None, None, None)
    held = each.work
    rows = counted(held.rows) + (f"/{counted(held.expected)}" if held.expected else "")
    return (
        each.name, each.role, online, str(held.chunk_id), f"{held.dataset} {held.schema}",
        held.attempt, rows, duration(held.busy_s),
    )  # fmt: skip
