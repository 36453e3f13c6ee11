"""Named points at which a test makes the process die, stop, fail or sleep. Off unless set.

``HDI_FAILPOINT=<point>:<kill|stop|raise|sleep|spin|memory>`` with the points of `POINTS`;
``copy@35`` is reached once 35 % of a chunk's records have been sent to the database.
``HDI_FAILPOINT=@FILE`` reads the same from a file each time, so that a test can arm a process that
is running.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Final

VARIABLE: Final = "HDI_FAILPOINT"
POINTS: Final = (
    "claimed",
    "fetching",
    "fetched",
    "before_copy",
    "copy@N",
    "before_commit",
    "after_commit",
    "before_publish",
    "vault_payload",
    "vault_manifest",
    "vault_index",
)
_SLEEP_S = 3600.0


class InjectedFault(RuntimeError):
    """What ``raise`` raises; nothing in the product catches it by name."""


def reach(point: str) -> None:
    """Does what HDI_FAILPOINT asks for at this point; nothing, as a rule."""
    setting = os.environ.get(VARIABLE)
    if setting is None:
        return
    if setting.startswith("@"):
        setting = Path(setting[1:]).read_text().strip()
    wanted, _, action = setting.partition(":")
    if wanted == point:
        _act(point, action)


def _act(point: str, action: str) -> None:
    match action:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            # To this very thread: sent to the process, another may take it, and this one goes on.
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        case "sleep":
            time.sleep(_SLEEP_S)
        case "spin":
            while True:
                pass
        case "memory":
            raise MemoryError(point)
        case "raise":
            raise InjectedFault(point)
        case _:
            raise ValueError(
                f"{VARIABLE} asks for {action!r}; known: kill, stop, raise, sleep, spin, memory"
            )


class Meter:
    """Reaches ``copy@N`` whenever N % of `total` has passed."""

    def __init__(self, total: int) -> None:
        self._total = max(total, 1)
        self._done = 0
        self._percent = 0

    def add(self, amount: int) -> None:
        self._done += amount
        percent = min(100, self._done * 100 // self._total)
        if VARIABLE not in os.environ:  # a hundred questions are a fiftieth of a small chunk
            return
        for step in range(self._percent + 1, percent + 1):
            reach(f"copy@{step}")
        self._percent = percent
