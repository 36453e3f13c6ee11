"""A small file system of a worker's own, that fills up as a real one does: with ENOSPC.

It is mounted in a mount namespace that ends with the worker, so that nothing is left on the host
whatever becomes of the test. Root may make one; others make a user namespace with it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.conftest import environment
from tests.processes import HDI, Fleet, Process

SIZE_MB: Final = 8
_ROOM: Final = "room"
_OWN: Final = ("unshare", "--mount", "--propagation", "private")
_AS_USER: Final = ("unshare", "--user", "--map-root-user", "--mount", "--propagation", "private")
_MOUNTED: Final = 'mount -t tmpfs -o size=$0m,mode=0700 tmpfs "$1" && shift && exec "$@"'


class SmallDisk:
    """What a worker sees at `folder`: a tmpfs of 8 MB."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.worker: Process | None = None

    def start_worker(self, fleet: Fleet, name: str = "w", **env: str) -> Process:
        """A worker that sees the small disk there, and is one of the fleet's."""
        self.folder.mkdir(parents=True, exist_ok=True)
        entered = _OWN if os.geteuid() == 0 else _AS_USER
        command = [
            *entered, "sh", "-c", _MOUNTED, str(SIZE_MB), str(self.folder),
            *HDI, "worker", "--name", name, "--concurrency", "1",
        ]  # fmt: skip
        variables: Mapping[str, str] = {**environment(fleet.settings), **env}
        log = fleet.logs / f"{name}-{len(fleet.started)}.log"
        self.worker = Process(command, variables, log)
        fleet.started.append(self.worker)
        return self.worker

    @property
    def inside(self) -> Path:
        """The folder as the worker sees it."""
        assert self.worker is not None
        return Path(f"/proc/{self.worker.popen.pid}/root{self.folder}")

    @property
    def mounted(self) -> bool:
        """Whether the worker has its own there by now."""
        with suppress(OSError):
            return self.inside.stat().st_dev != self.folder.stat().st_dev
        return False

    @property
    def free(self) -> int:
        """Bytes left."""
        told = os.statvfs(self.inside)
        return told.f_bavail * told.f_frsize

    def fill(self, *, but: int = 0) -> None:
        """Takes all the room but so many bytes, by whole pages."""
        page = os.statvfs(self.inside).f_frsize
        with (self.inside / _ROOM).open("ab", buffering=0) as file:
            for _ in range((self.free - but) // page):
                file.write(bytes(page))

    def clear(self) -> None:
        """Gives the room back."""
        (self.inside / _ROOM).unlink()
