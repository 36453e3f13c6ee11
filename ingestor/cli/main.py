"""`hdi`: the group of all commands, and the one place where errors become lines and exit codes."""

from __future__ import annotations

import io
import re
import sys
from contextlib import AbstractContextManager, nullcontext

import click

from ingestor.cli.lazy import LazyGroup
from ingestor.errors import IngestError

INTERRUPTED = 130

# Line breaks of every kind and control characters, which could move a terminal's cursor; with the
# blanks beside a line break, by which texts of several lines are indented. Help compiles nothing.
_BREAKS = r" *[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*|[\x00-\x1f\x7f-\x9f]+"

_COMMANDS = {
    "submit": "ingestor.cli.submit:submit",
    "jobs": "ingestor.cli.jobs:jobs",
    "status": "ingestor.cli.jobs:status",
    "watch": "ingestor.cli.jobs:watch",
    "workers": "ingestor.cli.jobs:workers",
    "cancel": "ingestor.cli.steer:cancel",
    "pause": "ingestor.cli.steer:pause",
    "resume": "ingestor.cli.steer:resume",
    "retry": "ingestor.cli.steer:retry",
    "dlq": "ingestor.cli.dlq:dlq",
    "quarantine": "ingestor.cli.quarantine:quarantine",
    "replay": "ingestor.cli.replay:replay",
    "rules": "ingestor.cli.rules:rules",
    "verify": "ingestor.cli.verify:verify",
    "query": "ingestor.cli.query:query",
    "export": "ingestor.cli.export:export",
    "symbols": "ingestor.cli.symbols:symbols",
    "datasets": "ingestor.cli.catalogue:datasets",
    "schemas": "ingestor.cli.catalogue:schemas",
    "conditions": "ingestor.cli.catalogue:conditions",
    "worker": "ingestor.cli.processes:worker",
    "scheduler": "ingestor.cli.processes:scheduler",
    "serve": "ingestor.cli.serve:serve",
    "up": "ingestor.cli.up:up",
    "db": "ingestor.cli.db:db",
    "stack": "ingestor.cli.stack:stack",
    "simulate": "ingestor.cli.simulate:simulate",
    "doctor": "ingestor.cli.doctor:doctor",
    "config": "ingestor.cli.config:config",
}


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from ingestor.cli.versions import versions

    click.echo(versions())
    context.exit()


@click.group(cls=LazyGroup, commands_from=_COMMANDS, context_settings={"max_content_width": 100})
@click.option("--debug", is_flag=True, help="Show the traceback of an error too.")
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_version,
    help="Versions of HDI, dbn, PostgreSQL and TimescaleDB.",
)
def cli(debug: bool) -> None:
    """Historical market data into TimescaleDB, every record exactly once, with proof.

    \b
    A first session:
      hdi up                                       # in one terminal
      hdi-submit --path FOLDER_OF_DBN_FILES --wait # in another
      hdi query trades --symbols ESH4 --start 2024-03-11 --end 2024-03-12
    """
    del debug


def guarded(command: click.Command, name: str) -> int:  # noqa: PLR0911 - one per sort of end
    """Runs a command; its exit code. An error is one line of what and one of what next."""
    debug = "--debug" in sys.argv
    stdout = sys.stdout
    try:
        with _log_lines():
            result = command.main(prog_name=name, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        return _usage(error)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except SystemExit:
        # What click makes of a broken pipe, in whatever mode: it muffles stdout and exits.
        if sys.stdout is stdout:
            raise
        return _reader_gone()
    except IngestError as error:
        return _told(error.message, error.hint, error.exit_code, debug=debug)
    except Exception as error:  # noqa: BLE001 - no stack trace reaches the console
        return _unforeseen(error, debug=debug)
    return result if isinstance(result, int) else 0


def _log_lines() -> AbstractContextManager[None]:
    """Help logs nothing, and does not wait for the import of what does (a tenth of its time)."""
    if "--help" in sys.argv:
        return nullcontext()
    from ingestor.cli.log_lines import log_lines

    return log_lines()


def _usage(error: click.ClickException) -> int:
    context = getattr(error, "ctx", None)
    hint = f"see `{context.command_path} --help`" if context is not None else ""
    return _told(error.format_message(), hint, error.exit_code, debug=False)


def _told(message: str, hint: str, code: int, *, debug: bool) -> int:
    from ingestor.redaction import redact

    click.echo(f"error: {redact(_line(message))}", err=True)
    if hint:
        click.echo(f"next:  {redact(_line(hint))}", err=True)
    if debug:
        _show_trace()
    return code


def _line(text: str) -> str:
    """On one line. Blanks stay: symbols hold several in a row (``AAPL  240315C00170000``)."""
    return re.sub(_BREAKS, " ", text).strip()


def _unforeseen(error: Exception, *, debug: bool) -> int:
    _log_trace(error)
    what = f"unforeseen {type(error).__name__}: {error}"
    hint = "" if debug else "this is a fault in HDI; run it again with --debug and report it"
    return _told(what, hint, 1, debug=debug)


def _log_trace(error: Exception) -> None:
    """The traceback goes to the log file, where one is set; never to the console by itself."""
    from ingestor import logs
    from ingestor.settings import load_settings

    try:
        settings = load_settings()
    except IngestError:
        return
    if settings.log_file is not None:
        logs.configure(settings, process="cli", stream=io.StringIO())
        logs.get_logger(__name__).error("unforeseen error", exc_info=error)


def _show_trace() -> None:
    import traceback

    from ingestor.redaction import redact

    click.echo(redact(traceback.format_exc()), err=True)


def _reader_gone() -> int:
    """The reader of our output has left (`| head`): nothing is wrong, nothing more to say."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
