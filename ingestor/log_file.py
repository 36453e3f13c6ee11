"""The log file: one file that all processes of a host append to, turned over by size.

`logging.handlers.RotatingFileHandler` loses lines where several processes turn the same file over,
and a file per process would grow without end in number, since worker processes are replaced all
the time. Here a line is one `write` to a file opened for appending, which the kernel never
interleaves on a local disk; the one who finds the file full renames it under a lock, and the
others notice the new file before their next line. A line written meanwhile ends up in the file
just renamed; none is lost. Handlers may be inherited by a fork.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sys
from contextlib import nullcontext
from pathlib import Path

MAX_BYTES = 10_000_000
KEPT = 5


class QuietHandler(logging.Handler):
    """Base of our handlers: a line that cannot be written is reported without its content.

    The standard library would print the record's message and arguments, before any redaction.
    """

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        kind = sys.exc_info()[0]
        try:
            what = kind.__name__ if kind else "unknown"
            sys.stderr.write(f"a log line of {record.name} was lost: {what}\n")
        except (OSError, ValueError):
            pass  # stderr itself is gone


class SharedFileHandler(QuietHandler):
    """Appends to `path`; past `max_bytes` the file becomes ``<path>.1``, the oldest one goes.

    Args:
        path: Its folder is made where it is missing.
        max_bytes: Size above which the file is turned over.
        kept: How many old files stay.

    Raises:
        OSError: The file cannot be opened.
    """

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES, kept: int = KEPT) -> None:
        super().__init__()
        self._path, self._max_bytes, self._kept = path, max_bytes, kept
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = self._open()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
            self._follow()
            if self._is_full(len(line)):
                self._turn_over(len(line))
            os.write(self._fd, line)
        except Exception:  # noqa: BLE001 - as logging does: work never fails because of a log line
            self.handleError(record)

    def close(self) -> None:
        with self.lock or nullcontext():
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1
        super().close()

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def _follow(self) -> None:
        """Reopen where another process has turned the file over, or someone removed it."""
        try:
            current = self._path.stat()
        except FileNotFoundError:
            current = None
        ours = os.fstat(self._fd)
        if current is None or (current.st_ino, current.st_dev) != (ours.st_ino, ours.st_dev):
            os.close(self._fd)
            self._fd = self._open()

    def _is_full(self, more: int) -> bool:
        size = os.fstat(self._fd).st_size
        return size > 0 and size + more > self._max_bytes

    def _turn_over(self, more: int) -> None:
        lock = os.open(f"{self._path}.lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._follow()
            if self._is_full(more):  # nobody was faster
                for number in range(self._kept, 0, -1):
                    older = self._numbered(number - 1)
                    if older.exists():
                        older.replace(self._numbered(number))
                self._follow()
        finally:
            os.close(lock)

    def _numbered(self, number: int) -> Path:
        return Path(f"{self._path}.{number}") if number else self._path
