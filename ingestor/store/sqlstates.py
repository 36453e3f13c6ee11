"""The one place where what PostgreSQL and the way to it say becomes an error of ours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from urllib.parse import urlsplit

import asyncpg

from ingestor.errors import (
    DatabaseHalted,
    DatabaseUnavailable,
    IngestError,
    SchemaOutdated,
    Terminal,
    Unstorable,
)

# SQLSTATE classes and codes by what a worker does about them.
_PASSING = ("08", "40001", "40P01", "53300", "55P03", "57P", "57014", "25P03", "XX000")
# Of those, what ends or refuses sessions: nobody's statements go through.
_GONE = ("08", "53300", "57P")
# SQLSTATE → what is the matter, and the setting or command that mends it.
_HALTED = {
    "53100": (
        "the database server's disk is full",
        "make room on the volume of data_directory and temp_tablespaces; work waits for it",
    ),
    "53200": (
        "the server is out of lock or shared memory",
        "raise max_locks_per_transaction (512 or more) and restart the server; work waits for it",
    ),
    "53400": (
        "a configuration limit of the server was reached",
        "raise the setting that the server names (temp_file_limit); work waits for it",
    ),
    "25006": (
        "the database is read-only",
        "name the primary in HDI_DATABASE_URL, or turn default_transaction_read_only off",
    ),
    "42501": (
        "the database login lacks a privilege",
        "run `hdi db grant` with the owner's login; work waits for it",
    ),
}
# InternalClientError is what asyncpg says of a session that the server has ended, until it has seen
# the end of its stream, too.
LOST = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_MISSING = {"42P01": "table", "3F000": "namespace", "42703": "column"}
_LOGIN = {"28000", "28P01", "3D000"}


def place(dsn: str) -> str:
    """Host, port and database of a URL, without login: for people."""
    parts = urlsplit(dsn)
    host = "127.0.0.1"
    with contextlib.suppress(ValueError):
        host = f"{parts.hostname or 'localhost'}:{parts.port or 5432}"
    return f"{host}{parts.path}"


@contextlib.contextmanager
def translating(dsn: str) -> Iterator[None]:
    """Turns asyncpg's and the socket's errors into ours, by SQLSTATE or type, never by text."""
    try:
        yield
    except IngestError:
        raise
    except asyncpg.PostgresError as error:
        raise _by_sqlstate(error, dsn) from error
    except LOST as error:
        raise DatabaseUnavailable(
            f"the database at {place(dsn)} cannot be reached: {_brief(error)}",
            hint="start it (`hdi stack up`), or check HDI_DATABASE_URL",
        ) from error


def _by_sqlstate(error: asyncpg.PostgresError, dsn: str) -> IngestError:
    state = error.sqlstate or ""
    said = _brief(error)
    if state in _HALTED:
        what, hint = _HALTED[state]
        return DatabaseHalted(f"{what}: {said}", sqlstate=state, hint=hint)
    if state in _LOGIN:
        return DatabaseUnavailable(
            f"the database at {place(dsn)} refuses the login or database: {said}",
            hint="check HDI_DATABASE_URL; `hdi config show --sources` tells where it comes from",
        )
    if state in _MISSING:
        return SchemaOutdated(
            f"the database at {place(dsn)} lacks a {_MISSING[state]}: {said}",
            hint="run `hdi db migrate`",
        )
    if state.startswith(_PASSING):
        return DatabaseUnavailable(
            f"the database passed this by ({state}): {said}", away=state.startswith(_GONE)
        )
    if state.startswith("22"):
        return Unstorable(f"the database cannot hold a value ({state}): {said}")
    return Terminal(f"the database refused a statement ({state}): {said}")


def _brief(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
