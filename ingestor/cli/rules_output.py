"""What `hdi rules` prints."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ingestor.cli.output import counted, one_line, plural, print_table, tell
from ingestor.replay.comparison import Change

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingestor.cli.rule_check import FolderCheck
    from ingestor.replay.configuration import Configuration
    from ingestor.replay.recheck import Rechecked
    from ingestor.replay.rehearsal import Rehearsal
    from ingestor.replay.tally import Example, Tally

_OF_RULES = tuple(each for each in Change if each is not Change.VALUE)
_UNDECIDED = ("undecided_old", "undecided_new")


def print_check(found: FolderCheck) -> None:
    """One line per file."""
    for each in found.files:
        said = each.fault or (f"({each.note})" if each.note else "")
        state = "wrong" if each.fault else "ok" if each.ok else "-"
        click.echo(f"{state:<5}  {each.file}  {said}".rstrip())
    for note in found.notes:
        tell(f"note: {note}")


def rehearsal_json(found: Rehearsal, old: Configuration, new: Configuration) -> dict[str, Any]:
    """The object of `hdi rules diff --json`."""
    tally = found.tally
    return {
        "schema_version": 1,
        "old": str(old.folder),
        "new": str(new.folder),
        "chunks": found.chunks,
        "compared": found.compared,
        "records": tally.records,
        "changed_records": tally.changed_records,
        "rules": {rule: _counts(tally, rule) for rule in _rules(tally)},
        "columns": dict(tally.columns.most_common()),
        "examples": [asdict(each) for each in tally.examples],
        "stopped": [asdict(each) for each in found.stopped],
        "skipped": [asdict(each) for each in found.skipped],
    }


def print_rehearsal(found: Rehearsal) -> None:
    """Counts per rule and column, then examples."""
    tally = found.tally
    click.echo(
        f"{counted(tally.changed_records)} of {plural(tally.records, 'record')} in "
        f"{plural(found.compared, 'payload')} would change"
    )
    for each in found.stopped:
        click.echo(
            f"chunk {each.chunk_id} would fail by the {each.side} files: {one_line(each.reason)}"
        )
    if names := _rules(tally):
        columns = (*(str(each) for each in _OF_RULES), *_UNDECIDED)
        click.echo()
        print_table(
            ("rule", *(each.replace("_", " ") for each in columns)),
            ((rule, *_counts(tally, rule).values()) for rule in names),
            right=[each.replace("_", " ") for each in columns],
        )
    if tally.columns:
        click.echo()
        print_table(("column", "changed values"), tally.columns.most_common(),
                    right=("changed values",))  # fmt: skip
    if tally.examples:
        click.echo()
        print_table(
            ("change", "of", "chunk", "position", "instrument", "time", "old → new", "payload"),
            map(_cells, tally.examples),
            right=("chunk", "position"),
        )


def _rules(tally: Tally) -> list[str]:
    """Rules of which anything is to be told."""
    changed = {rule for rule, counts in tally.by_rule.items() if counts.total()}
    return sorted({*changed, *tally.undecided_old, *tally.undecided_new})


def _counts(tally: Tally, rule: str) -> dict[str, int]:
    """The numbers of one rule, in the order of the table."""
    found = tally.by_rule.get(rule, Counter())
    counts = {str(each): found[each] for each in _OF_RULES}
    undecided = (tally.undecided_old[rule], tally.undecided_new[rule])
    return counts | dict(zip(_UNDECIDED, undecided, strict=True))


def _cells(each: Example) -> tuple[object, ...]:
    values = "; ".join(
        f"{name} {_shown(old)}" + ("" if old == new else f" → {_shown(new)}")
        for name, (old, new) in each.values.items()
    )
    return (
        each.change.replace("_", " "), each.by, str(each.chunk_id), each.position,
        one_line(each.symbol or str(each.instrument_id)), each.time, values,
        one_line(each.payload),
    )  # fmt: skip


def _shown(value: object) -> str:
    return "null" if value is None else one_line(str(value))


def recheck_json(found: Rechecked) -> dict[str, Any]:
    """The object of `hdi rules recheck --json`."""
    return {
        "schema_version": 1,
        "chunks": found.chunks,
        "asked": found.asked,
        "rules": {rule: asdict(each) for rule, each in sorted(found.rules.items())},
        "outdated": [{"job_id": job_id, "chunks": n} for job_id, n in found.outdated.items()],
        "unasked": [asdict(each) for each in found.unasked],
    }


def print_recheck(found: Rechecked) -> None:
    """What holds now, per rule."""
    if not found.chunks:
        click.echo("nothing is undecided")
        return
    broken = sum(each.broken for each in found.rules.values())
    click.echo(f"{plural(found.asked, 'chunk')} asked again")
    if found.rules:
        print_table(
            ("rule", "break it", "do not", "undecided still"),
            ((rule, each.broken, each.fine, each.undecided)
             for rule, each in sorted(found.rules.items())),
            right=("break it", "do not", "undecided still"),
        )  # fmt: skip
    if broken:
        tell("next: hdi quarantine list --flagged shows them, hdi replay takes refused ones out")
    if any(each.undecided for each in found.rules.values()):
        tell("note: what is undecided still needs definitions of its days (--schema definition)")


class Bar:
    """Progress on stderr; a context manager: it must be taken down whatever happens."""

    def __init__(self, what: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._drawn = Progress(
            BarColumn(), MofNCompleteColumn(), TextColumn(what), console=Console(stderr=True),
            transient=True,
        )  # fmt: skip
        self._task = self._drawn.add_task("", total=None)

    def __enter__(self) -> Callable[[int, int], None]:
        self._drawn.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        self._drawn.stop()

    def _show(self, done: int, total: int) -> None:
        self._drawn.update(self._task, completed=done, total=total)
