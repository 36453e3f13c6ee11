"""Logs: structlog in front, the standard library's handlers behind, one form for both.

Our own lines and those of celery, kombu, asyncio or alembic go through the same processors, the
last of which takes secrets out. JSON lines go to stderr, or a readable form where it is a terminal;
stdout is left to what commands print. Tracebacks go to JSON only, unless `debug` is set.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TextIO, cast

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from ingestor.log_file import QuietHandler, SharedFileHandler
from ingestor.redaction import cleaned, redact

__all__ = ["LogSettings", "bound", "configure", "get_logger", "redact", "redacting"]

# What structlog and its formatter hand from processor to processor.
_INTERNAL = frozenset({"exc_info", "stack_info", "_record", "_from_structlog"})


class LogSettings(Protocol):
    """The part of the settings that logs need."""

    @property
    def log_format(self) -> str: ...
    @property
    def log_level(self) -> str: ...
    @property
    def log_file(self) -> Path | None: ...


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for a module; before `configure` it obeys the standard library's set-up."""
    return structlog.stdlib.get_logger(name)


def bound(**facts: object) -> AbstractContextManager[None]:
    """A context in which every line carries `facts`: job, chunk, attempt, task.

    They follow the context: tasks of asyncio started within inherit them, threads do not.
    """
    return structlog.contextvars.bound_contextvars(**facts)


def redacting(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Processor: takes secrets out of every name and value, at any depth."""
    inner = {name: event[name] for name in _INTERNAL & event.keys()}
    facts = {name: value for name, value in event.items() if name not in inner}
    return {**cast("dict[str, object]", cleaned(facts)), **inner}


def _one_line_error(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Processor: on the console an exception is its type and first line."""
    event.pop("stack_info", None)
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
    if isinstance(given, tuple):
        error = given[1]
    if error is not None:
        first = next(iter(str(error).splitlines()), "")
        event.setdefault("error", f"{type(error).__name__}: {first}")
    return event


class _ProcessFacts:
    """Processor: which process wrote a line of a file that many write to."""

    def __init__(self, process: str) -> None:
        self._process = process

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        if self._process:
            event.setdefault("process", self._process)
        event["pid"] = os.getpid()
        return event


_STAMPS: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def _set_up_structlog() -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *_STAMPS,
            redacting,  # here too: a host program's own handlers get lines that are clean
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


# Unset, structlog prints to stdout, which belongs to what commands answer.
if not structlog.is_configured():
    _set_up_structlog()


class _StreamHandler(QuietHandler):
    """Writes to `stream`, or to what `sys.stderr` is when the line is written."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        try:
            stream = self._stream or sys.stderr
            stream.write(self.format(record) + "\n")
            stream.flush()
        except Exception:  # noqa: BLE001 - as logging does: work never fails because of a log line
            self.handleError(record)


def _json(process: str) -> logging.Formatter:
    return _formatter(
        _ProcessFacts(process),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redacting,
        structlog.processors.JSONRenderer(),
    )


def _console(stream: TextIO, *, debug: bool) -> logging.Formatter:
    colors = stream.isatty() and not os.environ.get("NO_COLOR")
    return _formatter(
        structlog.processors.format_exc_info if debug else _one_line_error,
        redacting,
        structlog.dev.ConsoleRenderer(
            colors=colors, exception_formatter=structlog.dev.plain_traceback
        ),
    )


def _formatter(*processors: Processor) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_STAMPS,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *processors],
    )


def configure(
    settings: LogSettings | None = None,
    *,
    form: str | None = None,
    level: str | None = None,
    file: Path | None = None,
    process: str = "",
    debug: bool = False,
    stream: TextIO | None = None,
) -> None:
    """Set up logging of this process; called once at each entry point, harmless when repeated.

    Args:
        settings: Where form, level and file come from unless they are given.
        form: ``json``, ``console``, or ``auto``: console where the stream is a terminal.
        level: Least level that is logged.
        file: JSON lines go there too; several processes may share it.
        process: What this process is (``worker``, ``scheduler``), for every JSON line.
        debug: Tracebacks on the console too.
        stream: Instead of stderr.

    Raises:
        OSError: The file cannot be opened.
    """
    form = form or (settings.log_format if settings else "auto")
    level = level or (settings.log_level if settings else "INFO")
    file = file or (settings.log_file if settings else None)
    target = stream or sys.stderr
    console = form == "console" or (form == "auto" and target.isatty())

    shown = _StreamHandler(stream)
    shown.setFormatter(_console(target, debug=debug) if console else _json(process))
    handlers: list[logging.Handler] = [shown]
    if file is not None:
        kept = SharedFileHandler(file)
        kept.setFormatter(_json(process))
        handlers.append(kept)
    _set_up_structlog()
    _replace_handlers(handlers)
    logging.getLogger().setLevel(level)
    logging.captureWarnings(capture=True)


def _replace_handlers(handlers: list[logging.Handler]) -> None:
    """Ours instead of our former ones and of what `logging.basicConfig` put there."""
    root = logging.getLogger()
    for old in root.handlers[:]:
        if isinstance(old, QuietHandler) or type(old) is logging.StreamHandler:
            root.removeHandler(old)
            old.close()
    for handler in handlers:
        root.addHandler(handler)
