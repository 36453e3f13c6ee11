"""Temporary files of a vault, called after who writes them: worthless once it has ended."""

from __future__ import annotations

import os
import re
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

from ingestor.vault.durable import FORGOTTEN_S, unchanged_s

SUFFIX: Final = ".tmp"

_NAME: Final = re.compile(r"(?:.*\.)?w-(?P<host>[^.]+)-(?P<pid>[0-9]+)-[0-9a-f]{32}\.tmp")
_IDLE_S: Final = 5.0
"""Two hosts of one name may share a folder: whoever writes, writes more often than that."""


def temporary_name() -> str:
    """A name that nobody else has: ``w-<host>-<pid>-<hex>.tmp``."""
    return f"w-{_host()}-{os.getpid()}-{uuid4().hex}{SUFFIX}"


def sweep(folder: Path) -> int:
    """Removes what processes of this host left that were killed while they wrote; how many.

    What those of other hosts left goes after a week.
    """
    gone = 0
    for path in folder.glob(f"*{SUFFIX}"):
        if unchanged_s(path) > (_IDLE_S if _orphaned(path) else FORGOTTEN_S):
            with suppress(FileNotFoundError):
                path.unlink()
                gone += 1
    return gone


def _orphaned(path: Path) -> bool:
    """Whether its writer ran on this host, and does so no more."""
    found = _NAME.fullmatch(path.name)
    return found is not None and found["host"] == _host() and not _lives(int(found["pid"]))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())
