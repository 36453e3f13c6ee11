"""What `hdi dlq` prints for people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

import click

from ingestor.cli.output import (
    counted,
    duration,
    one_line,
    plural,
    print_facts,
    print_table,
    tell,
)
from ingestor.model.readable import time_text

if TYPE_CHECKING:
    from ingestor.dead_letters import Letter, Tried
    from ingestor.insights.letters import Listing, Told
    from ingestor.store.cases import Case

_SYMBOLS: Final = 5
"""Most symbols that are named."""


def print_listing(found: Listing, *, closed: bool) -> None:
    """Counts per error code, then letters; what is not shown is told on stderr."""
    if found.total:
        print_table(("error", "letters"), found.codes.items(), right=("letters",))
        click.echo()
    if found.letters:
        state = ("letter",) if closed else ()
        print_table(
            ("chunk", "job", "of", "from", "attempts", "failed at", *state, "error"),
            (_cells(each.letter, closed=closed) for each in found.letters),
            right=("chunk", "attempts"),
        )
    for line in _left_out(found):
        tell(line)


def _cells(letter: Letter, *, closed: bool) -> tuple[object, ...]:
    return (
        str(letter.chunk_id), str(letter.job_id)[:8], f"{letter.dataset} {letter.schema}",
        time_text(letter.start)[:10], letter.attempts, _moment(letter.created_at),
        *((letter.resolution or "open",) if closed else ()),
        f"{letter.error_code}: {one_line(letter.error_text)}",
    )  # fmt: skip


def _left_out(found: Listing) -> Iterator[str]:
    if not found.total:
        yield "no dead letter matches"
    elif found.more:
        yield f"{counted(found.more)} more of {counted(found.total)}: --limit shows more of them"
    if found.hidden:
        yield f"{plural(found.hidden, 'other')} retried or discarded: --all lists them too"
    if found.letters:
        yield "next: hdi dlq show CHUNK tells what was tried and what to do"


def print_history(found: Sequence[Told]) -> None:
    """The latest letter of a chunk in full; earlier ones in a line each."""
    latest = found[0]
    print_facts(_facts(latest))
    if latest.letter.tried:
        click.echo()
        print_table(
            ("attempt", "worker", "started", "took", "outcome", "error"),
            map(_tried_cells, latest.letter.tried),
            right=("attempt", "took"),
        )
    for each in found[1:]:
        tell(f"before: {_letter_state(each.letter)}; {_error(each.letter)}")
    if latest.remedy:
        tell(f"first: {latest.remedy}")
    tell(f"next: {latest.next}")


def _facts(found: Told) -> Iterator[tuple[str, str]]:
    letter = found.letter
    job = f"job {str(letter.job_id)[:8]} {one_line(letter.job_name)}".rstrip()
    yield "chunk", f"{letter.chunk_id} of {job}, {letter.state}"
    yield "letter", _letter_state(letter)
    yield "error", _error(letter)
    yield "request", f"{letter.dataset} {letter.schema} from {letter.source}"
    yield "range", f"{time_text(letter.start)} to {time_text(letter.end)}, which it leaves out"
    yield "symbols", _symbols(letter)
    yield "payload", _payload(letter)
    if found.release_of is not None:
        yield "stores", f"quarantined records of job {str(found.release_of)[:8]}"


def _letter_state(letter: Letter) -> str:
    written = f"of {_moment(letter.created_at)}, after {plural(letter.attempts, 'attempt')}"
    if letter.resolved_at is None:
        return f"{written}: open"
    why = f" by {one_line(letter.note)}" if letter.note else ""
    return f"{written}: {letter.resolution} {_moment(letter.resolved_at)}{why}"


def _error(letter: Letter) -> str:
    return f"{letter.error_code}: {one_line(letter.error_text)}"


def _symbols(letter: Letter) -> str:
    if not letter.symbols:
        return "all of the payload's"
    shown = ", ".join(map(one_line, letter.symbols[:_SYMBOLS]))
    more = len(letter.symbols) - _SYMBOLS
    return f"{shown} and {counted(more)} more" if more > 0 else shown


def _payload(letter: Letter) -> str:
    if letter.payload is None:
        return "none came"
    size = plural(letter.payload.size, "byte")
    return f"{one_line(letter.payload.uri)} ({size}, sha256 {letter.payload.sha256})"


def _tried_cells(each: Tried) -> tuple[object, ...]:
    error = f"{each.error_code}: {one_line(each.error_text)}" if each.error_code else None
    took = (each.ended_at - each.started_at).total_seconds()
    return (
        each.attempt, each.worker, _moment(each.started_at), duration(max(0.0, took)),
        each.outcome, error,
    )  # fmt: skip


def _moment(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def print_again(counts: Mapping[UUID, int], found: Sequence[Case]) -> None:
    """Chunks that start again by job, and what keeps others from it."""
    from ingestor.insights.failed_chunks import repeating

    for job_id, count in counts.items():
        if count:
            start = "starts" if count == 1 else "start"
            click.echo(f"{plural(count, 'chunk')} of job {str(job_id)[:8]} {start} again")
    if not any(counts.values()):
        click.echo("no dead letter matches" if not found else "no chunk starts again")
    for each in found:
        if each.release_of is not None:
            tell(
                f"chunk {each.chunk_id} was to store quarantined records and is left out: "
                f"`{repeating(each.release_of)}` does so"
            )
    for job_id in sorted({each.job_id for each in found if each.retryable and each.paused}):
        tell(f"job {str(job_id)[:8]} is paused: hdi resume {str(job_id)[:8]} lets it go on")
