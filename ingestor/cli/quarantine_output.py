"""What `hdi quarantine` prints for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import click

from ingestor.cli.output import counted, one_line, plural, print_facts, print_table, tell
from ingestor.model.readable import time_text
from ingestor.replay.retrial import Why

if TYPE_CHECKING:
    from ingestor.insights.explanation import Explained
    from ingestor.insights.quarantine import Listing
    from ingestor.insights.refusal import Explanation
    from ingestor.replay.outcome import Released, Replayed
    from ingestor.store.refused import Entry

_COLUMNS: Final = ("chunk", "job", "rule", "symbol", "time", "value", "reason")
_WHY: Final = {
    Why.RULE: "today's rules refuse it",
    Why.TABLE: "no row can hold it, whatever the rules are",
    Why.UNPLACED: "its place among records of its key was not kept",
    Why.UNREADABLE: "its bytes are no record of its schema",
}


def print_listing(found: Listing, *, everything: bool) -> None:
    """Counts per rule, then records; what is not shown is told on stderr."""
    if found.total:
        print_table(("rule", "records"), found.rules.items(), right=("records",))
        click.echo()
    if found.entries:
        # Flagged records are numbered by themselves: `show` and `replay` take ids of quarantine.
        number = "id" if found.kept == "refused" else "flagged"
        state = ("state",) if everything else ()
        print_table(
            (number, *_COLUMNS, *state),
            ((*_cells(each), *((_state(each),) if everything else ())) for each in found.entries),
            right=(number, "chunk"),
        )
    for line in _left_out(found):
        tell(line)


def _left_out(found: Listing) -> Iterator[str]:
    where = "in quarantine" if found.kept == "refused" else "flagged"
    if not found.total:
        yield f"nothing {where} matches"
    elif found.more:
        yield f"{counted(found.more)} more of {counted(found.total)}: --limit shows more of them"
    if found.hidden:
        resolved, again = "resolved or superseded", "of chunks loaded again since"
        what = resolved if found.kept == "refused" else again
        yield f"{plural(found.hidden, 'other')} {what}: --all lists them too"
    for rule, records in found.unlisted.items():
        yield (
            f"{rule}: {counted(records)} more flagged in these jobs are counted in receipts and "
            "not kept (store.flags_kept)"
        )


def _cells(entry: Entry) -> tuple[object, ...]:
    return (
        str(entry.id), str(entry.chunk_id), str(entry.job_id)[:8], entry.rule, _instrument(entry),
        _time(entry), one_line(entry.value), one_line(entry.reason),
    )  # fmt: skip


def _instrument(entry: Entry) -> str | None:
    if entry.symbol is None and not entry.instrument_id and _unread_id(entry):
        return None  # 0 stands for it
    return one_line(entry.symbol or str(entry.instrument_id))


def _unread_id(entry: Entry) -> bool:
    """Whether nothing could be made of what was delivered as its instrument."""
    if entry.readable is not None and "instrument_id" in entry.readable:
        return entry.readable["instrument_id"] is None
    return entry.rule == "instrument_id.unread"


def _time(entry: Entry) -> str | None:
    return None if entry.index_ns is None else time_text(entry.index_ns)


def _state(entry: Entry) -> str:
    if entry.resolution == "replayed":
        return f"replayed by chunk {entry.resolved_by}"
    if entry.resolution == "discarded":
        return f"discarded by {entry.resolved_reason}"
    if entry.superseded_by is not None:
        return f"superseded by chunk {entry.superseded_by}"
    return "waits"


def print_explanation(found: Explanation) -> None:
    """What is known of a record, then field by field."""
    print_facts(_facts(found))
    if not found.fields:
        return
    click.echo()
    print_table(("column", "delivered", "stored as", "why not"), map(_field_cells, found.fields))


def _facts(found: Explanation) -> Iterator[tuple[str, str]]:
    entry = found.entry
    yield "record", f"{entry.id} of quarantine, {_state(entry)}"
    chunk = f"chunk {entry.chunk_id} of job {str(entry.job_id)[:8]}"
    place = f"record {counted(entry.position)} of its payload, counted from 0"
    yield "of", f"{entry.dataset} {entry.schema}: {chunk}, {place}"
    symbol = "" if entry.symbol is None else f"{one_line(entry.symbol)}, "
    yield "instrument", f"{symbol}id {entry.instrument_id}, publisher {entry.publisher_id}"
    yield "time", _time(entry) or "none"
    yield "broke", f"{entry.rule}: {entry.reason}"
    value = one_line(entry.value)
    yield "found", f"{entry.field} {value}" if found.of_table else value
    yield "that rule", _rule_now(found)
    yield "today", _today(found)


def _rule_now(found: Explanation) -> str:
    if found.of_table:
        return "the table's own: no row can hold what breaks it"
    changed = "; the rule files have changed since" if found.rules_changed else ""
    if found.rule is None:
        return f"is in no rule file any more{changed}"
    return f"{found.rule.check} ({found.rule.severity}){changed}"


def _today(found: Explanation) -> str:
    today, entry = found.today, found.entry
    if today is None:
        return f"cannot be judged: {_WHY[Why.UNREADABLE]}"
    if not today.accepted:
        return f"refused: {today.rule}: {today.reason}"
    marks = ("flagged by", today.flags), ("undecided", today.undecided)
    accepted = "; ".join(["accepted", *(f"{what} {', '.join(of)}" for what, of in marks if of)])
    if entry.resolution == "replayed" or entry.superseded_by is not None:
        return accepted
    if entry.ordinal is None:
        again = f"`hdi replay {str(entry.job_id)[:8]}` loads its payload again"
        return f"{accepted}, but {_WHY[Why.UNPLACED]}: {again}"
    return f"{accepted}: `hdi quarantine replay {entry.id}` stores it"


def _field_cells(each: Explained) -> tuple[object, ...]:
    stored = None if each.shown is None else one_line(each.shown)
    return each.name, each.wire, stored, "; ".join(each.reasons) or None


def print_replayed(found: Replayed) -> None:
    """What was stored by which job, and what stays for which reason."""
    accepted = sum(each.receipt.fetched for each in found.released)
    sums = (
        f"{counted(found.total('stored'))} stored, "
        f"{counted(found.total('already_stored'))} there already"
    )
    line = f"{counted(accepted)} of {plural(found.asked, 'record')} replayed: {sums}"
    jobs = [str(job_id)[:8] for job_id in found.jobs]
    click.echo(f"{line}; job {', '.join(jobs)}" if jobs else line)
    if found.elsewhere:
        click.echo(f"{counted(found.elsewhere)} were resolved by another command meanwhile")
    if found.staying:
        click.echo(f"{counted(found.staying.total())} stay in quarantine:")
        print_table(
            ("rule", "records", "why"),
            ((rule or None, n, _WHY[why]) for (rule, why), n in found.staying.most_common()),
            right=("records",),
        )
    for job_id in found.unplaced:
        click.echo(
            f"`hdi replay {str(job_id)[:8]}` loads the payloads again of records whose place was "
            "not kept"
        )


def stored_so_far(done: Sequence[Released]) -> str:
    """What a replay that did not end well has stored all the same."""
    records = sum(each.receipt.fetched for each in done)
    return (
        f"{plural(records, 'record')} replayed before that; the others are in quarantine as they "
        "were: run it again"
    )
