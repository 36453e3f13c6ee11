"""From the options of `hdi-submit`, or a job file, to what a source is asked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from ingestor.cli.output import tell
from ingestor.errors import BadJob, DatabaseUnavailable, NotConfigured, SchemaOutdated
from ingestor.job_file import JobFile
from ingestor.settings import Settings
from ingestor.sources.source import Ask, Coverage, Source, Wanted
from ingestor.store import coverage
from ingestor.store.database import Database, DatabaseOptions
from ingestor.store.meta import check_realm
from ingestor.store.migrate import require_current
from ingestor.vocabulary import Realm, Role


def check_kind(source: Source, path: Path | None) -> None:
    """A source either reads files, or asks a provider.

    Raises:
        BadJob: A path was given to the one, or none to the other.
    """
    if source.reads_files and path is None:
        raise BadJob(
            f"--source {source.name} reads files, and --path names none",
            hint="give --path a file or a folder of them",
        )
    if not source.reads_files and path is not None:
        raise BadJob(
            f"--path and --source {source.name} exclude each other: it asks a provider",
            hint="leave one of them out",
        )


def of_job_file(job: JobFile, *, force: bool, accept_removals: bool) -> Ask:
    """What a job file asks for."""
    return Ask(
        name=job.name,
        priority=job.priority,
        dataset=job.dataset,
        wanted=tuple(
            Wanted(each.schema, each.start, each.end, each.chunk_days) for each in job.requests
        ),
        symbols=job.symbols,
        stype_in=job.stype_in,
        chunk_symbols=job.chunk_symbols,
        force=force,
        accept_removals=accept_removals,
    )


def less_held(ask: Ask, realm: Realm | None, settings: Settings, *, needed: bool) -> Ask:
    """The ask with what the ledger holds already, to be left out of the plan.

    Args:
        realm: Kind of gateway that will be asked: the database must hold no payload of the other.
        needed: Whether the database must answer; a dry run goes on without.

    Raises:
        WrongRealm: The database holds payloads of the other realm.
    """
    if not ask.wanted or ask.dataset is None:
        return ask
    try:
        return replace(ask, held=asyncio.run(_held(ask, realm, settings)))
    except (NotConfigured, DatabaseUnavailable, SchemaOutdated) as error:
        if needed:
            raise
        tell(f"note: what is held already is not left out: {error.message}")
        return ask


async def _held(ask: Ask, realm: Realm | None, settings: Settings) -> Coverage:
    assert ask.dataset is not None
    schemas = list(dict.fromkeys(each.schema for each in ask.wanted))
    options = DatabaseOptions.of(settings, Role.WORKER)
    async with Database(options, name="hdi:submit") as database:
        await require_current(database)
        await check_realm(database, realm)
        return await coverage.held(database, ask.dataset, schemas, ask.stype_in, ask.symbols)
