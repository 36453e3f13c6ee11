"""Processes and ports: whether a process is ours, stopping it, a free port on loopback.

A process id alone proves nothing after a crash: the number may belong to somebody else by now. So
every server of ours, and every child of one, bears the mark of its folder in its command line,
which all may read; the working folder would need a privilege that containers take from root.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ingestor.errors import StackUnavailable

LOOPBACK = "127.0.0.1"
_MARK = re.compile("hdi-[0-9a-f]{16}")
_POLL_S = 0.02


def mark(folder: Path) -> str:
    """The word that tells the processes of `folder` from all others."""
    return "hdi-" + hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]


def bears(pid: int, word: str) -> bool:
    """Whether process `pid` lives and bears the mark. A zombie does not live."""
    return word in _command(pid)


def bearers(word: str) -> list[int]:
    """Every process that bears the mark."""
    if not sys.platform.startswith("linux"):
        command = ["ps", "-axo", "pid=,command="]
        lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        return [int(line.split()[0]) for line in lines.splitlines() if word in line]
    pids = (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
    return [pid for pid in pids if bears(pid, word)]


def _command(pid: int) -> str:
    if not sys.platform.startswith("linux"):
        command = ["ps", "-o", "command=", "-p", str(pid)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def pid_in(file: Path) -> int | None:
    """The process id that the first line of a pid file holds, if any."""
    try:
        return int(file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def wait_until(fact: Callable[[], bool], timeout_s: float) -> bool:
    """Whether `fact` became true within `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def stop(pid: int, word: str, signals: Sequence[tuple[signal.Signals, float]]) -> bool:
    """Send each signal and wait its seconds, until `pid` is gone. False when it outlives them.

    A process that does not bear the mark counts as gone, and gets no signal.
    """
    for number, patience_s in signals:
        if not bears(pid, word):
            return True
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        if wait_until(lambda: not bears(pid, word), patience_s):
            return True
    return False


def refuse_unmarked(pid: int | None, *programs: str) -> None:
    """Stop before a second server on the same data.

    Raises:
        StackUnavailable: A server that somebody started by hand may own the pid file.
    """
    command = "" if pid is None else _command(pid)
    if not _MARK.search(command) and any(program in command for program in programs):
        raise StackUnavailable(
            f"process {pid} may serve these data already, and this stack did not start it",
            hint=f"end it first, if it is yours: kill -INT {pid}",
        )


def clear(word: str, number: signal.Signals) -> bool:
    """Wait for the children of a killed server, end what does not go; False when some stay."""
    if wait_until(lambda: not bearers(word), 2):
        return True
    for pid in bearers(word):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    return wait_until(lambda: not bearers(word), 20)


def free_port() -> int:
    """A loopback port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
