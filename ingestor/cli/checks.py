"""The checks of `hdi doctor`, each a finding with what to do next. They change nothing."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from ingestor.errors import IngestError
from ingestor.insights import presence_warnings
from ingestor.insights.realm import realm_warnings
from ingestor.model import TABLES
from ingestor.settings import Settings
from ingestor.settings.forms import vault_folder
from ingestor.store import health
from ingestor.store.database import Database, DatabaseOptions
from ingestor.store.migrate import HEAD, Catalogue, catalogue
from ingestor.store.sqlstates import place
from ingestor.vocabulary import Role

_LOW_BYTES: Final = 5 * 1024**3


class Level(StrEnum):
    """How bad a finding is; a warning leaves HDI able to work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        next: What to do about it; empty where nothing is to be done.
        code: Exit code of the command where it failed.
    """

    name: str
    level: Level
    found: str
    next: str = ""
    code: int = 1


def _of_error(name: str, error: IngestError) -> Finding:
    return Finding(name, Level.FAIL, error.message, error.hint, error.exit_code)


def _judged(name: str, ok: bool, found: str, next_: str, bad: Level = Level.FAIL) -> Finding:
    return Finding(name, Level.OK, found) if ok else Finding(name, bad, found, next_)


async def database_findings(settings: Settings) -> list[Finding]:
    """The database, once per login in use."""
    logins: dict[str, list[Role]] = {}
    for role in Role:
        try:
            logins.setdefault(settings.dsn(role), []).append(role)
        except IngestError as error:
            # Worker hosts need no owner's login.
            if role is not Role.OWNER or settings.worker_database_url is None:
                return [_of_error("database", error)]
    findings: list[Finding] = []
    for roles in logins.values():
        reached = any(each.level is Level.OK for each in findings)
        findings += await _login(settings, roles, whole=not reached)
    return findings


async def _login(settings: Settings, roles: list[Role], *, whole: bool) -> list[Finding]:
    name = "database" if whole else f"login of {roles[0].removeprefix('hdi_')}"
    options = DatabaseOptions.of(settings, roles[0])
    try:
        async with Database(options, name="hdi:doctor") as database:
            seen = await health.server(database)
            found = await catalogue(database)
            findings = [Finding(name, Level.OK, f"{place(options.dsn)} as {seen.login}")]
            if whole:
                findings += await _server_findings(database, seen, found)
            if found.current:
                findings += [await _privileges(database, seen.login, role) for role in roles]
            return findings
    except IngestError as error:
        return [_of_error(name, error)]


async def _server_findings(
    database: Database, seen: health.Server, found: Catalogue
) -> list[Finding]:
    findings = [
        _judged("postgresql", seen.version >= health.MIN_VERSION, found.postgresql,
                "HDI needs PostgreSQL 15 or newer"),
        _timescaledb(found),
        _migration(found),
    ]  # fmt: skip
    if found.timescaledb is not None:
        findings.append(_locks(seen.locks))
    if found.current:
        findings.append(await _tables(database, found))
        findings += [
            Finding("data", Level.WARN, line, "give real data a database of their own")
            for line in await realm_warnings(database)
        ]
        findings += [
            Finding("processes", Level.WARN, notice.what, notice.next)
            for notice in await presence_warnings(database)
        ] or [Finding("processes", Level.OK, "workers and scheduler online")]
    return findings


def _timescaledb(found: Catalogue) -> Finding:
    there = found.timescaledb is not None
    version = f"{found.timescaledb}, licence {found.license}" if there else "not in this database"
    return _judged(
        "timescaledb", there, version,
        "tables are plain: right for trials; install TimescaleDB for years of data", Level.WARN,
    )  # fmt: skip


def _migration(found: Catalogue) -> Finding:
    return _judged(
        "migration", found.current, f"at {found.revision or 'none'}, this HDI needs {HEAD}",
        "run `hdi db migrate`",
    )  # fmt: skip


def _locks(locks: int) -> Finding:
    return _judged(
        "locks", locks >= health.MIN_LOCKS, f"max_locks_per_transaction is {locks}",
        f"set it to {health.MIN_LOCKS} or more and restart PostgreSQL: reads over years of ticks "
        "run out of locks", Level.WARN,
    )  # fmt: skip


async def _tables(database: Database, found: Catalogue) -> Finding:
    names = [table.name for table in TABLES]
    extra = await health.extra_indexes(database)
    if extra:
        return Finding(
            "tables", Level.WARN, f"indexes that HDI did not make: {', '.join(extra)}",
            "drop them unless you need them: every one slows down every load",
        )  # fmt: skip
    if found.timescaledb is None:
        return Finding("tables", Level.OK, f"{len(names)} plain tables")
    plain = sorted(set(names) - found.hypertables.keys())
    return _judged(
        "tables", not plain, f"no hypertables: {', '.join(plain)}" if plain
        else f"{len(names)} hypertables, no index but their keys and time indexes asked for",
        "TimescaleDB came after the migration; move to a fresh database", Level.WARN,
    )  # fmt: skip


async def _privileges(database: Database, login: str, role: Role) -> Finding:
    lacks = await health.lacking(database, role)
    who = role.removeprefix("hdi_")
    more = f" and {len(lacks) - 3} more" if len(lacks) > 3 else ""
    return _judged(
        f"{who} rights", not lacks,
        f"{login} lacks {', '.join(lacks[:3])}{more}" if lacks else f"{login} has them",
        f"as the owner, run `hdi db grant {login} --role {who}`",
    )  # fmt: skip


def redis_findings(settings: Settings) -> list[Finding]:
    """Redis, and whether it may drop what is queued."""
    from ingestor.broker import Broker

    try:
        broker = Broker(settings)
        try:
            return [Finding("redis", Level.OK, f"{broker.check()}, drops nothing that is queued")]
        finally:
            broker.close()
    except IngestError as error:
        return [_of_error("redis", error)]


def folder_findings(settings: Settings) -> list[Finding]:
    """Folders of this host: writable, with room left."""
    folders = {"home": settings.home, "dead letters": settings.dlq_dir}
    if (vault := vault_folder(settings.vault_url)) is not None:
        folders["vault"] = vault
    return [_folder(name, folder) for name, folder in folders.items()]


def _folder(name: str, folder: Path) -> Finding:
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Finding(name, Level.FAIL, f"{folder} is not writable", f"give us {there}")
    free = shutil.disk_usage(there).free
    return _judged(
        name, free >= _LOW_BYTES, f"{folder}, {free / 1024**3:.1f} GiB free",
        "make room: payloads and dead letters are kept there", Level.WARN,
    )  # fmt: skip
