"""What the library logs while a command runs, as lines for people: ``warning: …`` on stderr.

Commands that are services (worker, scheduler, serve) set up logs of their own, which replace it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ingestor.cli.output import one_line, tell
from ingestor.log_file import QuietHandler
from ingestor.redaction import redact

# What stands in every line of a log; a person at a command knows it.
_STAMPS = frozenset({"event", "level", "logger", "timestamp", "exc_info", "stack_info"})


class LogLines(QuietHandler):
    """Says what is logged as a warning or worse.

    Never as ``error:``: that is the line with which a command ends, and this one goes on.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            tell(f"warning: {one_line(redact(_said(record)))}")
        except Exception:  # noqa: BLE001 - as logging does: work never fails because of a log line
            self.handleError(record)


@contextmanager
def log_lines() -> Iterator[None]:
    """Within it nothing that is logged reaches stderr in another form."""
    root, lines = logging.getLogger(), LogLines()
    root.addHandler(lines)
    try:
        yield
    finally:
        root.removeHandler(lines)


def _said(record: logging.LogRecord) -> str:
    """Event, facts and error of a line; of other libraries' lines the message."""
    event = record.msg
    if not isinstance(event, Mapping):
        return record.getMessage() + _error(record.exc_info)
    facts = ", ".join(f"{name} {value}" for name, value in event.items() if name not in _STAMPS)
    told = f"{event.get('event', '')}" + (f" ({facts})" if facts else "")
    return told + _error(record.exc_info or event.get("exc_info"))


def _error(found: object) -> str:
    """``: TypeError: what``; its traceback is for log files."""
    if found is True:
        found = sys.exc_info()
    error = found[1] if isinstance(found, tuple) else found
    if not isinstance(error, BaseException):
        return ""
    first = next(iter(str(error).splitlines()), "")
    return f": {type(error).__name__}" + (f": {first}" if first else "")
