"""Dead letters as files: one of all, as JSON, lines of JSON or CSV, or one of each."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from uuid import UUID

    from ingestor.insights.letters import Told
    from ingestor.store.database import Database

FORMATS: Final = ("json", "jsonl", "csv")
_STDOUT: Final = Path("-")
_COLUMNS: Final = (
    "letter_id", "chunk_id", "job_id", "job_name", "failed_at", "attempts", "error_code",
    "error_text", "state", "resolution", "resolved_at", "note", "source", "dataset", "schema",
    "stype_in", "symbols", "start", "end", "uri", "sha256", "size", "last_worker", "next",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """Where letters go, and how.

    Attributes:
        path: ``-`` is standard output.
        form: Of `FORMATS`.
    """

    path: Path
    form: str

    @classmethod
    def of(cls, path: Path, form: str | None, *, overwrite: bool) -> Target:
        """Checked before anything is asked.

        Raises:
            click.UsageError: Nothing can be written there, or it is not said in which form.
        """
        if path == _STDOUT:
            return cls(path, form or "jsonl")
        ending = path.suffix.lstrip(".").lower()
        if form is None and ending not in FORMATS:
            raise click.UsageError(
                f"{path} ends in none of .json, .jsonl and .csv; --format says which is meant."
            )
        if not path.parent.is_dir():
            raise click.UsageError(f"the folder {path.parent} does not exist; make it first.")
        if path.is_dir():
            raise click.UsageError(f"{path} is a folder; --folder writes a file per letter.")
        if path.exists() and not overwrite:
            raise click.UsageError(f"{path} exists; --overwrite replaces it.")
        return cls(path, form or ending)

    def write(self, found: Sequence[Told]) -> None:
        """Writes the letters; a file takes its place when it is whole.

        Raises:
            LocalFault: It cannot be written; what was there is as it was.
        """
        made = _made(found, self.form)
        if self.path == _STDOUT:
            sys.stdout.write(made)
            return
        _put(self.path, made)


def where(path: Path | None) -> str:
    """The place in words."""
    return "standard output" if path == _STDOUT else str(path)


def _put(path: Path, made: str) -> None:
    from ingestor.errors import LocalFault

    part = path.with_name(f"{path.name}.part")
    try:
        try:
            part.write_text(made, encoding="utf-8", newline="")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise LocalFault(
            f"{path} cannot be written: {error.strerror}", hint="choose another place with --output"
        ) from error


def _made(found: Sequence[Told], form: str) -> str:
    from ingestor.cli.output import as_json

    match form:
        case "json":
            return as_json([each.as_json() for each in found]).decode() + "\n"
        case "csv":
            return _csv(found)
        case _:
            return "".join(as_json(each.as_json()).decode() + "\n" for each in found)


def _csv(found: Sequence[Told]) -> str:
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(map(_cells, found))
    return made.getvalue()


def _cells(told: Told) -> list[object]:
    """Texts of other people on one line: a lone carriage return would end a row."""
    from ingestor.cli.output import one_line
    from ingestor.model.readable import time_text

    letter = told.letter
    payload = letter.payload
    cells = (
        letter.letter_id, letter.chunk_id, letter.job_id, letter.job_name,
        letter.created_at.isoformat(), letter.attempts, letter.error_code, letter.error_text,
        letter.state, letter.resolution, letter.resolved_at and letter.resolved_at.isoformat(),
        letter.note, letter.source, letter.dataset, letter.schema, letter.stype_in,
        ",".join(letter.symbols), time_text(letter.start), time_text(letter.end),
        *((None, None, None) if payload is None else (payload.uri, payload.sha256, payload.size)),
        letter.tried[-1].worker if letter.tried else None, told.next,
    )  # fmt: skip
    return [one_line(each) if isinstance(each, str) else each for each in cells]


def make_folder(folder: Path) -> None:
    """Makes it, before anything is asked.

    Raises:
        LocalFault: It cannot be made.
    """
    from ingestor.errors import LocalFault

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocalFault(
            f"the folder {folder} cannot be made: {error.strerror}",
            hint="choose another with --folder",
        ) from error


async def bring_up_to_date(
    database: Database,
    folder: Path,
    *,
    job_id: UUID | None = None,
    chunk_ids: Sequence[int] | None = None,
) -> None:
    """Writes the files of letters that were closed anew, where this host has them."""
    from ingestor.dead_letters import write_letter
    from ingestor.store import letters

    choice = letters.Choice(job_id=job_id, chunk_ids=chunk_ids, open=False)
    for letter in await letters.letters(database, choice):
        if (folder / letter.file_name).is_file():
            write_letter(folder, letter)


def write_folder(folder: Path, found: Sequence[Told]) -> None:
    """Writes the file that a worker writes of each letter.

    Raises:
        LocalFault: The folder cannot be written; the files before that are there.
    """
    from ingestor.dead_letters import write_letter
    from ingestor.errors import LocalFault

    for at, each in enumerate(found):
        if write_letter(folder, each.letter) is None:
            raise LocalFault(
                f"the folder {folder} cannot be written after {at:,} of {len(found):,} letters",
                hint="change its owner, make room, or choose another with --folder",
            )
