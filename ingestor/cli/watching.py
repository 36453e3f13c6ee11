"""A job on its way, shown: a bar on a terminal, plain lines elsewhere, or lines of JSON."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from uuid import UUID

from ingestor.cli.output import counted, duration, plural, print_json, tell
from ingestor.errors import AuthenticationFailed, KeyMissing, PaymentRequired
from ingestor.insights import JobStatus, Progress, failures, follow, presence_warnings
from ingestor.store.database import Database
from ingestor.vocabulary import ChunkState, JobState

if TYPE_CHECKING:
    import rich.progress

OK = 0
FAILED_CHUNKS = 3
_SAY_EVERY_S = 5.0
# Workers that start take some seconds to report; a warning at once would be a false one.
_WARN_EVERY_S = 30.0

_REFUSALS = (AuthenticationFailed, KeyMissing, PaymentRequired)

Show = Callable[[Progress], None]


def exit_code(status: JobStatus, *, strict: bool = False) -> int:
    """What a command that waited for the job ends with; `strict` lets no record be quarantined."""
    if status.state in (JobState.FAILED, JobState.COMPLETED_WITH_FAILURES, JobState.CANCELLED):
        return FAILED_CHUNKS
    return FAILED_CHUNKS if strict and status.records["quarantined"] else OK


def warn_of_quarantine(status: JobStatus) -> None:
    """Says on stderr where the records are that the job's chunks refused."""
    if quarantined := status.records["quarantined"]:
        command = f"hdi quarantine list --job {str(status.job_id)[:8]}"
        tell(f"warning: {plural(quarantined, 'record')} quarantined; {command} says why")


async def refusal_code(database: Database, status: JobStatus) -> int:
    """4 or 5 where the provider refused the whole job for its key or its account; else 0."""
    if status.state not in (JobState.FAILED, JobState.COMPLETED_WITH_FAILURES):
        return OK
    codes = {each.error_code for each in await failures(database, status.job_id)}
    refused = (kind for kind in _REFUSALS if kind.__name__ in codes)
    return next((kind.exit_code for kind in refused), OK)


async def watch_job(
    database: Database, job_id: UUID, show: Show, *, timeout_s: float | None = None
) -> JobStatus:
    """Shows the job until it has ended, or `timeout_s` have passed; how it stood at the last look.

    While it is open and nobody works on it, that is told on stderr.
    """
    started = time.monotonic()
    warned = started - _WARN_EVERY_S + _SAY_EVERY_S
    async with aclosing(follow(database, job_id)) as looks:
        async for progress in looks:
            show(progress)
            now = time.monotonic()
            if progress.status.final or (timeout_s is not None and now - started >= timeout_s):
                return progress.status
            if now - warned >= _WARN_EVERY_S:
                warned = now
                for notice in await presence_warnings(database):
                    tell(f"warning: {notice}")
    raise AssertionError("a job is followed to its end")


@dataclass(slots=True)
class Lines:
    """A line on stderr where something changed, every few seconds at most, and at the end."""

    said: str = ""
    at: float = field(default_factory=lambda: -_SAY_EVERY_S)

    def __call__(self, progress: Progress) -> None:
        line = summary(progress)
        now = time.monotonic()
        if line != self.said and (now - self.at >= _SAY_EVERY_S or progress.status.final):
            tell(line)
            self.said, self.at = line, now


@dataclass(slots=True)
class Ndjson:
    """A line of JSON on stdout where something changed; the last one is the job's end."""

    said: tuple[object, ...] = ()

    def __call__(self, progress: Progress) -> None:
        status = progress.status
        now = (status.state, *status.chunks.values(), *status.records.values(), progress.rows)
        if now != self.said:
            print_json(progress.as_json())
            self.said = now


class Bar:
    """A bar on stderr. A context manager: it must be taken down whatever happens."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

        self._drawn: rich.progress.Progress = Progress(
            SpinnerColumn(), BarColumn(), TaskProgressColumn(), TextColumn("{task.description}"),
            console=Console(stderr=True),
        )  # fmt: skip
        self._task = self._drawn.add_task("", total=None)

    def __enter__(self) -> Self:
        self._drawn.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._drawn.stop()

    def __call__(self, progress: Progress) -> None:
        done, total = progress.rows, progress.expected
        if not total:  # a plan that could not count records, or a job without any
            done, total = progress.status.ended_chunks, progress.status.total
        self._drawn.update(
            self._task, completed=done, total=total or 1, description=_escaped(summary(progress))
        )


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def summary(progress: Progress) -> str:
    """One line: state, chunks, records, rate, time to go."""
    status = progress.status
    parts = [f"{status.state}: {counted(status.ended_chunks)} of {plural(status.total, 'chunk')}"]
    if failed := status.chunks[ChunkState.FAILED]:
        parts.append(f"{counted(failed)} failed")
    parts.append(f"{counted(progress.rows)} records")
    if quarantined := status.records["quarantined"]:
        parts.append(f"{counted(quarantined)} of them quarantined")
    if progress.rows_per_s:
        parts.append(f"{counted(round(progress.rows_per_s))}/s")
    if progress.eta_s is not None:
        parts.append(f"about {duration(progress.eta_s)} to go")
    return ", ".join(parts)


def bar_wanted() -> bool:
    """Whether stderr is a terminal, on which a bar can be drawn."""
    return sys.stderr.isatty()
