"""TimescaleDB and Valkey with the command lines of docker-compose.yml, secrets where it puts them.

Each lives in a folder of its own that it sees as ``/``, as an account without rights: close to what
their images do, with the programs of the embedded stack's private tree.
"""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ingestor.stack import filling, process, tree
from ingestor.stack.jail import Jail
from tests.deploy import compose
from tests.deploy.compose import ROOT

BIN = f"/{tree.POSTGRES_BIN}"
DATA = "/var/lib/postgresql/data"
SOCKETS = "/var/run/postgresql"
INIT = "/docker-entrypoint-initdb.d/100_create_logins.sh"


def _furnish(jail: Jail, service: str, secrets: Path) -> None:
    """Folders that only the server enters, and the secrets that Compose mounts."""
    held = jail.folder / "run/secrets"
    held.mkdir(parents=True)
    for name in compose.services()[service]["secrets"]:
        shutil.copy(secrets / f"{name}.txt", held / name)
    for folder in (jail.folder, *jail.folder.glob("run/**/")):
        folder.chmod(0o755)
    (jail.folder / "tmp").mkdir()
    (jail.folder / "tmp").chmod(0o1777)


def _own_folder(jail: Jail, path: str) -> None:
    folder = jail.folder / path.lstrip("/")
    folder.mkdir(parents=True)
    for parent in folder.relative_to(jail.folder).parents:
        (jail.folder / parent).chmod(0o755)
    folder.chmod(0o700)
    jail.own(folder)


@dataclass(frozen=True)
class TimescaleDB:
    """A server on a loopback port, made as the image makes it: initdb, start, init script."""

    jail: Jail
    port: int

    @classmethod
    def make(cls, folder: Path, secrets: Path) -> TimescaleDB:
        jail = Jail.at(folder)
        found = tree.ensure(print)
        folders = {each: each.lstrip("/") for each in tree.POSTGRES_FOLDERS}
        programs = ("/usr/bin/env", "/usr/bin/bash", "/usr/bin/cat", "/bin/sh")
        filling.fill(
            jail, "compose", programs=(*found.postgres_files(), *programs), folders=folders,
            root=found.root,
        )  # fmt: skip
        _furnish(jail, "timescaledb", secrets)
        _own_folder(jail, DATA)
        _own_folder(jail, SOCKETS)
        made = cls(jail, process.free_port())
        made._initdb()
        made.mount_script()
        return made

    def _initdb(self) -> None:
        wanted = compose.services()["timescaledb"]["environment"]
        self.jail.run(
            f"{BIN}/initdb", f"--pgdata={DATA}", f"--username={wanted['POSTGRES_USER']}",
            f"--pwfile={wanted['POSTGRES_PASSWORD_FILE']}", *wanted["POSTGRES_INITDB_ARGS"].split(),
        )  # fmt: skip

    def mount_script(self) -> None:
        (mount,) = [
            each
            for each in compose.mounts(compose.services()["timescaledb"])
            if each.target == INIT
        ]
        target = self.jail.folder / mount.target.lstrip("/")
        target.parent.mkdir()
        target.parent.chmod(0o755)
        shutil.copy(ROOT / mount.source, target)
        target.chmod(0o755)

    def start(self) -> None:
        """With the flags of docker-compose.yml, and three that the machine asks for."""
        flags = compose.services()["timescaledb"]["command"][1:]
        here = [
            f"-cport={self.port}", "-clisten_addresses=127.0.0.1",
            f"-cunix_socket_directories={SOCKETS}",
            "-cdynamic_shared_memory_type=sysv",  # a jail has no /dev/shm
        ]  # fmt: skip
        self.jail.run(
            f"{BIN}/pg_ctl", "start", "--silent", "--wait", f"--pgdata={DATA}",
            "--log=/tmp/postgres.log", f"--options={' '.join([*flags, *here])}",
        )  # fmt: skip

    def create_logins(self) -> None:
        """What the image does with a new volume, after it made POSTGRES_DB."""
        wanted = compose.services()["timescaledb"]["environment"]
        if not self.psql("SELECT 1 FROM pg_database WHERE datname = 'hdi'"):
            self.psql(f"CREATE DATABASE {wanted['POSTGRES_DB']}")
        self.jail.run(INIT, env=self._variables())

    def psql(self, statement: str) -> str:
        """As the superuser, through the socket."""
        return self.jail.run(
            f"{BIN}/psql", "-XqAtw", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres",
            "-c", statement, env=self._variables(),
        ).strip()  # fmt: skip

    def _variables(self) -> dict[str, str]:
        wanted = compose.services()["timescaledb"]["environment"]
        own = {name: str(wanted[name]) for name in ("POSTGRES_USER", "POSTGRES_DB")}
        path = f"{BIN}:/usr/sbin:/usr/bin:/sbin:/bin"
        return {**own, "PATH": path, "PGPORT": str(self.port), "PGHOST": SOCKETS}

    def health(self) -> None:
        """Run the health check; raises where it fails."""
        _, program, *options = compose.services()["timescaledb"]["healthcheck"]["test"]
        self.jail.run(f"{BIN}/{program}", *options, f"--port={self.port}")

    def log(self) -> str:
        return (self.jail.folder / "tmp/postgres.log").read_text(errors="replace")

    def stop(self) -> None:
        with suppress(Exception):
            self.jail.run(f"{BIN}/pg_ctl", "stop", "--mode=fast", "--wait", f"--pgdata={DATA}")


class Valkey:
    """A server on a loopback port."""

    def __init__(self, folder: Path, secrets: Path) -> None:
        self.jail = Jail.at(folder)
        self.port = process.free_port()
        found = tree.ensure(print)
        programs = ("/usr/bin/valkey-server", "/usr/bin/valkey-cli", "/bin/sh")
        filling.fill(self.jail, "compose", programs=programs, root=found.root)
        _furnish(self.jail, "redis", secrets)
        _own_folder(self.jail, "/data")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program, *flags = compose.services()["redis"]["command"]
        here = ["--port", str(self.port), "--bind", "127.0.0.1"]
        with (self.jail.folder / "tmp/valkey.log").open("wb") as log:
            self.process = subprocess.Popen(
                [*self.jail._entry(), f"/usr/bin/{program}", *flags, *here],
                env=self.jail._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def health(self) -> str:
        """Run the health check; raises where it fails."""
        shell, option, text = compose.services()["redis"]["healthcheck"]["test"][1:]
        text = text.replace("$$", "$").replace("valkey-cli", f"valkey-cli -p {self.port}")
        return self.jail.run(f"/bin/{shell}", option, text)

    def command_line(self) -> str:
        assert self.process is not None
        return Path(f"/proc/{self.process.pid}/cmdline").read_bytes().decode()

    def log(self) -> str:
        return (self.jail.folder / "tmp/valkey.log").read_text(errors="replace")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
