"""Why somebody gives something up, kept with who it was."""

from __future__ import annotations

import getpass
import os
import socket
from typing import Final

import click

MOST_BYTES: Final = 1_500
"""Of a reason; the ledger keeps 2,048 of reason and login together."""


def reasoned(text: str) -> str:
    """The reason as it is kept: with who gave it, and without what has the form of a secret.

    Raises:
        click.UsageError: It is empty or too long.
    """
    from ingestor.redaction import redact

    if not text.strip() or "\0" in text:
        raise click.UsageError("--reason is empty.")
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise click.UsageError(f"--reason is longer than {MOST_BYTES:,} bytes.")
    return f"{login()}: {redact(text.strip())}"


def login() -> str:
    """Who runs this command, and where."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container's user need not have a name
        name = f"uid {os.getuid()}"
    return f"{name}@{socket.gethostname()}"
