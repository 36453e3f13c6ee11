"""`hdi rules`: mapping and rule files, checked, compared over what is stored, and asked again."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from ingestor.cli.arguments import JobType
from ingestor.cli.lazy import LazyGroup
from ingestor.cli.path_types import PathType
from ingestor.errors import BadRules

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path
    from uuid import UUID

    from ingestor.replay.recheck import Rechecked
    from ingestor.replay.rehearsal import Rehearsal
    from ingestor.store.database import Database

    Show = Callable[[int, int], None]

_FOLDER = PathType(exists=True, file_okay=False)
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
_HERE = "ingestor.cli.rules"


@click.group(
    cls=LazyGroup,
    commands_from={name: f"{_HERE}:{name}" for name in ("check", "diff", "recheck", "schema")},
)
def rules() -> None:
    """Check mapping and rule files, and see what they would do to what is stored.

    `hdi replay JOB` applies changed files to what a job has loaded.
    """


@click.command(epilog="\b\nExamples:\n  hdi rules check\n  hdi rules check new-configs --json")
@click.argument("folder", metavar="[DIR]", type=_FOLDER, required=False)
@_AS_JSON
def check(folder: Path | None, as_json: bool) -> None:
    """Check every mapping and rule file of a configuration folder.

    DIR holds mappings/ and validation/; the folder in use unless given. Fields are held against the
    records on the wire, columns and expressions against the tables. One line per file: ok, or
    everything that is wrong with it, with line and key.

    Exit codes: 0 all are sound, 1 some are not.
    """
    from ingestor.cli.output import plural, print_json
    from ingestor.cli.rule_check import check_folder
    from ingestor.cli.rules_output import print_check

    found = check_folder(folder or _config_dir())
    if as_json:
        files = [each.as_json() for each in found.files]
        print_json({"schema_version": 1, "ok": not found.wrong, "files": files,
                    "notes": found.notes})  # fmt: skip
    else:
        print_check(found)
    if found.wrong:
        are = "is" if found.wrong == 1 else "are"
        raise BadRules(
            f"{found.wrong} of {plural(len(found.files), 'file')} {are} wrong",
            hint="docs/how-to/rules.md leads through a change",
        )


def _config_dir() -> Path:
    from ingestor.settings import load_settings

    return load_settings().config_dir


@click.command(
    epilog="\b\nExamples:\n  hdi rules diff --new new-configs\n"
    "  hdi rules diff --old configs --new new-configs --job @last --examples 10 --json"
)
@click.option(
    "--old", type=_FOLDER, metavar="DIR", help="Configuration folder; that in use unless given."
)
@click.option("--new", type=_FOLDER, metavar="DIR", required=True, help="The changed one.")
@click.option(
    "--job", type=JobType(), help="Only its completed chunks; those of all jobs unless given."
)
@click.option(
    "--examples", type=click.IntRange(0, 1000), default=3, show_default=True,
    help="Records shown for each change of each rule and column.",
)  # fmt: skip
@_AS_JSON
def diff(old: Path | None, new: Path, job: str | None, examples: int, as_json: bool) -> None:
    """Say what other mappings and rules would do to payloads that are stored.

    Reads the payloads of completed chunks and takes their records through both configurations: per
    rule how many would be newly refused or accepted, newly or no longer flagged, or undecided, and
    per column how many stored values would change, with examples. Nothing is written; `hdi replay`
    applies the rules in use. Payloads that are gone, or that one side has no mapping for, are named
    and left out.

    Exit codes: 0 compared, 1 a file is wrong or no payload can be compared.
    """
    from ingestor.cli.connect import run, tell_realm
    from ingestor.cli.output import one_line, print_json, tell
    from ingestor.cli.rules_output import print_rehearsal, rehearsal_json
    from ingestor.replay.configuration import Configuration
    from ingestor.replay.rehearsal import rehearse
    from ingestor.settings import load_settings
    from ingestor.vocabulary import Role

    settings = load_settings()
    before = Configuration.of("old", old or settings.config_dir, settings)
    after = Configuration.of("new", new, settings)

    async def work(database: Database) -> Rehearsal:
        await tell_realm(database)
        job_id = await _job(database, job)
        with _progress("records compared") as show:
            return await rehearse(database, before, after, job_id, examples=examples, show=show)

    found = run(work, role=Role.READER, settings=settings)
    for skipped in found.skipped:
        tell(f"warning: chunk {skipped.chunk_id} is left out: {one_line(skipped.reason)}")
    if as_json:
        print_json(rehearsal_json(found, before, after))
    else:
        print_rehearsal(found)


@click.command(epilog="\b\nExamples:\n  hdi rules recheck\n  hdi rules recheck @last --json")
@click.argument("job", type=JobType(), required=False)
@_AS_JSON
def recheck(job: str | None, as_json: bool) -> None:
    """Decide rules that could not be decided when records came.

    A rule for one class of instruments, or for some symbols, is undecided where no definition said
    what an instrument was. Once definitions are stored, this asks again, for all jobs or for JOB:
    records that break a rule after all are counted and listed by `hdi quarantine list --flagged`.
    They stay stored, whatever the severity; `hdi replay` takes them out. Chunks that were loaded by
    another mapping or other rules than today's are told of and left as they are. Done twice it does
    nothing more.

    Exit codes: 0 asked, 1 a file is wrong or no payload can be read.
    """
    from ingestor.cli.connect import run
    from ingestor.cli.output import one_line, plural, print_json, tell
    from ingestor.cli.rules_output import print_recheck, recheck_json
    from ingestor.origins import open_sources
    from ingestor.replay.recheck import Rechecker
    from ingestor.settings import load_settings
    from ingestor.store.migrate import require_current
    from ingestor.vocabulary import Role

    settings = load_settings()

    async def work(database: Database) -> Rechecked:
        await require_current(database)
        asked = Rechecker(database, settings, open_sources(settings))
        job_id = await _job(database, job)
        with _progress("chunks asked again") as show:
            return await asked.recheck(job_id, show)

    found = run(work, role=Role.WORKER, settings=settings)
    for each in found.unasked:
        of = f"rule {each.rule} of chunk" if each.rule else "chunk"
        tell(f"warning: {of} {each.chunk_id} is not decided: {one_line(each.reason)}")
    for outdated, chunks in found.outdated.items():
        short = str(outdated)[:8]
        tell(
            f"note: {plural(chunks, 'chunk')} of job {short} not decided: the rules or the mapping "
            f"have changed since: `hdi replay {short}` judges by today's"
        )
    if as_json:
        print_json(recheck_json(found))
    else:
        print_recheck(found)


@click.command(epilog="\b\nExamples:\n  hdi rules schema -o .schemas\n  hdi rules schema | jq .job")
@click.option(
    "-o", "folder", type=PathType(file_okay=False), metavar="DIR",
    help="Write mapping.schema.json, validation.schema.json and job.schema.json there.",
)  # fmt: skip
def schema(folder: Path | None) -> None:
    """Write the JSON Schemas of mapping, validation and job files, for editors.

    On stdout they are one object with keys mapping, validation and job.
    """
    import orjson

    from ingestor.cli.output import print_json
    from ingestor.rule_schemas import rule_schemas

    made = rule_schemas()
    if folder is None:
        print_json(made)
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, each in made.items():
        path = folder / f"{name}.schema.json"
        path.write_bytes(orjson.dumps(each, option=orjson.OPT_INDENT_2) + b"\n")
        click.echo(path)


async def _job(database: Database, job: str | None) -> UUID | None:
    from ingestor.insights import resolve_job

    return None if job is None else await resolve_job(database, job)


def _progress(what: str) -> AbstractContextManager[Show]:
    """A bar on stderr where that is a terminal, nothing elsewhere."""
    from ingestor.cli.rules_output import Bar
    from ingestor.cli.watching import bar_wanted

    return Bar(what) if bar_wanted() else nullcontext(lambda done, total: None)
