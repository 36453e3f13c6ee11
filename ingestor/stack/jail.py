"""Where a server lives: one folder with its programs, its data and nothing else.

Servers must not run as root, and the folders above a home are often closed to others. So root
shuts a server into its folder (chroot) under an account of its own; nothing is mounted, because
containers often forbid it. Anybody else runs the server directly, as themselves.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ingestor.errors import StackUnavailable

ACCOUNT = 60978
"""Uid and gid in a jail: in the gap (60578-61183) that systemd's allocation leaves unused."""

LIBRARIES = "opt/lib"
"""Where a wheel's own libraries belong in a jail."""

_NO_JAIL = "run as an ordinary user, or name servers in HDI_DATABASE_URL and HDI_REDIS_URL"


@dataclass(frozen=True, slots=True)
class Jail:
    """A folder for one server.

    Attributes:
        folder: Seen from outside.
        closed: Whether the server sees `folder` as `/` and runs as `ACCOUNT`.
    """

    folder: Path
    closed: bool

    @classmethod
    def at(cls, folder: Path) -> Jail:
        """The folder, made when missing; closed for root."""
        jail = cls(folder, closed=os.geteuid() == 0)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o711 if jail.closed else 0o700)
        return jail

    def inside(self, path: Path) -> str:
        """`path` as the server must spell it."""
        return "/" + str(path.relative_to(self.folder)) if self.closed else str(path)

    def private_folder(self, name: str) -> Path:
        """A folder that only the server's account (and root) can enter."""
        path = self.folder / name
        path.mkdir(mode=0o700, exist_ok=True)
        self.own(path)
        return path

    def secret(self, name: str, text: str) -> Path:
        """A file that only the server's account (and root) can read, written in one step."""
        path = self.folder / name
        fresh = path.with_name(f".{name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600, exist_ok=False)
        fresh.write_text(text)
        self.own(fresh)
        return fresh.replace(path)

    def own(self, path: Path) -> None:
        """Give `path` to the server's account."""
        if self.closed:
            os.chown(path, ACCOUNT, ACCOUNT)

    def run(
        self,
        *argv: str,
        stdin: str = "",
        env: Mapping[str, str] | None = None,
        timeout_s: float = 120,
    ) -> str:
        """Run a program as the server would run, with a clean environment; its stdout.

        Raises:
            StackUnavailable: It failed; the message holds the telling line of its stderr.
        """
        name = Path(argv[0]).name
        try:
            done = subprocess.run(
                [*self._entry(), *argv],
                input=stdin,
                capture_output=True,
                text=True,
                env={**self._environment(), **(env or {})},
                cwd=self.folder,
                timeout=timeout_s,
                start_new_session=True,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise StackUnavailable(f"{name} could not be run: {_reason(exc)}") from exc
        if done.returncode != 0:
            reason = _gist(done.stderr)
            hint = _NO_JAIL if reason.startswith("chroot:") else ""
            raise StackUnavailable(f"{name} failed: {reason}", hint=hint)
        return done.stdout

    def _entry(self) -> list[str]:
        if not self.closed:
            return []
        # coreutils' program: it changes account and groups after the root, without a Python fork
        return ["chroot", f"--userspec={ACCOUNT}:{ACCOUNT}", "--groups=", str(self.folder)]

    def _environment(self) -> dict[str, str]:
        path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        # a loader finds the libraries beside its program through /proc, which a jail lacks
        return {**path, "LD_LIBRARY_PATH": f"/{LIBRARIES}"} if self.closed else path


def _reason(exc: OSError | subprocess.TimeoutExpired) -> str:
    if isinstance(exc, OSError):
        return exc.strerror or type(exc).__name__
    return f"no end after {exc.timeout:g} s"


def _gist(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    marks = ("error:", "fatal:", "panic:")
    telling = [line for line in lines if any(mark in line.lower() for mark in marks)]
    return (telling or lines or ["no reason given"])[-1]
