"""Entry points of the console scripts, and of ``python -m ingestor.cli``."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def hdi() -> None:
    """Entry point of ``hdi``."""
    with _nothing_collected():
        from ingestor.cli.main import cli, guarded
    sys.exit(guarded(cli, "hdi"))


def hdi_submit() -> None:
    """Entry point of ``hdi-submit``."""
    with _nothing_collected():
        from ingestor.cli.main import guarded
        from ingestor.cli.submit import submit
    sys.exit(guarded(submit, "hdi-submit"))


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """What imports make stays: to look for garbage in it, now or later, is a tenth of `--help`."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
